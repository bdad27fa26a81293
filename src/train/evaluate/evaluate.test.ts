import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePhantom } from '../../imaging/index.ts';
import { resolveConfig } from '../config/config.ts';
import { train } from '../loop/train.ts';
import { evaluate } from './evaluate.ts';
import { summaryMarkdown } from './evaluation-summary.ts';
import { formatEvaluation } from './evaluation-table.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-scores-'));
const data = path.join(folder, 'data');
const run = path.join(folder, 'run');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  await writePhantom({ out: data, size: [14, 13, 12], cases: 2 });
  const settings = { data, out: run, base: 4, levels: 2, steps: 30, threads: 1, size: 12, validation: 0.5 };
  await train(resolveConfig(settings));
});

it('scores surfaces and lesions on the grid of the files, counts on the grid of the network, and draws', async () => {
  const out = path.join(folder, 'scores');
  const report = await evaluate({
    run,
    out,
    cases: ['phantom_000', 'phantom_001'],
    tolerance: { liver: 1000 },
  });
  const { original, prepared } = report;
  for (const { classes } of original.cases) {
    expect(classes.background.trueVoxels + classes.liver.trueVoxels + classes.tumour.trueVoxels).toBe(
      14 * 13 * 12,
    );
    const { trueVoxels, predictedVoxels, hausdorff, surfaceDice } = classes.liver;
    expect(trueVoxels).toBeGreaterThan(0);
    // Within a metre lies all there is; without a prediction nothing does.
    expect(surfaceDice).toBe(predictedVoxels > 0 ? 1 : 0);
    expect(hausdorff === null).toBe(predictedVoxels === 0);
  }
  for (const { classes } of prepared.cases) {
    expect(classes.background.trueVoxels + classes.liver.trueVoxels + classes.tumour.trueVoxels).toBe(
      12 ** 3,
    );
    expect(classes.liver.hausdorff).toBeUndefined();
  }
  expect(original.lesions?.name).toBe('tumour');
  expect(original.lesions!.trueLesions).toBeGreaterThan(0);
  expect(prepared.lesions).toBeUndefined();
  expect(JSON.parse(readFileSync(path.join(out, 'summary.json'), 'utf8'))).toEqual(report);
  expect(existsSync(path.join(out, 'overlays', 'phantom_001.png'))).toBe(true);
});

it('cleans segmentations up before they are compared, and takes some cases', async () => {
  const cases = ['phantom_000'];
  const raw = await evaluate({ run, cases });
  const found = raw.original.classes[1].global.predictedVoxels;
  expect(found).toBeGreaterThan(0);
  // Everything is too small.
  const none = await evaluate({ run, cases, cleaning: { minSize: { liver: 1e9, tumour: 1e9 } } });
  expect(none.original.classes.slice(1).map(({ global }) => global.predictedVoxels)).toEqual([0, 0]);
  expect(none.prepared.classes[1].global.predictedVoxels).toBe(0);
  const one = await evaluate({ run, cases, lesion: null });
  expect(one.original.cases).toEqual([{ ...raw.original.cases[0], lesions: undefined }]);
  await expect(evaluate({ run, cleaning: { fillHoles: ['bone'] } })).rejects.toThrow(
    'fill holes: no such class',
  );
  await expect(evaluate({ run, lesion: 'bone' })).rejects.toThrow('no class "bone"; expected liver, tumour');
});

it('keeps cases that were trained on out of the mean of those held out, and says of each which it is', async () => {
  const held = await evaluate({ run });
  const [id] = held.original.cases.map((one) => one.id);
  expect(held).toMatchObject({ kind: 'held out', original: { cases: [{ id, kind: 'held out' }] } });
  expect(held.apart).toBeUndefined();
  const other = ['phantom_000', 'phantom_001'].find((one) => one !== id);
  const all = await evaluate({ run, cases: 'all' });
  expect(all.original).toEqual(held.original);
  expect(all.apart).toHaveLength(1);
  expect(all.apart).toMatchObject([
    { kind: 'training', original: { cases: [{ id: other, kind: 'training' }] } },
  ]);
  const one = await evaluate({ run, cases: [other!] });
  expect(one.original).toEqual(all.apart![0].original);
  const [table, text] = [formatEvaluation(all), summaryMarkdown(all)];
  expect(table).toMatch(new RegExp(`^Dice of 1 held-out case\\ncase +kind +liver.*\\n${id} +held out`));
  expect(table).toMatch(
    new RegExp(`Dice of 1 training case\\. The network was trained on .*\\ncase .*\\n${other} +training`),
  );
  expect(text).toMatch(new RegExp(`^1 held-out case; .*[^]*^\\| ${other} \\| training \\| liver`, 'm'));
});

it('knows the cases of a run when they have moved, and those of other data as unseen', async () => {
  const [moved, foreign, alone] = ['moved', 'foreign', 'alone'].map((name) => path.join(folder, name));
  await writePhantom({ out: foreign, size: [14, 13, 12], cases: 1 });
  for (const part of ['imagesTr', 'labelsTr'])
    renameSync(path.join(foreign, part, 'phantom_000.nii.gz'), path.join(foreign, part, 'other.nii.gz'));
  rmSync(path.join(foreign, 'dataset.json'));
  const settings = { data: moved, out: alone, base: 2, levels: 2, steps: 2, threads: 1, size: 12 };
  cpSync(data, moved, { recursive: true });
  await train(resolveConfig({ ...settings, validation: ['phantom_001'] }));
  const asked = { run: alone, surfaces: false } as const;
  expect(await evaluate({ ...asked, data: foreign })).toMatchObject({
    kind: 'unseen',
    original: { cases: [{ id: 'other', kind: 'unseen' }] },
  });
  renameSync(moved, `${moved}-on`);
  const kinds = async (data: string) => {
    const { kind, original, apart = [] } = await evaluate({ ...asked, data, cases: 'all' });
    return [{ kind, original }, ...apart].map((one) => [one.kind, one.original.cases.map(({ id }) => id)]);
  };
  expect(await kinds(`${moved}-on`)).toEqual([
    ['held out', ['phantom_001']],
    ['training', ['phantom_000']],
  ]);
  expect(await kinds(foreign)).toEqual([['unseen', ['other']]]);
});

it('leaves surfaces and lesions out, with the same counts and the same pictures', async () => {
  const [all, few] = [path.join(folder, 'all'), path.join(folder, 'few')];
  const cube = path.join(folder, 'own-voxels');
  const settings = { data, out: cube, base: 4, levels: 2, steps: 3, threads: 1, dropoutKeep: 1 };
  await train(resolveConfig(settings));
  const whole = await evaluate({ run: cube, out: all });
  const counts = await evaluate({ run: cube, out: few, surfaces: false });
  expect(whole.original.classes[1].global.predictedVoxels).toBeGreaterThan(0);
  expect(counts.settings).toMatchObject({ surfaces: false, lesion: null });
  expect(counts.original.lesions).toBeUndefined();
  expect(counts.original.classes[1].scores.hausdorff).toBeUndefined();
  expect(counts.prepared).toEqual(whole.prepared);
  expect(counts.original.classes.map(({ global }) => global)).toEqual(
    whole.original.classes.map(({ global }) => global),
  );
  const picture = (out: string) => readFileSync(path.join(out, 'overlays', 'phantom_001.png'));
  expect(picture(few)).toEqual(picture(all));
  const table = readFileSync(path.join(few, 'summary.md'), 'utf8');
  expect(table).toContain('Without surfaces.');
  expect(table).not.toContain('HD95');
  // Asked for by name, lesions are counted.
  const lesions = await evaluate({ run: cube, surfaces: false, lesion: 'tumour' });
  expect(lesions.original.lesions).toEqual(whole.original.lesions);
});
