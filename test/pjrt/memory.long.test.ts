import { expect, it } from 'vitest';
import { mesh } from '../../src/core/index.ts';
import type { Shape3 } from '../../src/imaging/index.ts';
import { pjrtDevice, pjrtTarget } from '../../src/machine/pjrt/index.ts';
import { makePlan } from '../../src/plan/index.ts';
import { resolveConfig } from '../../src/train/config/config.ts';
import { trainingGraph } from '../../src/train/config/model.ts';
import { lossesOf } from '../losses.ts';
import { LIBRARY, STUB, settled, stubLive } from './stub.ts';

// Tensors that make way for others: recomputed, and moved to the host and back.

const SIZE: Shape3 = [8, 12, 12];
const LIMIT = 256 * 2 ** 20 + 247_372;

it('gives the same losses with a limit of memory, and nothing is left of it', async () => {
  const given = { data: 'x', out: 'y', levels: 2, augmentation: 'none', batch: 1, base: 4 } as const;
  const { graph } = trainingGraph(resolveConfig(given), 3, SIZE);
  const plan = makePlan(graph, mesh({}), {}, pjrtTarget(), { memoryLimit: LIMIT });
  expect(plan.memory.spillBytes[0]).toBeGreaterThan(0);

  const before = stubLive();
  const losses = async (memoryLimit?: number) => {
    const device = pjrtDevice(LIBRARY);
    const found = await lossesOf(device, { size: SIZE, steps: 2, config: { base: 4 }, memoryLimit });
    device.close();
    return found;
  };
  const free = await losses();
  const limited = await losses(LIMIT);
  limited.forEach((loss, step) => {
    expect(Math.abs(loss / free[step] - 1)).toBeLessThan(1e-5);
  });
  if (LIBRARY === STUB) expect(await settled(stubLive, before)).toBe(before);
});
