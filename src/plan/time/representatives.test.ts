import { expect, it } from 'vitest';
import { type Graph, mesh, shape } from '../../core/index.ts';
import { assumedSpeeds, CPU_TARGET, costsOf } from '../../machine/index.ts';
import { buildTraining } from '../../nn/index.ts';
import {
  makePlan,
  type Parts,
  predictPeak,
  predictTime,
  Representatives,
  rankCount,
  type Sizes,
} from '../index.ts';

const graph = ({ batch, depth, height, width }: Sizes): Graph =>
  buildTraining({
    image: shape({ batch, depth, height, width, channel: 1 }),
    network: { base: 4, levels: 3 },
  }).graph;

const one: Parts = { batch: 1, depth: 1, height: 1, width: 1 };
const representatives = new Representatives({ graph, target: CPU_TARGET });

it.each<[Partial<Sizes>, Partial<Parts>]>([
  [{ depth: 64 }, { depth: 4 }],
  [{ depth: 96 }, { depth: 6 }],
  [
    { depth: 80, width: 32 },
    { depth: 5, width: 2 },
  ],
  [{ batch: 6 }, { batch: 6, depth: 2 }],
])('counts as the whole plan does: %j over %j', (size, split) => {
  const sizes = { batch: 1, depth: 8, height: 8, width: 8, ...size };
  const parts = { ...one, ...split };
  const few = representatives.split(sizes, parts);
  const layout = Object.fromEntries(Object.keys(split).map((dim) => [dim, dim]));
  // One rank a process: so collectives stand where they do when they go on beside kernels, and have memory for messages.
  const processRanks = Array.from({ length: rankCount(parts) }, (_, rank) => [rank]);
  const options = { processRanks, thorough: false };
  const whole = makePlan(graph(sizes), mesh(split as Record<string, number>), layout, CPU_TARGET, options);
  expect(few.plan.program.mesh.size).toBeLessThanOrEqual(whole.program.mesh.size);
  expect(few.census.bytesSent).toEqual(whole.bytesSent);
  expect(few.census.flops).toBe(whole.flops.reduce((a, b) => a + b, 0));
  expect(few.census.ranks).toBe(whole.program.mesh.size);
  expect(few.census.peakBytes / predictPeak(whole, 0)).toBeCloseTo(1, 9);
  const speeds = costsOf(assumedSpeeds(2));
  expect(few.time(speeds).seconds).toBeCloseTo(predictTime(whole, speeds).seconds, 9);
  expect(few.time(speeds, { overlap: true }).seconds).toBeCloseTo(
    predictTime(whole, speeds, { overlap: true }).seconds,
    9,
  );
});
