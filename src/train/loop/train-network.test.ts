import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePhantom } from '../../imaging/index.ts';
import type { LossFunction, NetworkFunction } from '../../nn/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { openRun } from '../predict/open-run.ts';
import { predict } from '../predict/predict.ts';
import { readLog } from '../record/log.ts';
import { train } from './train.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-network-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = path.join(folder, 'data');
beforeAll(async () => {
  await writePhantom({ out: data, size: [14, 13, 12], cases: 2 });
});

/** A U-Net of two levels by hand, with batch norm and scores at the lower one. */
const MODULE = `
export default function tiny(ctx, image, classes, { convBlock, convTranspose, maxPool, concat, scoresOf, channelOf }) {
  const first = convBlock(ctx, ctx.stored(image), { name: 'down0', filters: 4 });
  const low = convBlock(ctx, maxPool(first, 2, { padding: 'ceil' }), { name: 'down1', filters: 8 });
  const up = convTranspose(ctx, low, { name: 'up', filters: 4, kernel: 2, stride: 2, onto: first.shape });
  const last = convBlock(ctx, concat([up, first], channelOf(image).name), { name: 'up0', filters: 4, norm: 'instance' });
  const scores = scoresOf(ctx, last, classes, 1);
  return ctx.deep ? [scores, ctx.scope('low', () => scoresOf(ctx, low, classes, 1))] : scores;
}
`;

let files = 0;
function written(text: string): string {
  const file = path.join(folder, `network${files++}.mjs`);
  writeFileSync(file, text);
  return file;
}

let runs = 0;
function config(settings: object = {}): TrainConfig {
  return resolveConfig({
    ...{ data, out: path.join(folder, `run${runs++}`), steps: 2, threads: 1, checkpointEvery: 2 },
    ...settings,
  });
}

const losses = async (run: TrainConfig): Promise<number[]> =>
  (await readLog(path.join(run.out, 'log.jsonl'))).flatMap((line) =>
    line.kind === 'step' ? [line.loss] : [],
  );

const refusal = (run: TrainConfig, options?: Parameters<typeof train>[1]): Promise<string> =>
  train(run, options).then(
    () => 'none',
    (error: Error) => error.message,
  );

describe('a module as network', () => {
  it('trains, resumes to the bits of one go, evaluates and predicts from its copy', async () => {
    const network = written(MODULE);
    const whole = config({ network, steps: 4, deepSupervision: true });
    await train(whole);
    const parts = { ...whole, out: path.join(folder, 'parts') };
    await train({ ...parts, steps: 2, schedule: { kind: 'constant' } });
    const other = config({ network, steps: 4, deepSupervision: true, schedule: { kind: 'constant' } });
    await train(other);
    rmSync(network);
    const saved = JSON.parse(readFileSync(path.join(parts.out, 'config.json'), 'utf8'));
    expect(saved.network).toEqual({
      kind: 'module',
      name: path.basename(network),
      sha256: expect.any(String),
    });
    expect(readFileSync(path.join(parts.out, 'network.mjs'), 'utf8')).toBe(MODULE);
    await train(resolveConfig({ ...saved, steps: 4 }), { resume: true });
    expect(await losses(parts)).toEqual(await losses(other));
    // As on another machine: the folder of the run alone is there.
    const moved = path.join(folder, 'moved');
    renameSync(whole.out, moved);
    const out = path.join(folder, 'labels.nii.gz');
    await predict({ run: moved, input: path.join(data, 'imagesTr/phantom_000.nii.gz'), output: out });
    const report = await evaluate({ run: moved, data, threads: 1, surfaces: false });
    expect(report.original.cases).toHaveLength(2);
  });

  it('is kept by its content: a resumed run refuses another, and a changed copy is found', async () => {
    const network = written(MODULE);
    const run = config({ network });
    await train(run);
    const other = written(MODULE.replace('filters: 8', 'filters: 6'));
    expect(await refusal({ ...run, network: other }, { resume: true })).toMatch(
      /must keep its "network".*network0?\d*\.mjs/,
    );
    const same = written(MODULE);
    await train({ ...run, network: same, steps: 3 }, { resume: true });
    const copy = path.join(folder, 'copy');
    cpSync(run.out, copy, { recursive: true });
    writeFileSync(path.join(copy, 'network.mjs'), MODULE.replace('filters: 8', 'filters: 6'));
    await expect(openRun({ run: copy })).rejects.toThrow(/is not the network that the run was trained with/);
    rmSync(path.join(copy, 'network.mjs'));
    await expect(openRun({ run: copy })).rejects.toThrow(
      /network\.mjs: the module of the network cannot be read/,
    );
  });

  it.each([
    ['nothing', 'export const x = 1;', /exports no network.*no default export \(x\)/],
    ['no code', 'export default function (', /cannot be loaded as a module: SyntaxError/],
    ['its neighbours', "import './other.mjs'; export default () => 1;", /cannot be loaded.*imports nothing/],
    ['other packages', "import 'halomesh'; export default () => 1;", /cannot be loaded as a module/],
    ['no scores', 'export default () => 7;', /gives what is no value of its graph/],
    ['a promise', 'export default async () => 7;', /expected scores, found a promise/],
    ['an error', 'export default () => { throw new TypeError("broken"); };', /TypeError: broken \(line 1\)/],
    [
      'another number of classes',
      MODULE.replace('last, classes', 'last, classes + 1'),
      /3 classes.*class=?:? ?4/,
    ],
    ['a lower resolution', MODULE.replace('scoresOf(ctx, last', 'scoresOf(ctx, low'), /size of the scores/],
  ])('of %s is refused before a run begins', async (_what, text, expected) => {
    const run = config({ network: written(text) });
    expect(await refusal(run)).toMatch(expected);
    expect(await refusal(run)).toMatch(expected);
  });
});

describe('a network by name', () => {
  it('is planned from the voxels of the cases, told in the config, and resumed by either', async () => {
    const run = config({ network: 'resunet', base: 2, steps: 1 });
    await train(run);
    const saved = JSON.parse(readFileSync(path.join(run.out, 'config.json'), 'utf8'));
    expect(saved).toMatchObject({ network: { kind: 'residual' }, norm: 'instance' });
    expect(saved.levels).toBe(saved.network.stages.length);
    expect(saved.network.stages[0].filters).toBe(2);
    await train({ ...run, steps: 2 }, { resume: true });
    await train(resolveConfig({ ...saved, steps: 3 }), { resume: true });
    expect(await losses(run)).toHaveLength(3);
    expect(await refusal({ ...run, network: 'nnunet', steps: 4 }, { resume: true })).toMatch(/"network"/);
  });
});

describe('in code', () => {
  const network: NetworkFunction = (ctx, image, classes, { conv, scoresOf }) =>
    scoresOf(ctx, conv(ctx, image, { filters: 2, kernel: 3 }), classes, 1);
  /** Mean square of all scores, whatever the labels. */
  const loss: LossFunction = (scores, _labels, _about, { square, reduceMean }) =>
    reduceMean(
      square(scores),
      scores.shape.map(({ name }) => name),
      'f64',
    );

  it('networks and losses train, and whoever opens the run gives the network again', async () => {
    // One case as it is, so that only the network changes.
    const run = config({ validation: ['phantom_001'], augmentation: 'none', learningRate: 0.01 });
    await train(run, { network, loss });
    const [first, second] = await losses(run);
    expect(second).toBeLessThan(first);
    await expect(openRun({ run: run.out })).rejects.toThrow(/function of network "network" is not there/);
    const opened = await openRun({ run: run.out, network });
    const labels = await opened.segment({ image: new Float32Array(64), shape: [4, 4, 4] });
    expect(labels).toHaveLength(64);
    opened.free();
    expect(await refusal({ ...run, steps: 3 }, { resume: true, network })).toMatch(/"loss"/);
  });

  it('a loss that is no scalar is refused', async () => {
    const found = await refusal(config(), { network, loss: (scores) => scores });
    expect(found).toMatch(/loss loss: gives no scalar/);
  });
});
