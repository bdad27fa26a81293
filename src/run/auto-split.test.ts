import { expect, it } from 'vitest';
import { mesh, shape } from '../core/index.ts';
import { assumedSpeeds, CPU_TARGET, costsOf } from '../machine/index.ts';
import { buildTraining } from '../nn/index.ts';
import { makePlan, predictPeak, predictTime, type Sizes } from '../plan/index.ts';
import { autoSplit } from './auto-split.ts';

const graph = ({ batch, depth, height, width }: Sizes) =>
  buildTraining({
    image: shape({ batch, depth, height, width, channel: 1 }),
    network: { base: 8, levels: 2 },
  }).graph;
const sizes = { batch: 1, depth: 24, height: 48, width: 48 };
const options = { graph, sizes, stride: 2, target: CPU_TARGET, costs: () => costsOf(assumedSpeeds(2)) };
const hosts = (ranks: number) => Array.from({ length: ranks }, (_, rank) => [rank]);
const planOf = (parts: Readonly<Record<string, number>>, memoryLimit?: number) => {
  const layout = Object.fromEntries(Object.keys(parts).map((dim) => [dim, dim]));
  return makePlan(graph(sizes), mesh(parts), layout, CPU_TARGET, { hosts: hosts(4), memoryLimit });
};

it('takes the split of least predicted time, of exactly as many ranks as there are', async () => {
  const { parts, text } = await autoSplit({ ...options, ranks: 4 });
  expect(Object.values(parts).reduce((a, b) => a * b, 1)).toBe(4);
  const seconds = (other: Record<string, number>) =>
    predictTime(planOf(other), costsOf(assumedSpeeds(2)), { overlap: true }).seconds;
  const best = seconds(parts);
  const others: Record<string, number>[] = [
    { depth: 4 },
    { height: 4 },
    { width: 4 },
    { height: 2, width: 2 },
    { depth: 2, height: 2 },
  ];
  for (const other of others) expect(seconds(other)).toBeGreaterThanOrEqual(best * 0.999);
  expect(text).toContain(`${best.toPrecision(3)} s a step predicted`);
});

it('keeps within a memory limit, and says what it takes where nothing does', async () => {
  const free = await autoSplit({ ...options, ranks: 4 });
  const peak = predictPeak(planOf(free.parts));
  const limit = peak - 2 ** 20;
  const { parts } = await autoSplit({ ...options, ranks: 4, memoryLimit: limit });
  expect(predictPeak(planOf(parts, limit))).toBeLessThanOrEqual(limit);
  await expect(autoSplit({ ...options, ranks: 4, memoryLimit: 2 ** 27 })).rejects.toThrow(
    /--split auto: does not fit: expected at least .*, found 128MiB/,
  );
});

it('leaves one rank whole, and refuses more ranks than there are blocks', async () => {
  expect((await autoSplit({ ...options, ranks: 1 })).parts).toEqual({});
  await expect(autoSplit({ ...options, ranks: 4099 })).rejects.toThrow('no split of 4099');
});
