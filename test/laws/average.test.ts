import { expect, it } from 'vitest';
import { type Layout, mesh, shape, uniform } from '../../src/core/index.ts';
import { cpuDevice } from '../../src/machine/index.ts';
import { averageName, buildPrediction, buildTraining } from '../../src/nn/index.ts';
import { Session } from '../../src/run/index.ts';

// Running averages of the weights: kept by the training step as their formula says, the same on any mesh, and what a
// prediction graph that asks for them reads.

const SIZE = { batch: 1, depth: 6, height: 5, width: 4, channel: 1 };
const VOXELS = SIZE.depth * SIZE.height * SIZE.width;
const DECAY = 0.2;
const NETWORK = { base: 2, levels: 2, classes: 2, keep: 1 } as const;
const WEIGHT = 'down1/conv0/weight';

const image = Float32Array.from({ length: VOXELS }, (_, i) => uniform(1, 2, 3, i));
const labels = Uint8Array.from(image, (x) => (x > 0.6 ? 1 : 0));

async function trained(axes: Record<string, number>, layout: Layout) {
  const session = new Session({ device: cpuDevice(), mesh: mesh(axes), layout, seed: 9 });
  const common = { image: shape(SIZE), network: NETWORK, seed: 4 };
  const program = await session.load(
    buildTraining({ ...common, average: DECAY, optimizer: { kind: 'sgd', momentum: 0.9 } }).graph,
  );
  const weights: Float64Array[] = [];
  for (let step = 0; step < 4; step++) {
    const feeds = { image, labels, step: Int32Array.of(step), learning_rate: Float64Array.of(0.5) };
    await program.run(feeds, []);
    weights.push(Float64Array.from(await session.variables.get(WEIGHT)));
  }
  const average = Float64Array.from(await session.variables.get(averageName(WEIGHT)));
  const scores = async (averaged: boolean): Promise<Float64Array> => {
    const other = await session.load(buildPrediction({ ...common, averaged, probabilities: true }).graph);
    const { probabilities } = await other.run({ image }, ['probabilities']);
    other.free();
    return Float64Array.from(probabilities);
  };
  const [plain, smooth] = [await scores(false), await scores(true)];
  for (const name of session.variables.names())
    if (session.variables.types.get(name)!.trainable)
      session.variables.set(name, await session.variables.get(averageName(name)));
  const copied = await scores(false);
  program.free();
  return { weights, average, plain, smooth, copied };
}

it('follow their formula, and the prediction that asks for them sees them', async () => {
  const { weights, average, plain, smooth, copied } = await trained({}, {});
  const expected = weights.reduce((old, weight, t) => {
    const kept = Math.min(DECAY, t / (t + 9));
    return weight.map((w, i) => kept * (old[i] ?? 0) + (1 - kept) * w);
  }, new Float64Array(0));
  average.forEach((x, i) => {
    expect(x).toBeCloseTo(expected[i], 6);
  });
  expect(smooth).not.toEqual(plain);
  expect(smooth).toEqual(copied);
});

it.each<[Record<string, number>, Layout]>([
  [{ a: 2 }, { depth: 'a' }],
  [
    { a: 2, b: 3 },
    { height: 'a', depth: 'b' },
  ],
  [
    { a: 2, b: 2 },
    { channel: 'a', width: 'b' },
  ],
])('are the same on mesh %j with layout %j', async (axes, layout) => {
  const one = await trained({}, {});
  const many = await trained(axes, layout);
  many.average.forEach((x, i) => {
    expect(Math.abs(x - one.average[i])).toBeLessThan(layout.channel === undefined ? 1e-7 : 1e-4);
  });
});
