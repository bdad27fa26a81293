import { mesh, uniform } from '../src/core/index.ts';
import type { Shape3 } from '../src/imaging/index.ts';
import type { Device } from '../src/machine/index.ts';
import { Session } from '../src/run/index.ts';
import { resolveConfig } from '../src/train/config/config.ts';
import { trainingGraph } from '../src/train/config/model.ts';

/** A training of a small U-Net on random numbers. */
export interface SmallTraining {
  readonly size: Shape3;
  readonly steps: number;
  /** What the config says beside the network of two levels. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Parts of dimensions. */
  readonly parts?: Readonly<Record<string, number>>;
  readonly memoryLimit?: number;
}

/** The losses of its steps. */
export async function lossesOf(device: Device, training: SmallTraining): Promise<number[]> {
  const { size, steps, config = {}, parts = {}, memoryLimit } = training;
  const given = { data: 'x', out: 'y', levels: 2, augmentation: 'none', batch: 1, ...config };
  const { graph } = trainingGraph(resolveConfig(given), 3, size);
  const layout = Object.fromEntries(Object.keys(parts).map((dim) => [dim, dim]));
  const session = new Session({ device, mesh: mesh(parts), layout, seed: 3, memoryLimit });
  const program = await session.load(graph);
  const voxels = size[0] * size[1] * size[2];
  const image = Float32Array.from({ length: voxels }, (_, i) => uniform(1, 2, 3, i));
  const labels = Uint8Array.from({ length: voxels }, (_, i) => 3 * uniform(4, 5, 6, i));
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const feeds = { image, labels, step: Int32Array.of(step), learning_rate: Float64Array.of(0.01) };
    losses.push((await program.run(feeds, ['loss'])).loss[0]);
  }
  program.free();
  session.close();
  return losses;
}
