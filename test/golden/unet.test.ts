import { describe, expect, it } from 'vitest';
import { type Mesh, mesh, printGraph, shape } from '../../src/core/index.ts';
import { CPU_TARGET } from '../../src/machine/cpu/target.ts';
import { buildTraining } from '../../src/nn/index.ts';
import {
  explainPlan,
  formatPlan,
  makePlan,
  type Plan,
  printProgram,
  showPlanStep,
} from '../../src/plan/index.ts';

// A training step of a small U-Net in all its forms as text: the graph, then for three meshes the program of the last rank, the
// steps with the buffers they touch, and what `halomesh plan` says. What changes here was meant to change, or is a fault.
// `npx vitest run test/golden -u` writes the files anew.

const { graph } = buildTraining({
  image: shape({ batch: 1, depth: 7, height: 6, width: 8, channel: 1 }),
  network: { base: 16, levels: 2, classes: 3 },
  optimizer: { kind: 'sgd', momentum: 0 },
});

const meshes: Readonly<Record<string, Mesh>> = {
  'one rank': mesh({}),
  'depth 2': mesh({ depth: 2 }),
  'depth 2, height 2': mesh({ depth: 2, height: 2 }),
};

function textOf(plan: Plan): string {
  const ranks = plan.program.mesh.size;
  const buffers = new Map([...plan.buffers].map(([, buffer]) => [buffer.id, buffer]));
  return [
    // On one rank it is the graph.
    ...(ranks === 1 ? [] : [printProgram(plan.program, ranks - 1)]),
    ...['', '# steps'],
    ...plan.steps.map(showPlanStep),
    ...['', '# buffers'],
    ...[...buffers.values()].map(({ id, format, variable }) =>
      `%${id} ${format.name} ${variable ?? ''}`.trim(),
    ),
    ...['', '# plan'],
    formatPlan(explainPlan(plan)),
    '',
  ].join('\n');
}

describe('a training step as text', () => {
  it('is this graph', async () => {
    await expect(`${printGraph(graph)}\n`).toMatchFileSnapshot('./unet.graph.txt');
  });

  it.each(Object.entries(meshes))('is this plan on %s', async (name, ranks) => {
    const layout = Object.fromEntries(ranks.axes.map((axis) => [axis.name, axis.name]));
    const plan = makePlan(graph, ranks, layout, CPU_TARGET);
    await expect(textOf(plan)).toMatchFileSnapshot(`./unet.${name.replace(/\W+/g, '-')}.txt`);
  });
});
