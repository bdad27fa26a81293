import { mesh, shape } from '../../src/core/index.ts';
import type { KernelSource } from '../../src/machine/cuda/driver.ts';
import { Context, deepLoss, networkConfig, networkLevels } from '../../src/nn/index.ts';
import { gradients, inputOf } from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';
import { recording } from './recording.ts';

/** Kernels of a U-Net of 16 channels over 32 x 32 x 32 voxels, with its loss and every gradient, none of which is run. */
export async function plannedKernels(
  storage: 'f32' | 'bf16',
  keep = 1,
  shared?: number,
): Promise<readonly KernelSource[]> {
  const ctx = new Context({ seed: 5, training: true, storage });
  const size = { batch: 1, depth: 32, height: 32, width: 32, channel: 1 };
  const image = inputOf(ctx.graph, 'image', shape(size));
  const scores = networkLevels(ctx, image, networkConfig({ base: 16, levels: 3, keep }), false);
  const labels = inputOf(ctx.graph, 'labels', shape(size).slice(0, -1), 'u8');
  void ctx.step;
  const { loss } = deepLoss(scores, labels);
  ctx.graph.output('loss', loss);
  const values = ctx.trainable.map(({ value }) => value);
  gradients(loss, values).forEach((gradient, i) => {
    ctx.graph.output(ctx.trainable[i].name, gradient!);
  });
  const sources = new Map<string, KernelSource>();
  const session = new Session({
    device: recording(sources, undefined, shared),
    mesh: mesh({}),
    layout: {},
    seed: 9,
  });
  await session.load(ctx.graph);
  session.close();
  return [...sources.values()];
}
