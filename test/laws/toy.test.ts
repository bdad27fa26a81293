import { describe, expect, it } from 'vitest';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { describeDevice } from '../conformance/device.ts';
import { toyDevice } from '../conformance/toy.ts';
import { check, prepare, REFUSED, tolerance32 } from './judge.ts';
import { SAMPLES } from './samples.ts';

// A third device, of 150 lines, keeps the contract and the laws.

describeDevice('toy', toyDevice);

describe.each(Object.keys(OPS) as OpName[])('toy: %s', (name) => {
  it.each(SAMPLES[name].map((sample) => [sample.name, sample] as const))('%s', async (_, sample) => {
    const prepared = prepare(sample);
    for (const parts of [{}, ...sample.parts]) {
      const checked = check(prepared, parts, toyDevice(), tolerance32(prepared));
      const refusal = REFUSED[`${name}: ${sample.name}`];
      if (refusal === undefined) await checked;
      else await expect(checked).rejects.toThrow(refusal);
    }
  });
});
