import { expect, it } from 'vitest';
import { mesh, shape } from '../../core/index.ts';
import { assumedSpeeds, CPU_TARGET, costsOf } from '../../machine/index.ts';
import { buildTraining } from '../../nn/index.ts';
import { explainPlan, formatPlan, predictPeak } from '../explain.ts';
import type { Placement } from '../memory/memory.ts';
import type { Scheduled } from '../memory/schedule.ts';
import { makePlan } from '../plan.ts';
import { printProgram } from '../program.ts';
import { chooseSplit } from './choose-split.ts';
import { predictTime } from './predict-time.ts';
import type { Sizes } from './representatives.ts';

const graph = ({ batch, depth, height, width }: Sizes) =>
  buildTraining({
    image: shape({ batch, depth, height, width, channel: 1 }),
    network: { base: 8, levels: 2 },
  }).graph;
const sizes = { batch: 1, depth: 24, height: 48, width: 48 };
const options = { graph, sizes, stride: 2, target: CPU_TARGET, costs: () => costsOf(assumedSpeeds(2)) };
const stepText = ({ step, again }: Scheduled): string =>
  `${again} ${step.kind === 'move' ? `${step.action} ${step.buffer.id}` : step.writes.map(({ id }) => id).join(' ')}`;
const placesText = (places: readonly Placement[]): string =>
  places.map(({ offsets, from, to }) => `${offsets.join(' ')} ${from} ${to}`).join(';');
const alone = (ranks: number) => Array.from({ length: ranks }, (_, rank) => [rank]);
const planOf = (parts: Readonly<Record<string, number>>, memoryLimit?: number, ranks = 4) => {
  const layout = Object.fromEntries(Object.keys(parts).map((dim) => [dim, dim]));
  return makePlan(graph(sizes), mesh(parts), layout, CPU_TARGET, { processRanks: alone(ranks), memoryLimit });
};

it('takes the split of least predicted time, of exactly as many ranks as there are', () => {
  const { parts, text } = chooseSplit({ ...options, ranks: 4 });
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

it('keeps within a memory limit, and says what it takes where nothing does', () => {
  const free = chooseSplit({ ...options, ranks: 4 });
  const peak = predictPeak(planOf(free.parts));
  const limit = peak - 2 ** 20;
  const { parts } = chooseSplit({ ...options, ranks: 4, memoryLimit: limit });
  expect(predictPeak(planOf(parts, limit))).toBeLessThanOrEqual(limit);
  expect(() => chooseSplit({ ...options, ranks: 4, memoryLimit: 2 ** 27 })).toThrow(
    /--split auto: does not fit: expected at least .*, found 128MiB/,
  );
});

it('leaves one rank whole, and refuses more ranks than there are blocks', () => {
  expect(chooseSplit({ ...options, ranks: 1 }).parts).toEqual({});
  expect(() => chooseSplit({ ...options, ranks: 4099 })).toThrow('no split of 4099');
});

it('hands on the plan of the split where it is one of all ranks, as it is made for them', () => {
  for (const memoryLimit of [undefined, 160 * 2 ** 20]) {
    const { parts, plan } = chooseSplit({ ...options, ranks: 3, memoryLimit });
    const made = planOf(parts, memoryLimit, 3);
    expect(printProgram(plan!.program)).toBe(printProgram(made.program));
    expect(formatPlan(explainPlan(plan!))).toBe(formatPlan(explainPlan(made)));
    expect(plan!.memory.list.map(stepText)).toEqual(made.memory.list.map(stepText));
    expect([...plan!.memory.placements.values()].map(placesText)).toEqual(
      [...made.memory.placements.values()].map(placesText),
    );
  }
  // One inner rank of eight stands for six: no plan of theirs was made.
  expect(
    chooseSplit({ ...options, sizes: { ...sizes, depth: 256, height: 2, width: 2 }, ranks: 8 }).plan,
  ).toBe(undefined);
});
