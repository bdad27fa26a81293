import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { mesh, printGraph, showBox } from '../core/index.ts';
import { openDataset, type Shape3, writePhantom } from '../imaging/index.ts';
import { CPU_TARGET } from '../machine/index.ts';
import { makePlan, predictPeak } from '../plan/index.ts';
import { predictionGraph } from './config/model.ts';
import { withSplit } from './config/with-split.ts';
import {
  chooseCases,
  evaluate,
  forecastCases,
  openRun,
  predictFolder,
  resolveConfig,
  train,
} from './index.ts';
import { chooseWay } from './predict/way.ts';

/** Text of everything that is planned: what, where, and which part of it. */
const planned: string[] = [];

vi.mock('../plan/plan.ts', async (load) => {
  const real = await load<typeof import('../plan/plan.ts')>();
  return {
    ...real,
    makePlan: vi.fn((...[graph, place, layout, target, options]: Parameters<typeof makePlan>) => {
      const region = Object.entries(options?.region ?? {}).map(([name, box]) => `${name}${showBox(box)}`);
      planned.push([printGraph(graph), JSON.stringify([place, layout, target.name]), region].join('\n'));
      return real.makePlan(graph, place, layout, target, options);
    }),
  };
});

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-plans-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const data = path.join(folder, 'data');
const config = (out: string, settings: object = {}) =>
  resolveConfig({
    base: 4,
    levels: 2,
    steps: 4,
    checkpointEvery: 2,
    threads: 1,
    data,
    out: path.join(folder, out),
    ...settings,
  });

beforeAll(async () => {
  await writePhantom({ out: data, size: [24, 24, 24], cases: 3 });
  await train(config('run'));
});
beforeEach(() => {
  planned.length = 0;
});

/** All that was planned, each once. */
function plannedOnce(): number {
  expect(planned.length).toBe(new Set(planned).size);
  return planned.length;
}

describe('a training plans each of its programs once', () => {
  it('without a limit', async () => {
    await train(config('plain', { validation: ['phantom_002'] }));
    expect(plannedOnce()).toBe(3);
  });

  it('of patches, with statistics and validation of whole volumes', async () => {
    await train(config('patches', { validation: ['phantom_002'], patch: [16, 16, 16] }));
    expect(plannedOnce()).toBe(3);
  });

  it('cut into the parts that a limit asks for, tried from few to many', async () => {
    await train(config('tight', { memoryLimit: 152 * 2 ** 20 }));
    expect(planned.length).toBeGreaterThan(1);
    plannedOnce();
  });
});

describe('what chooses a split plans each of its programs once', () => {
  const split = { split: 'auto', batch: 1 };

  it('with the step of a training', async () => {
    const dataset = await openDataset(data);
    const chosen = chooseCases(dataset, config('split', split));
    const { plans } = await forecastCases(config('split', split), chosen, 3, { ranks: 2 });
    expect(plans.size).toBe(1);
    expect(plannedOnce()).toBe(3);
  });

  it('with a segmentation by several processes', async () => {
    const shape = [24, 24, 24] as const;
    const graph = (size: Shape3) => predictionGraph(config('run'), 3, size).graph;
    const settings = { shape, batch: 1, graph, hostBytes: 0, ranks: 2 };
    const { config: placed, plan } = await withSplit(config('run', split), settings);
    const way = chooseWay({
      ...{ config: placed, classes: 3, shape, flips: 1, soft: false, hostBytes: 0, plan },
      ...{ processes: { ranks: [[0], [1]], index: 0 }, freeBytes: 2 ** 30 },
    });
    expect(way.plans.get('whole')).toBe(plan);
    expect(plannedOnce()).toBe(3);
  });
});

describe('a prediction plans each of its programs once', () => {
  const predictAll = (output: string, settings: object) =>
    predictFolder({
      ...{ run: path.join(folder, 'run'), input: path.join(data, 'imagesTr'), threads: 1 },
      ...{ output: path.join(folder, output), ...settings },
    });

  it('for all scans of one shape, in one pass, whatever is done with the labels', async () => {
    expect((await predictAll('labels', {})).results).toHaveLength(3);
    expect(plannedOnce()).toBe(1);
    planned.length = 0;
    await predictAll('soft', { probabilities: true, flips: ['width'] });
    expect(plannedOnce()).toBe(1);
  });

  it('of every block of a scan', async () => {
    const { graph } = predictionGraph(config('run'), 3, [48, 48, 48], true);
    const whole = makePlan(graph, mesh({}), {}, CPU_TARGET);
    planned.length = 0;
    // Too little for one pass, and enough for blocks.
    const memoryLimit = predictPeak(whole) - whole.memory.arenaBytes[0] / 4;
    const run = await openRun({ run: path.join(folder, 'run'), threads: 1, memoryLimit });
    const passes: number[] = [];
    await run.segment(
      { image: new Float32Array(48 ** 3), shape: [48, 48, 48] },
      { hostBytes: 0, flips: ['width'], onPass: (done) => passes.push(done) },
    );
    run.free();
    expect(passes.length).toBeGreaterThan(2);
    plannedOnce();
  });

  it('and an evaluation', async () => {
    await evaluate({ run: path.join(folder, 'run'), data });
    expect(plannedOnce()).toBe(1);
  });
});
