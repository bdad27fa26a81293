import { describe, expect, it } from 'vitest';
import { pjrtDevice } from '../../src/machine/pjrt/index.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { check, prepare, tolerance32 } from '../laws/judge.ts';
import { SAMPLES } from '../laws/samples.ts';
import { LIBRARY } from './stub.ts';

// Every operation on a PJRT device, on every split: the text that is compiled means what the reference does.

describe.each(Object.keys(OPS) as OpName[])('pjrt: %s', (name) => {
  it.each(SAMPLES[name].map((sample) => [sample.name, sample] as const))('%s', async (_, sample) => {
    const prepared = prepare(sample);
    for (const parts of [{}, ...sample.parts])
      await check(prepared, parts, pjrtDevice(LIBRARY), tolerance32(prepared));
    expect(sample.parts).toBeDefined();
  });
});
