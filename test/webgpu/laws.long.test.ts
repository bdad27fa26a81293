import { describe, expect, it } from 'vitest';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { check, prepare, REFUSED, tolerance32 } from '../laws/judge.ts';
import { SAMPLES } from '../laws/samples.ts';
import { NO_WEBGPU, webgpu } from './gpu.ts';

// The laws of every operation on the WebGPU device: plain and on the widest split of a sample.

const device = NO_WEBGPU === undefined ? webgpu() : undefined;

describe.skipIf(device === undefined).each(Object.keys(OPS) as OpName[])('webgpu: %s', (name) => {
  it.each(SAMPLES[name].map((sample) => [sample.name, sample] as const))('%s', async (_, sample) => {
    const prepared = prepare(sample);
    for (const parts of [{}, ...sample.parts.slice(-1)]) {
      const checked = check(prepared, parts, device!, tolerance32(prepared));
      const refusal = REFUSED[`${name}: ${sample.name}`];
      if (refusal === undefined) await checked;
      else await expect(checked).rejects.toThrow(refusal);
    }
  });
});
