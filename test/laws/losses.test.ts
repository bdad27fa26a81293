import { describe, expect, it } from 'vitest';
import type { Layout } from '../../src/core/index.ts';
import { cpuDevice, referenceDevice } from '../../src/machine/index.ts';
import { LOSS_NAMES } from '../../src/nn/index.ts';
import { lossGraph, runLoss } from './loss.ts';

// Every loss by name: near the reference on every mesh, and the same bits however space is cut.

const cpu = cpuDevice({ threads: 2 });

describe.each([
  ...LOSS_NAMES.map((name) => [name, false] as const),
  ['dice', true],
  ['focal', true],
  ['regions', true],
] as const)('%s, voxels left out: %s', (name, left) => {
  const graph = lossGraph(name, left ? 255 : undefined);

  it('equals the reference on every mesh', async () => {
    const expected = await runLoss(graph, referenceDevice(), {}, {}, left);
    for (const [axes, layout] of [
      [{}, {}],
      [
        { a: 2, b: 2 },
        { batch: 'a', width: 'b' },
      ],
      [
        { a: 2, b: 2 },
        { class: 'a', height: 'b' },
      ],
    ] as const) {
      const found = await runLoss(graph, cpu, axes, layout as Layout, left);
      for (const [output, data] of Object.entries(expected)) {
        const scale = Math.max(...data.map(Math.abs));
        expect(Math.max(...data.map((y, i) => Math.abs(y - found[output][i]))) / scale).toBeLessThan(2e-5);
      }
    }
  });

  it('has the same bits on every mesh in space', async () => {
    const one = await runLoss(graph, cpu, {}, {}, left);
    for (const parts of [2, 5])
      expect(await runLoss(graph, cpu, { a: parts }, { depth: 'a' }, left)).toEqual(one);
    expect(await runLoss(graph, cpu, { a: 2, b: 3 }, { height: 'a', width: 'b' }, left)).toEqual(one);
  });
});
