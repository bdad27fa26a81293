import { describe, expect, it } from 'vitest';
import { type Layout, mesh, shape, uniform } from '../../src/core/index.ts';
import { cpuDevice, type Device, referenceDevice } from '../../src/machine/index.ts';
import {
  Context,
  deepLoss,
  isPlainUNet,
  type NetworkSettings,
  networkConfig,
  networkLevels,
} from '../../src/nn/index.ts';
import { gradients, inputOf } from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';

// A whole U-Net, its loss and every gradient, on meshes of one to eight ranks and sizes that do not divide: equal to one rank
// within 1e-12 on the reference device, and exactly, bit for bit, in float32 on the CPU device.

const SIZE = { batch: 2, depth: 7, height: 6, width: 9, channel: 1 };

/** Scores and losses at lower resolutions, where `deep`. */
type Settings = NetworkSettings & { readonly deep?: boolean };

function network({ deep = false, ...settings }: Settings, storage: 'f32' | 'bf16' = 'f32') {
  const ctx = new Context({ seed: 5, training: true, storage });
  const whole = isPlainUNet(settings) ? settings : { base: 2, levels: 3, keep: 0.8, ...settings };
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

type Results = Readonly<Record<string, Float64Array>>;

async function run(
  graph: ReturnType<typeof network>,
  device: Device,
  axes: Record<string, number>,
  layout: Layout,
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
function distance(found: Results, expected: Results): number {
  return Math.max(
    ...Object.entries(expected).map(
      ([name, data]) => norm(data.map((x, i) => x - found[name][i])) / Math.max(norm(data), 1e-2),
    ),
  );
}

const MESHES: readonly [Record<string, number>, Layout][] = [
  [{ a: 2 }, { depth: 'a' }],
  [{ a: 3 }, { width: 'a' }],
  [
    { a: 2, b: 2 },
    { height: 'a', width: 'b' },
  ],
  [
    { a: 2, b: 2, c: 2 },
    { depth: 'a', height: 'b', width: 'c' },
  ],
  [
    { a: 2, b: 3 },
    { batch: 'a', depth: 'b' },
  ],
  [
    { a: 2, b: 2 },
    { channel: 'a', depth: 'b' },
  ],
  [{ a: 5 }, { depth: 'a' }],
];

const cube = { depth: 3, height: 3, width: 3 };
const once = { depth: 1, height: 1, width: 1 };
/** Windows and strides that differ along the axes and from stage to stage. */
const plain: NetworkSettings = {
  ...{ kind: 'plain', classes: 3, slope: 0.01, epsilon: 1e-5, scale: 1.5, shift: -0.25 },
  stages: [
    { filters: 2, kernel: { ...cube, depth: 1 }, stride: once, down: 1, up: 2 },
    { filters: 3, kernel: cube, stride: { depth: 1, height: 2, width: 2 }, down: 2, up: 1 },
    { filters: 4, kernel: cube, stride: { depth: 2, height: 2, width: 3 }, down: 1, up: 0 },
  ],
};

describe.each<[string, Settings]>([
  ['batch norm', {}],
  ['instance norm', { norm: 'instance' }],
  ['group norm', { norm: 'group', groups: 2, base: 4, levels: 2 }],
  ['deep supervision', { deep: true, levels: 3, keep: 1 }],
  ['strided convolutions', { ...plain, deep: true }],
])('U-Net with %s', (_, settings) => {
  const graph = network(settings);
  const whole = run(graph, referenceDevice(), {}, {});

  it('on the CPU device equals the reference', async () => {
    expect(distance(await run(graph, cpuDevice(), {}, {}), await whole)).toBeLessThan(1e-4);
  });

  it.each(MESHES)(
    'on mesh %j with layout %j equals one rank on the reference device',
    async (axes, layout) => {
      expect(distance(await run(graph, referenceDevice(), axes, layout), await whole)).toBeLessThan(1e-12);
    },
  );

  it.each(MESHES)('on mesh %j with layout %j equals one rank on the CPU device', async (axes, layout) => {
    const one = await run(graph, cpuDevice(), {}, {});
    const apart = distance(await run(graph, cpuDevice(), axes, layout), one);
    // Split in space and batch every sum is taken in the same order; other channel counts take other kernels.
    if (layout.channel === undefined) expect(apart).toBe(0);
    else expect(apart).toBeLessThan(5e-5);
  });
});

it('with bfloat16 storage stays near float32', async () => {
  const f32 = await run(network({ keep: 1 }), cpuDevice(), {}, {});
  const bf16 = await run(network({ keep: 1 }, 'bf16'), cpuDevice(), { a: 2 }, { depth: 'a' });
  expect(Math.abs(bf16.loss[0] - f32.loss[0]) / f32.loss[0]).toBeLessThan(0.02);
});
