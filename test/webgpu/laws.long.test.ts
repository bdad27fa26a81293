import { describe, expect, it } from 'vitest';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { check, prepare, REFUSED, tolerance32 } from '../laws/judge.ts';
import { SAMPLES } from '../laws/samples.ts';
import { onWebGpu, webgpu } from './gpu.ts';

// The laws on the WebGPU device: a sample of some operations, on its widest split, since a renderer in software compiles for a second and
// more what a GPU's driver compiles at once; HALOMESH_TEST_WEBGPU=all: every sample of every operation, plain and on its widest split.
const all = process.env.HALOMESH_TEST_WEBGPU === 'all';
const NAMES: readonly OpName[] = all
  ? (Object.keys(OPS) as OpName[])
  : ['sqrt', 'cast', 'reduce_max', 'conv'];

onWebGpu('webgpu', () => {
  const device = webgpu();
  describe.each(NAMES)('%s', (name) => {
    const samples = all ? SAMPLES[name] : SAMPLES[name].slice(0, 1);
    it.each(samples.map((sample) => [sample.name, sample] as const))('%s', async (_, sample) => {
      const prepared = prepare(sample);
      for (const parts of [...(all ? [{}] : []), ...sample.parts.slice(-1)]) {
        const checked = check(prepared, parts, device, tolerance32(prepared));
        const refusal = REFUSED[`${name}: ${sample.name}`];
        if (refusal === undefined) await checked;
        else await expect(checked).rejects.toThrow(refusal);
      }
    });
  });
});
