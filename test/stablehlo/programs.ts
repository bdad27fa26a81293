import { type Graph, type Mesh, mesh, shape } from '../../src/core/index.ts';
import { buildPrediction, buildTraining } from '../../src/nn/index.ts';
import { partition } from '../../src/plan/index.ts';
import { type Printed, type PrintOptions, printProgram } from '../../src/stablehlo/index.ts';

// Programs that the tests of StableHLO print.

/** Every axis of a mesh splits the dimension of its name. */
export const layoutOf = (m: Mesh): Record<string, string> =>
  Object.fromEntries(m.axes.map(({ name }) => [name, name]));

/** A graph as a program of so many parts along each dimension. */
export function printed(
  graph: Graph,
  parts: Readonly<Record<string, number>> = {},
  options: PrintOptions = {},
): Printed {
  const m = mesh(parts);
  return printProgram(partition(graph, m, layoutOf(m)), options);
}

/** A U-Net whose text is short enough to read. */
const SMALL = {
  image: shape({ batch: 1, depth: 4, height: 6, width: 8, channel: 1 }),
  network: { base: 2, levels: 2, classes: 3, norm: 'instance', keep: 0.5 },
} as const;

export const smallPrediction = (): Graph => buildPrediction({ ...SMALL, probabilities: true }).graph;

/** A training step of one level. */
export const smallStep = (): Graph =>
  buildTraining({
    image: SMALL.image,
    network: { base: 2, levels: 1, classes: 3, norm: 'batch', keep: 0.5 },
    optimizer: { kind: 'sgd', momentum: 0.9 },
  }).graph;
