import { expect, it } from 'vitest';
import { cpuDevice } from '../../src/machine/index.ts';
import { LOSS_NAMES } from '../../src/nn/index.ts';
import { lossGraph, runLoss } from '../laws/loss.ts';
import { emulated } from './emulated.ts';

// Every loss by name on the emulated CUDA device: near the CPU, and the same bits on a mesh.

const cases = [
  ...LOSS_NAMES.map((name) => [name, false] as const),
  ['dice', true],
  ['regions', true],
] as const;

it.each(cases)('computes %s (voxels left out: %s) and its gradients like the CPU', async (name, left) => {
  const graph = lossGraph(name, left ? 255 : undefined);
  const device = emulated();
  const one = await runLoss(graph, device, {}, {}, left);
  for (const [output, data] of Object.entries(await runLoss(graph, cpuDevice(), {}, {}, left))) {
    const scale = Math.max(...data.map(Math.abs));
    expect(Math.max(...data.map((y, i) => Math.abs(y - one[output][i]))) / scale).toBeLessThan(2e-5);
  }
  expect(await runLoss(graph, device, { a: 2, b: 2 }, { depth: 'a', width: 'b' }, left)).toEqual(one);
});
