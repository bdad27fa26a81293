import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset, readScan, writeNifti, writePhantom } from '../../imaging/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { formatEvaluation } from '../evaluate/evaluation-table.ts';
import { predict } from '../predict/predict.ts';
import { readLog, type StepLine } from '../record/log.ts';
import { runFolder } from '../record/run-folder.ts';
import { readRunPlan } from '../record/run-plan.ts';
import { checkpointOf, interrupt } from './interrupted.testing.ts';
import { train } from './train.ts';
import type { TrainEvent } from './train-events.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-train-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = path.join(folder, 'data');

beforeAll(async () => {
  await writePhantom({ out: data, size: [14, 13, 12], cases: 2 });
});

it('refuses a held-out case that cannot be used before the first step', async () => {
  const bad = path.join(folder, 'bad');
  await writePhantom({ out: bad, size: [14, 13, 12], cases: 3 });
  const label = path.join(bad, 'labelsTr/phantom_002.nii.gz');
  const { data: labels, ...volume } = await readScan(label);
  await writeNifti(label, { ...volume, data: Uint8Array.from(labels, (value, n) => (n === 5 ? 9 : value)) });
  const events: TrainEvent[] = [];
  const run = config({ data: bad, validation: ['phantom_002'] });
  await expect(train(run, { onEvent: (event) => events.push(event) })).rejects.toThrow(/phantom_002.*9/);
  expect(events).toEqual([]);
});

/** From ten on: checkpoints of runs are compared, and their names have one length. */
let runs = 10;

function config(settings: object = {}): TrainConfig {
  return resolveConfig({
    data,
    out: path.join(folder, `run${runs++}`),
    base: 4,
    levels: 2,
    dropoutKeep: 0.9,
    steps: 6,
    threads: 1,
    checkpointEvery: 4,
    ...settings,
  });
}

async function stepLines(run: TrainConfig): Promise<StepLine[]> {
  const lines = await readLog(path.join(run.out, 'log.jsonl'));
  return lines.filter((line) => line.kind === 'step');
}

const losses = async (run: TrainConfig): Promise<number[]> => (await stepLines(run)).map(({ loss }) => loss);

describe('train', () => {
  it('writes down what it expects before the first step', async () => {
    const run = config({ steps: 1 });
    let start: Extract<TrainEvent, { kind: 'start' }> | undefined;
    await train(run, {
      onEvent: (event) => {
        if (event.kind === 'start') start = event;
      },
    });
    const plan = await readRunPlan(runFolder(run.out));
    expect(plan?.predictedPeakBytes).toBe(start?.plan.predictedPeakBytes);
    expect([plan?.flops, plan?.ranks]).toEqual([start?.plan.flops, 1]);
    expect(plan?.layers.map(({ layer }) => layer)).toContain('down0/conv1');
    expect(await readRunPlan(runFolder(path.join(folder, 'none')))).toBeUndefined();
  });

  it('refuses a held-out case whose body the window does not show', async () => {
    const mixed = path.join(folder, 'mixed');
    await writePhantom({ out: mixed, size: 16, cases: 2 });
    const file = path.join(mixed, 'imagesTr', 'phantom_001.nii.gz');
    const { data: voxels, ...scan } = await readScan(file);
    await writeNifti(file, { ...scan, data: Float32Array.from(voxels, (hu) => 2 * hu + 2200) });
    const run = config({ data: mixed, validation: ['phantom_001'], steps: 2 });
    await expect(train(run)).rejects.toThrow(
      /phantom_001\.nii\.gz: window .* on case phantom_001: expected one/,
    );
  });

  it.each([
    ['cpu', {}],
    [
      'cpu',
      { norm: 'instance', optimizer: { kind: 'adafactor' }, precision: 'bf16', validation: ['phantom_001'] },
    ],
    [
      'cpu',
      {
        ema: 0.9,
        deepSupervision: true,
        levels: 3,
        sampling: 'balanced',
        clipNorm: 0.5,
        fold: '1/all',
        bestBy: 'loss',
        checkpointEvery: 2,
      },
    ],
    ['reference', { base: 2, size: 6, steps: 3, checkpointEvery: 2 }],
  ])('continues bit for bit on the %s device: %j', async (device, settings) => {
    const whole = config({ device, ...settings });
    expect((await train(whole)).interrupted).toBe(false);
    const parts = config({ device, ...settings });
    expect(await interrupt(parts, 1)).toMatchObject({ interrupted: true, step: 1 });
    const result = await train(parts, { resume: true });
    expect(result).toMatchObject({ interrupted: false, step: whole.steps });
    expect(await losses(parts)).toEqual(await losses(whole));
    expect(checkpointOf(parts)).toBe(checkpointOf(whole));
    expect(checkpointOf(parts, 'best')).toBe(checkpointOf(whole, 'best'));
  });

  it("trains by the paper's preset, whose lesions count most", async () => {
    const run = config({
      preset: 'hou2019',
      data,
      levels: 2,
      base: 2,
      size: 12,
      steps: 4,
      checkpointEvery: 500,
      dropoutKeep: undefined,
    });
    await train(run);
    const lines = await stepLines(run);
    expect(lines.map(({ learningRate }) => learningRate)).toEqual([0.003, 0.003, 0.003, 0.003]);
    for (const line of lines) {
      // Dice on the lesion alone, of the one case and of all cases at once, a fifth of the loss.
      expect(Object.keys(line.softDice)).toEqual(['tumour']);
      expect(line.diceGlobal).toBeCloseTo(line.diceCase!, 9);
      expect(line.loss).toBeCloseTo(0.8 * line.crossEntropy + 0.2 * line.diceCase!, 9);
    }
    expect((await evaluate({ run: run.out })).step).toBe(4);
  });

  it('tells what happens and logs it', async () => {
    const events: TrainEvent[] = [];
    const run = config({ split: { depth: 2, width: 2 }, batch: 2, steps: 2 });
    await train(run, { onEvent: (event) => events.push(event) });
    expect(events.map(({ kind }) => kind)).toEqual([
      'start',
      'step',
      'step',
      'checkpoint',
      'checkpoint',
      'done',
    ]);
    const [start, step] = events;
    if (start.kind !== 'start' || step.kind !== 'step') throw new Error('other events');
    expect(start).toMatchObject({ steps: 2, firstStep: 1, training: ['phantom_000', 'phantom_001'] });
    expect(step.bytesSent).toBe(start.plan.bytesSent.total);
    expect(Object.keys(step.dice)).toEqual(['liver', 'tumour']);
    expect(Object.keys(step.softDice)).toEqual(['liver', 'tumour']);
    const [line] = await stepLines(run);
    expect(line).toMatchObject({ step: 1, epoch: 1, learningRate: step.learningRate, loss: step.loss });
    expect([...line.cases].sort()).toEqual(['phantom_000', 'phantom_001']);
    expect(resolveConfig(JSON.parse(readFileSync(path.join(run.out, 'config.json'), 'utf8')))).toEqual({
      ...run,
      normalization: undefined,
      classes: ['background', 'liver', 'tumour'],
    });
  });

  it('gives the same losses on any mesh', async () => {
    const one = config();
    const two = config({ mesh: { rows: 3, columns: 2 }, layout: { width: 'rows', height: 'columns' } });
    await train(one);
    await train(two);
    const expected = await losses(one);
    for (const [i, loss] of (await losses(two)).entries())
      expect(Math.abs(loss / expected[i] - 1)).toBeLessThan(1e-5);
  });

  it('judges by the measure asked for, logs it, and ends when it gets no better', async () => {
    const events: TrainEvent[] = [];
    // Nothing is learnt at such a rate: after the first validation none is better.
    const hopeless = config({
      learningRate: 1e-30,
      norm: 'none',
      steps: 20,
      checkpointEvery: 2,
      patience: 3,
      fold: '0/2',
      bestBy: 'dice:liver',
    });
    const result = await train(hopeless, { onEvent: (event) => events.push(event) });
    expect(result).toMatchObject({ step: 8, endedEarly: true, interrupted: false });
    expect(result.best).toMatchObject({ step: 2, by: 'dice:liver', since: 3 });
    const lines = await readLog(path.join(hopeless.out, 'log.jsonl'));
    const validations = lines.filter((line) => line.kind === 'validation');
    expect(validations.map(({ step }) => step)).toEqual([2, 4, 6, 8]);
    expect(validations[0].dice.liver).toBe(result.best?.score);
    expect(events.filter(({ kind }) => kind === 'validation')).toEqual(validations);
    // Resumed with no more patience it does nothing; with more it goes on.
    expect(await train(hopeless, { resume: true })).toMatchObject({ step: 8, endedEarly: true });
    expect(await train({ ...hopeless, patience: 4 }, { resume: true })).toMatchObject({ step: 10 });
    await expect(train(config({ patience: 2 }))).rejects.toThrow('counts validations');
    await expect(train(config({ bestBy: 'dice:spleen' }))).rejects.toThrow(
      'class of the Dice; expected liver, tumour, found spleen',
    );
  });

  it('validates and predicts by the averages of the weights where it keeps them', async () => {
    const run = config({ ema: 0.999, validation: ['phantom_001'], steps: 4 });
    await train(run);
    const lines = await readLog(path.join(run.out, 'log.jsonl'));
    const [validation] = lines.filter((line) => line.kind === 'validation');
    const report = await evaluate({ run: run.out, cases: ['phantom_001'] });
    expect(report.prepared.cases[0].dice.liver).toBe(validation.dice.liver);
    expect(report.prepared.cases[0].dice.tumour).toBe(validation.dice.tumour);
  });

  it('protects a run, and what it resumes', async () => {
    const run = config({ steps: 1 });
    await train(run);
    await expect(train(run)).rejects.toThrow('the folder holds a run already');
    await expect(train({ ...run, base: 8, seed: 5 }, { resume: true })).rejects.toThrow(
      'a resumed run must keep its "base", "seed"; expected base 4, seed 0, found base 8, seed 5',
    );
    await expect(train(config(), { resume: true })).rejects.toThrow('there is nothing to resume');
    const longer = { ...run, steps: 2, split: { depth: 2 }, mesh: { depth: 2 }, layout: { depth: 'depth' } };
    expect(await train(longer, { resume: true })).toMatchObject({ step: 2 });
  });
});

describe('a trained network', () => {
  it('is evaluated on the grid of the labels and segments a file in its own geometry', async () => {
    const run = config({ size: 12, steps: 8, learningRate: 0.02, validation: ['phantom_001'] });
    await train(run);
    const report = await evaluate({ run: run.out, cases: ['phantom_000'], split: { height: 2 } });
    expect(report).toMatchObject({ checkpoint: 'best', data });
    const [, liver] = report.original.classes;
    const { cases } = await openDataset(data);
    const truth = await readScan(cases[0].label!);
    expect(liver.casesScored).toBe(1);
    const table = formatEvaluation(report).split('\n');
    expect(table[1]).toMatch(/^case +kind +liver +tumour +accuracy$/);
    expect(table.indexOf('')).toBe(5);

    const output = path.join(run.out, 'labels.nii.gz');
    const result = await predict({ run: run.out, input: cases[0].image, output });
    const written = await readScan(output);
    expect(written.shape).toEqual(truth.shape);
    expect(written.affine).toEqual(truth.affine);
    const { data: voxels } = written;
    let both = 0;
    let either = 0;
    voxels.forEach((label, n) => {
      if (label === 1 && truth.data[n] === 1) both++;
      either += Number(label === 1) + Number(truth.data[n] === 1);
    });
    expect(report.original.cases[0].dice.liver).toBe((2 * both) / either);
    expect(Object.values(result.voxels).reduce((a, b) => a + b)).toBe(voxels.length);
    await expect(predict({ run: run.out, input: output, output: 'x.png' })).rejects.toThrow(
      '.nii or .nii.gz',
    );
    await expect(evaluate({ run: folder })).rejects.toThrow('is no folder of a run');
  });
});
