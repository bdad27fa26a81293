import { type Shape3, voxelCount } from '../imaging/index.ts';
import { Context, networkConfig, networkLevels } from '../nn/index.ts';
import { inputOf } from '../ops/index.ts';
import {
  configOfRun,
  imageShape,
  loadCheckpoint,
  loadNetwork,
  networkOf,
  sessionOf,
} from '../train/index.ts';

/** Scores of a run's network on an image that is prepared already, [depth, height, width, class], by the CPU device. */
export async function scoresOfRun(run: string, image: Float32Array, size: Shape3): Promise<Float32Array> {
  const { folder, config: saved } = await configOfRun({ run });
  const { config } = await loadNetwork(saved, { folder });
  const ctx = new Context({ training: false, averaged: config.ema !== undefined });
  const input = inputOf(ctx.graph, 'image', imageShape(config, size), 'f32');
  const [scores] = networkLevels(ctx, input, networkConfig(networkOf(config, config.classes!.length)), false);
  ctx.graph.output('scores', scores);
  const session = sessionOf({ ...config, threads: 1, exactConv: 'direct' });
  try {
    const program = await session.load(ctx.graph);
    await loadCheckpoint(folder.latest, session.variables, { partial: true });
    const found = await program.run({ image }, ['scores']);
    if (found.scores.length !== voxelCount(size) * config.classes!.length) throw new Error('sizes');
    return Float32Array.from(found.scores);
  } finally {
    session.close();
    session.device.close();
  }
}

/** The largest difference of two arrays of one length. */
export function farthest(one: ArrayLike<number>, other: ArrayLike<number>): number {
  if (one.length !== other.length) throw new Error(`${one.length} numbers beside ${other.length}`);
  let most = 0;
  for (let n = 0; n < one.length; n++) {
    const apart = Math.abs(one[n] - other[n]);
    if (!(apart <= most)) most = apart;
  }
  return most;
}
