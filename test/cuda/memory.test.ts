import { describe, expect, it } from 'vitest';
import { mesh } from '../../src/core/index.ts';
import { cudaTarget } from '../../src/machine/cuda/index.ts';
import { CONTEXT } from '../../src/machine/cuda/target.ts';
import { explainPlan, makePlan, predictPeak } from '../../src/plan/index.ts';
import { Session } from '../../src/run/index.ts';
import { resolveConfig } from '../../src/train/config/config.ts';
import { trainingGraph } from '../../src/train/config/model.ts';
import { recording } from './recording.ts';

// Memory of the GPU by plan, and what a step then takes of it; no kernel is run.

const GIB = 2 ** 30;

function graphOf(size: number) {
  const given = { data: 'x', out: 'y', base: 16, precision: 'bf16', augmentation: 'none', batch: 1 } as const;
  return trainingGraph(resolveConfig(given), 3, [size, size, size]).graph;
}

const SIZE = 192;

describe('a step on a GPU', () => {
  it.each([undefined, 1.7 * GIB])(
    'takes the bytes that its plan predicts, with a limit of %s',
    async (limit) => {
      const taken = { now: 0, most: 0, pinned: 0 };
      const device = recording(new Map(), taken);
      const session = new Session({ device, mesh: mesh({}), layout: {}, memoryLimit: limit });
      // What the host holds is no matter of the GPU's.
      const { plan, run } = await session.load(graphOf(SIZE), { hostBytes: GIB });
      const [image, labels] = [new Float32Array(SIZE ** 3), new Uint8Array(SIZE ** 3)];
      await run({ image, labels, step: Int32Array.of(0), learning_rate: Float64Array.of(0.01) }, ['loss']);
      const predicted = predictPeak(plan, GIB);
      if (limit !== undefined) {
        expect(predicted).toBeLessThanOrEqual(limit);
        expect(explainPlan(plan).extra).toContain('fetched from the pinned memory of the host');
      }
      expect(taken.pinned).toBe(plan.memory.spillBytes[0]);
      expect(Math.abs((CONTEXT + taken.most) / predicted - 1)).toBeLessThan(0.05);
      session.close();
      device.close();
      expect([taken.now, taken.pinned, device.held]).toEqual([0, 0, 0]);
    },
  );
});

it('plans 512^3 voxels within 20 GiB where no GPU is', () => {
  const plan = makePlan(graphOf(512), mesh({}), {}, cudaTarget(), { memoryLimit: 20 * GIB });
  expect(predictPeak(plan)).toBeLessThanOrEqual(20 * GIB);
  expect(plan.memory.extraSeconds).toBeLessThan(1);
});
