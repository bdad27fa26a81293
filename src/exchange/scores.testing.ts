import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { uniform } from '../core/index.ts';
import { type Shape3, voxelCount } from '../imaging/index.ts';
import { Context, networkConfig, networkLevels } from '../nn/index.ts';
import { inputOf } from '../ops/index.ts';
import {
  configOfRun,
  imageShape,
  loadCheckpoint,
  loadNetwork,
  networkOf,
  resolveConfig,
  runFolder,
  sessionOf,
  writeSafetensors,
} from '../train/index.ts';
import { checkpointTexts } from '../train/record/checkpoint.ts';
import { weightsOf } from './weights/weights.ts';

/**
 * Scores of a run's network on an image that is prepared already, [depth, height, width, class], by the CPU device; [class] where it tells
 * the classes of images as wholes.
 */
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
    const places = config.task === 'classify' ? 1 : voxelCount(size);
    if (found.scores.length !== places * config.classes!.length) throw new Error('sizes');
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

/** A run of a network with random numbers, in a folder of its own. */
export async function randomRunIn(parent: string, name: string, settings: object): Promise<string> {
  const out = path.join(parent, name);
  const folder = runFolder(out);
  const classes = ['background', 'liver', 'tumour'];
  const given = resolveConfig({ data: parent, out, classes, ...settings });
  const { config, text } = await loadNetwork(given, { folder });
  const tensors = weightsOf(config, 3).map(({ name: tensor, shape }, n) => ({
    ...{ name: tensor, dtype: 'F32' as const, shape },
    data: () =>
      // Variances are above 0, and sums over many weights stay small.
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
        tensor.includes('moving_variance') || tensor.includes('gamma')
          ? 0.5 + uniform(n, i, 1, 2)
          : (uniform(n, i, 3, 4) - 0.5) * (shape.length > 1 ? 0.5 : 1),
      ),
  }));
  await writeSafetensors(folder.latest, tensors, checkpointTexts(7, config));
  writeFileSync(folder.config, JSON.stringify(config));
  if (text !== undefined) writeFileSync(folder.network, text);
  return out;
}

export const imageOf = (voxels: number) =>
  Float32Array.from({ length: voxels }, (_, i) => uniform(5, 6, 7, i));

/** Sizes that divide and such that do not. */
export const SIZES: readonly Shape3[] = [
  [8, 8, 8],
  [5, 12, 7],
  [9, 10, 16],
];
