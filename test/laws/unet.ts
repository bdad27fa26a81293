import { expect } from 'vitest';
import { type Layout, mesh, shape, uniform } from '../../src/core/index.ts';
import type { Device } from '../../src/machine/index.ts';
import {
  Context,
  deepLoss,
  isCustom,
  isPlainUNet,
  type NetworkSettings,
  networkConfig,
  networkLevels,
} from '../../src/nn/index.ts';
import { gradients, inputOf } from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';

// A small U-Net with its loss and every gradient, of sizes that do not divide.

const SIZE = { batch: 2, depth: 7, height: 6, width: 9, channel: 1 };

/** Scores and losses at lower resolutions, where `deep`. */
export type Settings = NetworkSettings & { readonly deep?: boolean };

export function network({ deep = false, ...settings }: Settings, storage: 'f32' | 'bf16' = 'f32') {
  const ctx = new Context({ seed: 5, training: true, storage, deep });
  const whole =
    isPlainUNet(settings) || isCustom(settings) ? settings : { base: 2, levels: 3, keep: 0.8, ...settings };
  const image = inputOf(ctx.graph, 'image', shape(SIZE));
  const scores = networkLevels(ctx, image, networkConfig(whole), deep);
  const labels = inputOf(ctx.graph, 'labels', shape(SIZE).slice(0, -1), 'u8');
  void ctx.step;
  const { loss } = deepLoss(scores, labels);
  ctx.graph.output('loss', loss);
  const wrt = ctx.trainable;
  const values = wrt.map((parameter) => parameter.value);
  gradients(loss, values).forEach((gradient, i) => {
    ctx.graph.output(wrt[i].name, gradient!);
  });
  return ctx.graph;
}

export type Results = Readonly<Record<string, Float64Array>>;

/** Loss and gradients on a device over a mesh, whose bytes are those of the plan. */
export async function runNetwork(
  graph: ReturnType<typeof network>,
  device: Device,
  axes: Record<string, number> = {},
  layout: Layout = {},
): Promise<Results> {
  const session = new Session({ device, mesh: mesh(axes), layout, seed: 9 });
  const program = await session.load(graph);
  const voxels = SIZE.batch * SIZE.depth * SIZE.height * SIZE.width;
  const image = Float32Array.from({ length: voxels }, (_, i) => uniform(1, 2, 3, i));
  const labels = Uint8Array.from({ length: voxels }, (_, i) => Math.floor(3 * uniform(4, 5, 6, i)));
  const found = await program.run({ image, labels, step: Int32Array.of(3) });
  const { exchange, allReduce } = program.plan.bytesSent;
  expect(session.traffic.exchangeBytes + session.traffic.allReduceBytes).toBe(exchange + allReduce);
  program.free();
  return Object.fromEntries(Object.entries(found).map(([name, data]) => [name, Float64Array.from(data)]));
}

const norm = (data: Float64Array): number => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));

/** Largest difference over all results, each relative to its norm; results that are zero by symmetry count absolutely. */
export function distance(found: Results, expected: Results): number {
  return Math.max(
    ...Object.entries(expected).map(
      ([name, data]) => norm(data.map((x, i) => x - found[name][i])) / Math.max(norm(data), 1e-2),
    ),
  );
}
