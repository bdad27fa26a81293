// The whole network of the laws (test/laws/network.long.test.ts): its loss and every gradient, on the ranks of some processes.
import { mesh, shape, uniform } from '../../dist/core/index.js';
import { Context, segmentationLoss, unet } from '../../dist/nn/index.js';
import { gradients, inputOf } from '../../dist/ops/index.js';
import { Session } from '../../dist/run/index.js';

const SIZE = { batch: 2, depth: 7, height: 6, width: 9, channel: 1 };

/** Mesh, layout and norm; blocks of 7 and of 9 over two ranks and of 7 over three are uneven. */
export const MESHES = [
  [{ a: 2 }, { depth: 'a' }, 'batch'],
  [{ a: 2 }, { batch: 'a' }, 'instance'],
  [{ a: 3 }, { depth: 'a' }, 'batch'],
  [{ a: 2, b: 2 }, { height: 'a', width: 'b' }, 'instance'],
  [{ a: 2, b: 2 }, { channel: 'a', depth: 'b' }, 'batch'],
  [{ a: 2, b: 2, c: 2 }, { depth: 'a', height: 'b', width: 'c' }, 'batch'],
];

export const ranksOf = ([axes]) => Object.values(axes).reduce((a, b) => a * b, 1);

function network(norm) {
  const ctx = new Context({ seed: 5, training: true, storage: 'f32' });
  const config = { base: 2, levels: 3, keep: 0.8, norm };
  const scores = unet(ctx, inputOf(ctx.graph, 'image', shape(SIZE)), config);
  const labels = inputOf(ctx.graph, 'labels', shape(SIZE).slice(0, -1), 'u8');
  void ctx.step;
  const { loss } = segmentationLoss(scores, labels);
  ctx.graph.output('loss', loss);
  const wrt = ctx.trainable;
  gradients(
    loss,
    wrt.map((parameter) => parameter.value),
  ).forEach((gradient, i) => {
    ctx.graph.output(wrt[i].name, gradient);
  });
  return ctx.graph;
}

/** Loss and gradients by name, what was sent, and what the plan says of it. `processes`: absent where all ranks run here. */
export async function lawsOf([axes, layout, norm], device, processes) {
  const session = new Session({ device, mesh: mesh(axes), layout, seed: 9, processes });
  const program = await session.load(network(norm));
  const voxels = SIZE.batch * SIZE.depth * SIZE.height * SIZE.width;
  const image = Float32Array.from({ length: voxels }, (_, i) => uniform(1, 2, 3, i));
  const labels = Uint8Array.from({ length: voxels }, (_, i) => Math.floor(3 * uniform(4, 5, 6, i)));
  const found = await program.run({ image, labels, step: Int32Array.of(3) });
  const { exchange, allReduce } = program.plan.bytesSent;
  const { exchangeBytes, allReduceBytes } = session.traffic;
  program.free();
  return {
    results: Object.fromEntries(Object.entries(found).map(([name, data]) => [name, [...data]])),
    predicted: { exchange, allReduce },
    sent: { exchange: exchangeBytes, allReduce: allReduceBytes },
  };
}
