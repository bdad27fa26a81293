import { describe, expect, it } from 'vitest';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { check, prepare, REFUSED, tolerance32 } from '../laws/judge.ts';
import { SAMPLES } from '../laws/samples.ts';
import { onWebGpu, webgpu } from './gpu.ts';

// The laws of every operation on the WebGPU device: plain and on the widest split of a sample.

onWebGpu('webgpu', () => {
  const device = webgpu();
  describe.each(Object.keys(OPS) as OpName[])('%s', (name) => {
    it.each(SAMPLES[name].map((sample) => [sample.name, sample] as const))('%s', async (_, sample) => {
      const prepared = prepare(sample);
      for (const parts of [{}, ...sample.parts.slice(-1)]) {
        const checked = check(prepared, parts, device, tolerance32(prepared));
        const refusal = REFUSED[`${name}: ${sample.name}`];
        if (refusal === undefined) await checked;
        else await expect(checked).rejects.toThrow(refusal);
      }
    });
  });
});
