import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Graph, type Layout, mesh, shape, type Value } from '../../src/core/index.ts';
import { cpuDevice, type Device, referenceDevice } from '../../src/machine/index.ts';
import { concat, gradients, inputOf, mul, OPS, reduceSum, windows } from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';
import { spread } from './sample.ts';

// Convolutions by Winograd's filtering, wherever it is possible: equal to the reference device within 1e-5 by norms, and bit for
// bit the same on every mesh, also where blocks begin at odd coordinates or hold one voxel.

const SMALL = { batch: 2, depth: 7, height: 3, width: 5 };
/** Large enough for cells of sums that Winograd's weight gradient can use. */
const LARGE = { batch: 2, depth: 9, height: 8, width: 11 };
/** Pictures, whose windows leave the depth alone. */
const PLANE = { batch: 2, depth: 1, height: 7, width: 9 };

/** Two convolutions, the first of a concat; gradients of a projection of the result. */
function layers(size: typeof SMALL, parts: readonly number[], middle: number, last: number) {
  const graph = new Graph();
  const feeds: Record<string, Float64Array> = {};
  const input = (name: string, sizes: Readonly<Record<string, number>>) => {
    const dims = shape(sizes);
    const count = dims.reduce((n, dim) => n * dim.size, 1);
    feeds[name] = Float64Array.from(spread(count, -1, 1, 1 + Object.keys(feeds).length), Math.fround);
    return inputOf(graph, name, dims);
  };
  const plane = size.depth === 1;
  const kernel = { ...(!plane && { kd: 3 }), kh: 3, kw: 3 };
  const window = windows({ ...(!plane && { depth: 3 }), height: 3, width: 3 }, { padding: 'same' });
  const from = parts.reduce((a, b) => a + b, 0);
  const images = parts.map((channel, i) => input(`image ${i}`, { ...size, channel }));
  const first = input('first', { ...kernel, channel: from, middle });
  const second = input('second', { ...kernel, middle, last });
  const x = images.length > 1 ? concat(images, 'channel') : images[0];
  const conv = (image: Value, weight: Value): Value => graph.add(OPS.conv, { window }, [image, weight])[0];
  const y = conv(conv(x, first), second);
  const loss = reduceSum(mul(y, input('weights', { ...size, last })), [...Object.keys(size), 'last'], 'f64');
  const wrt = [...images, first, second];
  graph.output('y', y);
  gradients(loss, wrt).forEach((gradient, i) => {
    graph.output(`gradient ${i}`, gradient!);
  });
  return { graph, feeds };
}

type Results = Readonly<Record<string, Float64Array>>;

async function run(
  { graph, feeds }: ReturnType<typeof layers>,
  device: Device,
  parts: Readonly<Record<string, number>> = {},
): Promise<Results> {
  const layout: Layout = Object.fromEntries(Object.keys(parts).map((dim) => [dim, dim]));
  const session = new Session({ device, mesh: mesh(parts), layout });
  const program = await session.load(graph);
  const found = await program.run(feeds);
  program.free();
  return Object.fromEntries(Object.entries(found).map(([name, data]) => [name, Float64Array.from(data)]));
}

const norm = (data: Float64Array): number => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));

const MESHES: readonly Readonly<Record<string, number>>[] = [
  { depth: 2 },
  { depth: 3 },
  { depth: 7 },
  { width: 2 },
  { height: 3 },
  { depth: 3, height: 2, width: 2 },
  { batch: 2, depth: 3 },
];
const OF_PLANE: typeof MESHES = [
  { width: 2 },
  { height: 3 },
  { height: 7 },
  { height: 3, width: 2 },
  { batch: 2, width: 5 },
];

describe.each([
  ['1 -> 3 -> 8 channels', SMALL, [1], 3, 8],
  ['16 + 1 -> 8 -> 2 channels with its weight gradient', LARGE, [16, 1], 8, 2],
  ['16 -> 16 -> 24 channels', SMALL, [16], 16, 24],
  ['16 + 16 + 8 -> 16 -> 16 channels', SMALL, [16, 16, 8], 16, 16],
  ['48 -> 17 -> 2 channels', SMALL, [48], 17, 2],
  ['3 -> 16 -> 17 channels of pictures', PLANE, [3], 16, 17],
  ['16 + 8 -> 17 -> 3 channels of pictures', PLANE, [16, 8], 17, 3],
] as const)('Winograd, %s', (_, size, parts, middle, last) => {
  const made = layers(size, parts, middle, last);
  let one: Results;
  beforeAll(async () => {
    vi.stubEnv('HALOMESH_CONV', 'winograd');
    one = await run(made, cpuDevice());
  });
  afterAll(() => {
    vi.unstubAllEnvs();
  });

  it('equals the reference', async () => {
    const exact = await run(made, referenceDevice());
    for (const [name, data] of Object.entries(exact))
      expect(norm(data.map((x, i) => x - one[name][i])) / norm(data), name).toBeLessThan(1e-5);
  });

  it('rounds otherwise than the direct sum', async () => {
    expect(await run(made, cpuDevice({ exactConv: 'direct' }))).not.toEqual(one);
  });

  it.each(size === PLANE ? OF_PLANE : MESHES)('has the same bits on mesh %j', async (mesh) => {
    expect(await run(made, cpuDevice(), mesh)).toEqual(one);
  });
});

it('refuses an unknown way to compute convolutions', () => {
  vi.stubEnv('HALOMESH_CONV', 'fft');
  expect(() => cpuDevice()).toThrow(/HALOMESH_CONV.*unknown way to compute convolutions/s);
  vi.unstubAllEnvs();
});
