import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { augment } from '../../../test/imaging/augment-fixture.ts';
import { type Box, mesh, range, wholeBox } from '../../core/index.ts';
import { openDataset, type Shape3, type VoxelBox, writePhantom } from '../../imaging/index.ts';
import { alone, CPU_TARGET } from '../../machine/index.ts';
import { makePlan, predictPeak } from '../../plan/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { augmentationOf, imageShape, predictionGraph, prepareOptions } from '../config/model.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { forecast } from '../loop/forecast.ts';
import { train } from '../loop/train.ts';
import type { FlipAxis } from '../predict/flips.ts';
import { openRun } from '../predict/open-run.ts';
import { readLog } from '../record/log.ts';
import { CaseReader } from './case-reader.ts';
import { drawSlices } from './slice-order.ts';
import { SliceSamples, sliceHolders } from './slice-samples.ts';
import { readSlices } from './slices.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-slices-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SHAPE: Shape3 = [14, 13, 12];
const data = path.join(folder, 'data');
beforeAll(() => writePhantom({ out: data, size: SHAPE, cases: 2 }));

let runs = 0;

function config(settings: object = {}): TrainConfig {
  return resolveConfig({
    ...{ data, out: path.join(folder, `run${runs++}`), threads: 1 },
    ...{ slices: 3, base: 4, levels: 3, dropoutKeep: 0.9, batch: 5, steps: 5, checkpointEvery: 4 },
    ...settings,
  });
}

const linesOf = (run: TrainConfig) => readLog(path.join(run.out, 'log.jsonl'));
const losses = async (run: TrainConfig): Promise<number[]> =>
  (await linesOf(run)).flatMap((line) => (line.kind === 'warning' ? [] : [line.loss]));

describe('slices with their neighbours', () => {
  const depth = 5;
  /** A voxel of slice k, row j, column i holds 100 k + 10 j + i. */
  const image = async ({ start, end }: VoxelBox) => {
    const numbers: number[] = [];
    for (let k = start[0]; k < end[0]; k++)
      for (let j = start[1]; j < end[1]; j++)
        for (let i = start[2]; i < end[2]; i++) numbers.push(100 * k + 10 * j + i);
    return Float32Array.from(numbers);
  };

  it.each([1, 3, 5, 13])('are %i slices about each, the outermost ones repeated', async (adjacent) => {
    const box: VoxelBox = { start: [0, 1, 2], end: [5, 3, 5] };
    const got = await readSlices(image, depth, adjacent, box);
    let at = 0;
    for (let k = 0; k < 5; k++)
      for (let j = 1; j < 3; j++)
        for (let i = 2; i < 5; i++)
          for (let c = 0; c < adjacent; c++) {
            const neighbour = Math.min(Math.max(k + c - (adjacent - 1) / 2, 0), depth - 1);
            expect(got[at++]).toBe(100 * neighbour + 10 * j + i);
          }
    expect(at).toBe(got.length);
  });

  it('are read box by box and channel by channel', async () => {
    const box: VoxelBox = { start: [3, 0, 0], end: [5, 1, 1] };
    expect([...(await readSlices(image, depth, 3, box))]).toEqual([200, 300, 400, 300, 400, 400]);
    expect([...(await readSlices(image, depth, 3, box, range(2, 3)))]).toEqual([400, 400]);
    expect([...(await readSlices(image, depth, 3, box, range(0, 2)))]).toEqual([200, 300, 300, 400]);
    expect(await readSlices(image, depth, 3, { start: [5, 0, 0], end: [5, 1, 1] })).toHaveLength(0);
  });
});

describe('the slices of a step', () => {
  const draw = (visits: number, holders?: number[][]) =>
    drawSlices(7, { step: visits, caseIndex: 1, visits }, { depth: 10, holders }, 4);

  it('come equally often, in another order in each pass', () => {
    const drawn = Array.from({ length: 10 }, (_, visit) => draw(visit)).flat();
    const passes = [0, 1, 2, 3].map((pass) => drawn.slice(pass * 10, pass * 10 + 10));
    const all = Array.from({ length: 10 }, (_, k) => k);
    for (const pass of passes) expect([...pass].sort((a, b) => a - b)).toEqual(all);
    expect(new Set(passes.map(String)).size).toBe(4);
    expect(drawSlices(8, { step: 0, caseIndex: 1, visits: 0 }, { depth: 10 }, 4)).not.toEqual(draw(0));
  });

  it('balanced, hold a class above 0 at every second place', () => {
    const holders = [[2, 3, 4, 5, 6], [9]];
    const drawn = Array.from({ length: 100 }, (_, visit) => draw(visit, holders));
    const odd = drawn.flatMap((slices) => slices.filter((_, i) => i % 2 === 1));
    expect(odd.every((slice) => holders.flat().includes(slice))).toBe(true);
    const rare = odd.filter((slice) => slice === 9).length;
    expect(rare).toBeGreaterThan(70);
    expect(rare).toBeLessThan(130);
    const even = drawn.flatMap((slices) => slices.filter((_, i) => i % 2 === 0));
    for (let k = 0; k < 10; k++) expect(even.filter((slice) => slice === k)).toHaveLength(20);
  });
});

describe('SliceSamples', () => {
  it.each(['none', 'strong', 'paper'])('are cut out of the changed volume: %s', async (augmentation) => {
    const settings = config({ augmentation, batch: 4, sampling: 'balanced' });
    const { cases } = await openDataset(data);
    const reader = new CaseReader(prepareOptions(settings), 1, alone(1));
    const entry = cases[1];
    const batch = await new SliceSamples(settings, 3, cases, reader).batch(6, [1], 3);
    expect(batch).toMatchObject({ ids: [entry.id], size: [1, 13, 12], volume: SHAPE });
    const [image, labels] = [batch.image, batch.labels] as { read(box: Box): Promise<Float32Array> }[];
    const all = wholeBox(imageShape(settings, [1, 13, 12], 4));
    const given = await image.read(all);
    const truth = await labels.read(all.slice(0, 4));
    const { image: whole, labels: wholeLabels } = (await reader.whole(entry))!;
    const plane = 13 * 12;
    for (const [i, k] of batch.slices!.entries()) {
      const key = { seed: 0, caseIndex: 1, step: 6 * 4 + i };
      const sample = { image: whole, labels: wholeLabels, shape: SHAPE };
      const changed = await augment(sample, augmentationOf(settings), key);
      for (let at = 0; at < plane; at++) {
        expect(truth[i * plane + at]).toBe(changed.labels![k * plane + at]);
        for (let c = 0; c < 3; c++) {
          const neighbour = Math.min(Math.max(k + c - 1, 0), 13);
          expect(given[(i * plane + at) * 3 + c]).toBe(changed.image[neighbour * plane + at]);
        }
      }
    }
    const holders = await sliceHolders(await reader.source(entry));
    for (const k of [batch.slices![1], batch.slices![3]]) expect(holders.flat()).toContain(k);
  });
});

describe('2-D training', () => {
  const held = { validation: ['phantom_001'], steps: 4, augmentation: 'paper' };
  const one = config(held);
  beforeAll(() => train(one));

  it.each([{ height: 2 }, { batch: 2 }, { height: 2, width: 2 }, { batch: 3, width: 2 }])(
    'gives the losses and the validation of one rank over %j',
    async (split) => {
      const many = config({ ...held, split });
      await train(many);
      const expected = await losses(one);
      expect(expected).toHaveLength(5);
      for (const [i, loss] of (await losses(many)).entries())
        expect(Math.abs(loss / expected[i] - 1)).toBeLessThan(1e-5);
    },
  );

  it.each([
    {},
    { sampling: 'balanced', ema: 0.9, precision: 'bf16', deepSupervision: true, norm: 'instance' },
  ])('continues bit for bit: %j', async (settings) => {
    const whole = config({ validation: ['phantom_001'], ...settings });
    await train(whole);
    const parts = config({ validation: ['phantom_001'], ...settings });
    const stop = new AbortController();
    const first = await train(parts, {
      signal: stop.signal,
      onEvent: (event) => void (event.kind === 'step' && event.step === 2 && stop.abort()),
    });
    expect(first).toMatchObject({ interrupted: true, step: 2 });
    await train(parts, { resume: true });
    expect(await losses(parts)).toEqual(await losses(whole));
    const weights = (run: TrainConfig): string =>
      readFileSync(path.join(run.out, 'checkpoints/latest.safetensors'), 'latin1')
        .replaceAll(run.out, '')
        .replace(/"header_crc32":"\w+"/, '');
    expect(weights(parts)).toBe(weights(whole));
    await expect(train({ ...parts, slices: 5, steps: 9 }, { resume: true })).rejects.toThrow('"slices"');
  });

  it('is judged scan by scan', async () => {
    const lines = await linesOf(one);
    expect(lines.filter(({ kind }) => kind === 'step')[0]).toMatchObject({ cases: ['phantom_000'] });
    const [validation] = lines.filter((line) => line.kind === 'validation');
    const report = await evaluate({ run: one.out });
    const [second] = report.prepared.cases;
    expect(report.prepared.cases.map(({ id }) => id)).toEqual(['phantom_001']);
    expect(second.dice.liver).toBe(validation.dice.liver);
    const meshed = await evaluate({ run: one.out, split: { depth: 2, width: 2 } });
    expect(meshed.prepared).toEqual(report.prepared);
  });

  it('segments a scan as its slices one by one, in one pass, in blocks and on a mesh', async () => {
    const { cases } = await openDataset(data);
    const reader = new CaseReader(prepareOptions(one), 1, alone(1));
    const { image } = (await reader.whole(cases[1]))!;
    const segment = async (options: object, scan = { image, shape: SHAPE }, flips: FlipAxis[] = []) => {
      const run = await openRun({ run: one.out, ...options });
      let passes = 0;
      const onPass = (_: number, all: number) => {
        passes = all;
      };
      const labels = await run.segment(scan, { flips, onPass, hostBytes: 0 });
      run.free();
      return { labels, passes };
    };
    const whole = await segment({});
    expect(new Set(whole.labels).size).toBeGreaterThan(1);
    const plane = 13 * 12;
    for (const k of [1, 6, 12]) {
      const three = image.slice((k - 1) * plane, (k + 2) * plane);
      const { labels } = await segment({}, { image: three, shape: [3, 13, 12] });
      expect(labels.slice(plane, 2 * plane)).toEqual(whole.labels.slice(k * plane, (k + 1) * plane));
    }
    // Twice as many slices, so that there are blocks of enough voxels.
    const deep: Shape3 = [28, 13, 12];
    const { graph } = predictionGraph(one, 3, deep, true);
    const plan = makePlan(graph, mesh({}), {}, CPU_TARGET);
    const memoryLimit = Math.ceil(predictPeak(plan) - 0.3 * plan.memory.arenaBytes[0]);
    const scan = { image: Float32Array.from([...image, ...image]), shape: deep };
    const flipped = await segment({}, scan, ['depth', 'width']);
    const blocks = await segment({ memoryLimit }, scan, ['depth', 'width']);
    expect(blocks.passes).toBeGreaterThan(4);
    expect(blocks.labels).toEqual(flipped.labels);
    const meshed = await segment({ split: { depth: 3 } }, scan, ['depth', 'width']);
    expect(meshed.labels).toEqual(flipped.labels);
  });

  it("has the paper's settings as a preset", () => {
    const [flat, volumes] = ['hou2019-2d', 'hou2019'].map((preset) =>
      resolveConfig({ data, out: 'x', preset }),
    );
    expect(flat).toEqual({ ...volumes, preset: 'hou2019-2d', slices: 3, batch: 32 });
    const small = { ...flat, base: 4, levels: 2, mesh: { b: 2, h: 2 }, layout: { batch: 'b', height: 'h' } };
    const { shape, report } = forecast(small, [20, 16, 18], 3);
    expect(shape).toEqual([20, 16, 18]);
    expect(JSON.stringify(report.ranks[3])).toContain('[16:32 0:1 8:16 0:18 0:3]');
    expect(() => config({ slices: 2 })).toThrow('config "slices": expected an odd number');
    expect(() => config({ patch: [2, 8, 8] })).toThrow('expected nothing beside slices, found 2,8,8');
  });
});
