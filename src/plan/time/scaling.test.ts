import { expect, it } from 'vitest';
import { shape } from '../../core/index.ts';
import { assumedSpeeds, CPU_TARGET, costsOf } from '../../machine/index.ts';
import { buildTraining } from '../../nn/index.ts';
import { predictScaling, type Sizes, SplitFinder } from '../index.ts';

const finder = (memoryLimit?: number) =>
  new SplitFinder({
    graph: (sizes: Sizes) =>
      buildTraining({ image: shape({ ...sizes, channel: 1 }), network: { base: 8, levels: 2 } }).graph,
    target: CPU_TARGET,
    costs: costsOf(assumedSpeeds(2)),
    stride: 2,
    tries: 1,
    memoryLimit,
  });
const sizes: Sizes = { batch: 1, depth: 64, height: 64, width: 64 };
const MIB = 2 ** 20;

it('what one rank has no memory for is told for more ranks, beside one rank with enough of it', async () => {
  const all = await predictScaling(finder(), sizes, [1, 8], 64);
  const [alone, shared] = all.strong.map(({ census }) => census.peakBytes);
  expect(shared).toBeLessThan(alone - 8 * MIB);
  // Between what eight ranks take as they are and the least that one can do with.
  const limit = shared + 4 * MIB;
  const limited = await predictScaling(finder(limit), sizes, [1, 8], 64);
  expect(limited.strong).toEqual(all.strong.filter(({ ranks }) => ranks === 8));
  expect(limited.weak).toEqual([]);
  expect(limited.leftOut.map(({ ranks, reason }) => `${ranks}: ${reason}`)).toEqual([
    expect.stringMatching(/^1: does not fit: expected at least \d+MiB, perhaps more, found \d+MiB$/),
    expect.stringMatching(/^1: 64\^3 voxels a rank: does not fit: /),
    expect.stringMatching(/^8: 64\^3 voxels a rank: does not fit: /),
  ]);
});

it('a step on more ranks never takes longer than on fewer: some are left out where all would wait', async () => {
  const ranks = [1, 2, 8, 64, 512];
  const { strong } = await predictScaling(finder(), { batch: 1, depth: 32, height: 32, width: 32 }, ranks, 8);
  expect(strong.map((point) => point.ranks)).toEqual(ranks);
  for (const [i, point] of strong.entries()) {
    expect(point.used).toBeLessThanOrEqual(point.ranks);
    expect(point.seconds).toBeLessThanOrEqual(point.secondsOfAll);
    if (i > 0) expect(point.seconds).toBeLessThanOrEqual(strong[i - 1].seconds);
    expect(point.efficiency).toBeCloseTo(strong[0].seconds / (point.ranks * point.seconds), 12);
  }
  const last = strong[strong.length - 1];
  expect(last.used).toBeLessThan(512);
  expect(last.secondsOfAll).toBeGreaterThan(last.seconds);
});

it('memory for the parts of ranks that were not planned counts against the limit', () => {
  const parts = { batch: 1, depth: 32, height: 1, width: 1 };
  const sizes = { batch: 1, depth: 128, height: 8, width: 8 };
  const free = finder().forecast(sizes, parts).census.peakBytes;
  const tight = free - MIB / 2;
  const found = finder(tight).attempt(sizes, parts);
  if ('reason' in found) expect(found.reason).toMatch(/does not fit/);
  else expect(found.census.peakBytes).toBeLessThanOrEqual(tight);
});
