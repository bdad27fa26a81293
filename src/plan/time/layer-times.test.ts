import { expect, it } from 'vitest';
import { mesh, shape } from '../../core/index.ts';
import { CPU_TARGET } from '../../machine/index.ts';
import { buildTraining } from '../../nn/index.ts';
import { makePlan } from '../plan.ts';
import { layerTimes } from './layer-times.ts';
import { predictTime } from './predict-time.ts';

const graph = buildTraining({
  image: shape({ batch: 1, depth: 16, height: 16, width: 16, channel: 1 }),
  network: { base: 4, levels: 2 },
}).graph;

it('are the seconds of all kernels, layer by layer in the order of the step', () => {
  const plan = makePlan(graph, mesh({ depth: 1 }), { depth: 'depth' }, CPU_TARGET);
  const times = layerTimes(plan);
  expect(new Set(times.map(({ layer }) => layer)).size).toBe(times.length);
  const first = times.findIndex(({ layer }) => layer === 'down0/conv0');
  expect(times.findIndex(({ layer }) => layer === 'up0/conv0')).toBeGreaterThan(first);
  const [{ kernels }] = predictTime(plan, CPU_TARGET.costs).ranks;
  const all = times.reduce((sum, { seconds }) => sum + seconds, 0);
  expect(all / kernels).toBeCloseTo(1, 9);
});

it('are those of the rank with most of a layer', () => {
  const plan = makePlan(graph, mesh({ depth: 3 }), { depth: 'depth' }, CPU_TARGET);
  const { ranks } = predictTime(plan, CPU_TARGET.costs);
  const all = layerTimes(plan).reduce((sum, { seconds }) => sum + seconds, 0);
  for (const { kernels } of ranks) expect(all).toBeGreaterThanOrEqual(kernels * (1 - 1e-9));
});
