import { Graph, type Layout, mesh, shape, uniform } from '../../src/core/index.ts';
import type { Device } from '../../src/machine/index.ts';
import { evenLoss, type LossName, segmentationLoss } from '../../src/nn/index.ts';
import { convRaw, gradients, inputOf, windows } from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';

// A loss by name behind a last convolution, with its gradients.

const SPACE = { batch: 2, depth: 5, height: 4, width: 7 };
const VOXELS = SPACE.batch * SPACE.depth * SPACE.height * SPACE.width;
const POINT = windows({ depth: 1, height: 1, width: 1 }, { padding: 'same' });

/** Three regions of two classes that overlap. */
const SETS = [[1, 2], [2], [1]];

/** `regions`: of regions, in place of classes. */
export type LawfulLoss = LossName | 'regions';

/** `ignore`: with every third label left out. */
export function lossGraph(name: LawfulLoss, ignore?: number): Graph {
  const graph = new Graph();
  const x = inputOf(graph, 'x', shape({ ...SPACE, channel: 4 }));
  const weight = inputOf(graph, 'weight', shape({ kd: 1, kh: 1, kw: 1, channel: 4, class: 3 }));
  const labels = inputOf(graph, 'labels', shape(SPACE), 'u8');
  const beside: readonly LossName[] = name === 'boundary' ? ['dice'] : [];
  const terms: readonly LossName[] = name === 'regions' ? ['dice', 'bce', 'tversky'] : [...beside, name];
  const sets = name === 'regions' ? { sets: SETS } : {};
  const config = { ...evenLoss(3), weights: [1, 2, 3], terms, gamma: 1.5, ignore, ...sets };
  const boundary = name === 'boundary' && {
    distances: inputOf(graph, 'distances', shape({ ...SPACE, class: 3 })),
    weight: inputOf(graph, 'boundary_weight', [], 'f64'),
    ...{ regions: 2, overlap: false },
  };
  const scores = convRaw(x, weight, POINT, 'class');
  const { loss } = segmentationLoss(scores, labels, config, boundary || undefined);
  const [dx, dw] = gradients(loss, [x, weight]);
  for (const [output, value] of Object.entries({ loss, dx: dx!, dw: dw! })) graph.output(output, value);
  return graph;
}

export async function runLoss(
  graph: Graph,
  device: Device,
  axes: Record<string, number> = {},
  layout: Layout = {},
  left = false,
): Promise<Record<string, Float64Array>> {
  const bounded = graph.nodes.some(({ call }) => call.attrs.name === 'distances');
  const program = await new Session({ device, mesh: mesh(axes), layout }).load(graph);
  const found = await program.run({
    x: Float32Array.from({ length: 4 * VOXELS }, (_, i) => uniform(1, 2, 3, i) - 0.5),
    weight: Float32Array.from({ length: 12 }, (_, i) => 6 * uniform(7, 8, 9, i) - 3),
    labels: Uint8Array.from({ length: VOXELS }, (_, i) =>
      left && i % 3 === 0 ? 255 : Math.floor(3 * uniform(4, 5, 6, i)),
    ),
    ...(bounded && {
      distances: Float32Array.from({ length: 3 * VOXELS }, (_, i) => 9 * uniform(3, 1, 2, i) - 4),
      boundary_weight: Float64Array.of(0.3),
    }),
  });
  program.free();
  return Object.fromEntries(Object.entries(found).map(([name, data]) => [name, Float64Array.from(data)]));
}
