import { describe, expect, it } from 'vitest';
import { shape } from '../../core/index.ts';
import { mesh } from '../../core/mesh.ts';
import { referenceDevice } from '../../machine/index.ts';
import { Session } from '../../run/index.ts';
import { initial } from '../../run/variables.ts';
import { buildTraining, type TrainingOptions } from '../build.ts';
import { fits } from './chosen-weights.ts';
import { firstWeights } from './first-weights.ts';

const size = { depth: 4, height: 5, width: 6 };
const voxels = 120;
const options = (batch: number, more: Partial<TrainingOptions> = {}): TrainingOptions => ({
  image: shape({ batch, ...size, channel: 1 }),
  network: { base: 2, levels: 2, classes: 3, norm: 'instance', keep: 1 },
  optimizer: { kind: 'adam', weightDecay: 0.01, clipNorm: 0.5 },
  average: 0.9,
  // Means over cases.
  loss: { terms: ['ce', 'case-dice'], weights: [1, 2, 3], dice: [1, 2], mix: 0.5, epsilon: 0.1 },
  ...more,
});
const images = Float32Array.from({ length: 6 * voxels }, (_, i) => Math.sin(i * i));
const labels = Uint8Array.from({ length: 6 * voxels }, (_, i) => (i * 7) % 3);
const of = (n: number, count: number) => ({
  image: images.subarray(n * voxels, (n + count) * voxels),
  labels: labels.subarray(n * voxels, (n + count) * voxels),
});
const rate = Float64Array.of(0.01);

async function weightsAfter(
  run: (session: Session) => Promise<void>,
  parts = 1,
): Promise<Record<string, number[]>> {
  const placed = parts === 1 ? {} : { mesh: mesh({ a: parts }), layout: { depth: 'a' } };
  const session = new Session({ device: referenceDevice(), seed: 3, ...placed });
  await run(session);
  const found: Record<string, number[]> = {};
  for (const name of session.variables.names())
    if (!name.endsWith('/gathered')) found[name] = [...(await session.variables.get(name))];
  session.close();
  return found;
}

const far = (a: Record<string, number[]>, b: Record<string, number[]>): number =>
  Math.max(...Object.entries(a).flatMap(([name, data]) => data.map((x, i) => Math.abs(x - b[name][i]))));

/** Two steps of three batches of one case, over so many ranks. */
const accumulated = (parts: number) =>
  weightsAfter(async (session) => {
    const graph = (part: 'gather' | 'apply') =>
      buildTraining(options(1, { accumulation: { batches: 3, part } })).graph;
    const [gather, apply] = [await session.load(graph('gather')), await session.load(graph('apply'))];
    for (const step of [0, 1])
      for (let n = 0; n < 3; n++) {
        const pass = Int32Array.of(3 * step + n);
        const feeds = { ...of(3 * step + n, 1), pass };
        if (n < 2) await gather.run({ ...feeds, first: Float32Array.of(n === 0 ? 1 : 0) });
        else await apply.run({ ...feeds, step: Int32Array.of(step), learning_rate: rate });
      }
  }, parts);

describe('a step of several batches', () => {
  it('is that of one batch of all their cases, on every mesh', async () => {
    const whole = await weightsAfter(async (session) => {
      const program = await session.load(buildTraining(options(3)).graph);
      for (const step of [0, 1])
        await program.run({ ...of(3 * step, 3), step: Int32Array.of(step), learning_rate: rate });
    });
    const found = await accumulated(1);
    expect(Object.keys(found).sort()).toEqual(Object.keys(whole).sort());
    expect(far(whole, found)).toBeLessThan(1e-9);
    expect(far(found, await accumulated(2))).toBeLessThan(1e-9);
  });
});

describe('weights that are chosen by patterns', () => {
  it('stay as they are, or move by their own rate', async () => {
    const after = (steps: number, more: Partial<TrainingOptions>) =>
      weightsAfter(async (session) => {
        const program = await session.load(
          buildTraining(options(1, { optimizer: { kind: 'sgd' }, ...more })).graph,
        );
        session.variables.ready();
        for (let step = 0; step < steps; step++)
          await program.run({ ...of(0, 1), step: Int32Array.of(step), learning_rate: rate });
      });
    const before = await after(0, {});
    const plain = await after(1, {});
    const chosen = await after(1, { freeze: ['down0'], rates: { 'up*': 0.5, 'up0/conv0': 2 } });
    const moved = (now: Record<string, number[]>, name: string): number[] =>
      now[name].map((x, i) => x - before[name][i]);
    const weights = Object.keys(before).filter((name) => /(weight|bias)$/.test(name));
    expect(weights.some((name) => name.startsWith('up0/conv0'))).toBe(true);
    for (const name of weights) {
      const factor = name.startsWith('down0/')
        ? 0
        : name.startsWith('up0/conv0/')
          ? 2
          : name.startsWith('up')
            ? 0.5
            : 1;
      const [all, some] = [moved(plain, name), moved(chosen, name)];
      for (const [i, by] of all.entries()) expect(some[i]).toBeCloseTo(factor * by, 12);
      // The averages of frozen weights are the weights, which is what is validated.
      expect(chosen[`${name}/ema`]).toEqual(chosen[name]);
    }
  });

  it('are refused where they choose nothing, or all', () => {
    const build = (more: Partial<TrainingOptions>) => () => buildTraining(options(1, more));
    expect(build({ freeze: ['dwon0'] })).toThrow(
      'frozen layers: a pattern that fits no weight; expected paths such as',
    );
    expect(build({ rates: { 'x*': 1 } })).toThrow('rates of layers: a pattern that fits no weight');
    expect(build({ freeze: ['*'] })).toThrow('no weight is left to train');
  });

  it.each([
    ['down0', 'down0/conv0/weight', true],
    ['down0', 'down01/conv0/weight', false],
    ['down*/conv0', 'down1/conv0/bias', true],
    ['*bias', 'a.b/bias', true],
    ['a.b', 'axb/bias', false],
  ])('%s fits %s: %s', (pattern, path, expected) => {
    expect(fits(pattern, path)).toBe(expected);
  });
});

describe('first weights', () => {
  it.each([
    ['he-normal', 2 / (1.01 * 50), Number.POSITIVE_INFINITY],
    ['he-truncated', 2 / (1.01 * 50), 2 / 0.8796256610342398],
    ['xavier-normal', 2 / 150, Number.POSITIVE_INFINITY],
    ['xavier-uniform', 2 / 150, Math.sqrt(3)],
  ] as const)(
    'of %s have its variance and bounds, and are the same in every part',
    (kind, variance, bound) => {
      const init = firstWeights(kind, 50, 100, 0.1);
      const attrs = {
        name: 'w',
        shape: shape({ a: 200, b: 100 }),
        dtype: 'f32',
        init,
        trainable: true,
      } as const;
      const box = (from: number, to: number) => [
        { start: from, end: to },
        { start: 0, end: 100 },
      ];
      const all = initial(attrs, 5, box(0, 200));
      const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
      const spread = all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length;
      expect(Math.abs(mean)).toBeLessThan(3 * Math.sqrt(variance / all.length));
      expect(spread / variance).toBeGreaterThan(0.96);
      expect(spread / variance).toBeLessThan(1.04);
      const most = Math.max(...all.map(Math.abs));
      expect(most).toBeLessThanOrEqual(bound * Math.sqrt(variance));
      if (Number.isFinite(bound)) expect(most).toBeGreaterThan(0.95 * bound * Math.sqrt(variance));
      expect([...initial(attrs, 5, box(120, 200))]).toEqual([...all.subarray(12_000)]);
    },
  );
});
