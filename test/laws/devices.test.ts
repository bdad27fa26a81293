import { describe, expect, it } from 'vitest';
import { cpuDevice, referenceDevice } from '../../src/machine/index.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { FULL_FUSION } from '../../src/plan/fusion/full-fusion.testing.ts';
import { check, prepare, REFUSED, tolerance32 } from './judge.ts';
import { SAMPLES } from './samples.ts';

// Every operation, every sample, with its gradients, on every split of the sample: a partitioned run equals the unsplit
// reference on the reference device (1e-12, plain and fused) and on the CPU device (float32), sends the bytes that its plan
// says, and no two live buffers overlap.

const names = Object.keys(OPS) as OpName[];
const cpu = cpuDevice({ threads: 2 });

describe.each(names)('%s', (name) => {
  it.each(SAMPLES[name].map((sample) => [sample.name, sample] as const))('%s', async (_, sample) => {
    const prepared = prepare(sample);
    for (const parts of [{}, ...sample.parts]) {
      await check(prepared, parts, referenceDevice(), 1e-12);
      await check(prepared, parts, referenceDevice(FULL_FUSION), 1e-12);
      const refusal = REFUSED[`${name}: ${sample.name}`];
      if (refusal === undefined) await check(prepared, parts, cpu, tolerance32(prepared));
      else await expect(check(prepared, parts, cpu, 0)).rejects.toThrow(refusal);
    }
  });
});
