import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromCanonical, makeVolume, type Volume, writeNifti } from '../../imaging/index.ts';
import { writeSlides } from '../../imaging/synthetic/phantom-slides.ts';
import { type EvaluateLabelsOptions, evaluateLabels } from './evaluate-labels.ts';
import { formatEvaluation } from './evaluation-table.ts';
import { metricSettings } from './metric-options.ts';

let dir: string;
const at = (...parts: string[]): string => join(dir, ...parts);

/** 4 x 5 x 6 voxels of 3 x 2 x 1 mm. */
function map(fill: (k: number, j: number, i: number) => number, origin = 0): Volume<Uint8Array> {
  const data = Uint8Array.from({ length: 120 }, (_, n) =>
    fill(Math.floor(n / 30), Math.floor(n / 6) % 5, n % 6),
  );
  return makeVolume(data, [4, 5, 6], [1, 0, 0, origin, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1]);
}

const organ = (k: number, j: number, i: number): number => (k > 0 && j > 0 && i > 0 ? 1 : 0);
const withLesion = (k: number, j: number, i: number): number =>
  k === 2 && j === 2 && i === 2 ? 2 : organ(k, j, i);

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'halomesh-evaluate-'));
  for (const folder of ['data/imagesTr', 'data/labelsTr', 'found', 'elsewhere', 'empty'])
    mkdirSync(at(folder), { recursive: true });
  writeFileSync(
    at('data/dataset.json'),
    JSON.stringify({ name: 'two', labels: { background: 0, liver: 1, 'liver tumour': 2 } }),
  );
  const scan = map((k, j, i) => k + j + i);
  for (const id of ['case_2', 'case_10'])
    await writeNifti(at(`data/imagesTr/${id}_0000.nii.gz`), scan, { type: 'int16' });
  await writeNifti(at('data/labelsTr/case_2.nii.gz'), map(withLesion), { type: 'uint8' });
  await writeNifti(at('data/labelsTr/case_10.nii.gz'), map(organ), { type: 'uint8' });
  // One in another axis order and one in another format of file.
  const turned = fromCanonical(map(withLesion), { axes: [2, 0, 1], flipped: [true, false, true] });
  await writeNifti(at('found/case_2.nii.gz'), turned, { type: 'uint8' });
  await writeNifti(at('found/case_10.nii'), map(withLesion), { type: 'uint8' });
  await writeNifti(at('elsewhere/case_2.nii.gz'), map(organ, 40), { type: 'uint8' });
  await writeNifti(at('elsewhere/case_10.nii.gz'), map(organ), { type: 'uint8' });
});
afterAll(() => rmSync(dir, { recursive: true }));

const run = (options: Partial<EvaluateLabelsOptions> = {}) =>
  evaluateLabels({ predictions: at('found'), data: at('data'), ...options });

describe('evaluateLabels', () => {
  it('writes nothing into the folders of a data set', async () => {
    for (const folder of ['imagesTr', 'labelsTr'])
      await expect(run({ out: at('data', folder), overwrite: true })).rejects.toThrow(
        'the results would lie among the files of the data set',
      );
    expect(readdirSync(at('data/labelsTr'))).toEqual(['case_10.nii.gz', 'case_2.nii.gz']);
  });

  it('compares and draws in pieces that begin no file', async () => {
    const out = at('pieces');
    const filesAround: number[][] = [];
    const files = () => readdirSync(out, { recursive: true }).length;
    await run({
      out,
      inOnePiece: async (piece) => {
        const before = files();
        const result = await piece();
        filesAround.push([before, files()]);
        return result;
      },
    });
    // Each case is compared, then drawn; the first picture lies in its folder when the second case begins.
    expect(filesAround).toEqual([
      [0, 0],
      [0, 0],
      [2, 2],
      [2, 2],
    ]);
    expect(files()).toBe(5);
  });

  it('writes its summary though pictures cannot be drawn, and says which', async () => {
    cpSync(at('data'), at('worn'), { recursive: true });
    // An image that ends early, and a folder in the place of a picture.
    const image = at('worn/imagesTr/case_2_0000.nii.gz');
    writeFileSync(image, readFileSync(image).subarray(0, -12));
    const out = at('drawn');
    mkdirSync(at('drawn/overlays/case_10.png/full'), { recursive: true });
    const notes: string[] = [];
    await run({ data: at('worn'), out, overwrite: true, onNote: (text) => notes.push(text) });
    expect(notes.length).toBe(2);
    expect(notes[0]).toMatch(/case_2_0000\.nii\.gz: .*\. The evaluation goes on without this picture$/);
    expect(notes[1]).toMatch(/case_10\.png.* The evaluation goes on without this picture$/);
    const { original } = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
    expect(original.cases.length).toBe(2);
    expect(readdirSync(join(out, 'overlays'))).toEqual(['case_10.png']);
  });

  it('compares label maps in any axis order with those of a data set', async () => {
    const seen: string[] = [];
    const { original, settings } = await run({
      onCase: (id, done, all) => seen.push(`${id} ${done}/${all}`),
    });
    expect(seen).toEqual(['case_2 1/2', 'case_10 2/2']);
    expect(settings).toEqual({
      tolerance: { liver: 2, 'liver tumour': 2 },
      lesion: 'liver tumour',
      lesionIou: 0,
    });
    expect(original.cases[0].classes['liver tumour']).toMatchObject({
      dice: 1,
      hausdorff: 0,
      surfaceDice: 1,
    });
    expect(original.cases[1].classes['liver tumour']).toMatchObject({
      dice: 0,
      precision: 0,
      hausdorff: null,
    });
    expect(original.cases[1].classes.liver).toMatchObject({
      trueVoxels: 60,
      predictedVoxels: 59,
      recall: 59 / 60,
    });
    // The far side of the hole is two steps of 1 mm along the width from the surface, and one of 3 mm along depth.
    expect(original.cases[1].classes.liver.hausdorff).toBe(2);
    expect(original.lesions).toMatchObject({
      trueLesions: 1,
      found: 1,
      falsePositives: 1,
      falsePositivesPerCase: 0.5,
    });
    expect(original.classes[2]).toMatchObject({
      casesInvented: 1,
      casesMissed: 0,
      meanDice: 0.5,
      globalDice: 2 / 3,
    });
  });

  it('writes the report, its tables and pictures', async () => {
    const out = at('results/one');
    const report = await run({ out, tolerance: { liver: 4 } });
    expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))).toEqual(report);
    const text = readFileSync(join(out, 'summary.md'), 'utf8');
    expect(text).toMatch(/\| case_10 +\| liver tumour +\| 0\.0000 /);
    expect(text).toContain('Surface Dice at 4 mm for liver, 2 mm for liver tumour.');
    expect(text).toMatch(/\| case_10 +\| +0 \| +0 \| +1 \| +1 \|/);
    for (const id of ['case_2', 'case_10']) expect(existsSync(join(out, 'overlays', `${id}.png`))).toBe(true);
    const bare = at('results/two');
    await run({ out: bare, overlays: false });
    expect([existsSync(join(bare, 'summary.md')), existsSync(join(bare, 'overlays'))]).toEqual([true, false]);
    const shown = formatEvaluation(report);
    expect(shown).toMatch(/^case +liver +liver tumour +accuracy\ncase_2 +1\.0000 +1\.0000 +1\.0000\n/);
    expect(shown).toContain(
      'lesions (liver tumour): 1 of 1 found (recall 1.000), 1 false (0.50 a case, precision 0.500)',
    );
    expect(shown).toContain(
      'liver tumour: missed altogether in 0 cases, predicted where there is none in 1 case;',
    );
  });

  it('cleans up what it compares', async () => {
    const { original } = await run({ cleaning: { minSize: { 'liver tumour': 7 } } });
    // The lesion of one voxel (6 mm^3) becomes liver: right in the second case, wrong in the first.
    expect(original.cases.map(({ dice }) => dice['liver tumour'])).toEqual([0, null]);
    expect(original.cases[1].dice.liver).toBe(1);
  });

  it('compares two plain folders, with classes by number', async () => {
    const { original, settings } = await run({ data: at('data/labelsTr') });
    expect(original.classes.map(({ name }) => name)).toEqual(['background', 'class 1', 'class 2']);
    expect(settings.lesion).toBeNull();
    expect(original.lesions).toBeUndefined();
    expect(original.classes[1].meanDice).toBeCloseTo((1 + (2 * 59) / 119) / 2, 12);
  });

  it('finds a segmentation whose name is written in another Unicode form, or ends in capitals', async () => {
    // A decomposed name, as macOS writes it, beside a composed one of the data set.
    const composed = 'm\u00fcller';
    const decomposed = composed.normalize('NFD');
    mkdirSync(at('umlaut/imagesTr'), { recursive: true });
    mkdirSync(at('umlaut/labelsTr'), { recursive: true });
    mkdirSync(at('capitals'), { recursive: true });
    writeFileSync(
      at('umlaut/dataset.json'),
      JSON.stringify({ name: 'umlaut', labels: { background: 0, liver: 1 } }),
    );
    await writeNifti(at(`umlaut/imagesTr/${composed}_0000.nii.gz`), map(organ), { type: 'int16' });
    await writeNifti(at(`umlaut/labelsTr/${composed}.nii.gz`), map(organ), { type: 'uint8' });
    await writeNifti(at('capitals/label.nii.gz'), map(organ), { type: 'uint8' });
    renameSync(at('capitals/label.nii.gz'), at(`capitals/${decomposed}.NII.GZ`));

    const both = { predictions: at('capitals'), data: at('umlaut') };
    const { original } = await run(both);
    expect(original.cases[0].classes.liver.dice).toBe(1);
    expect((await run({ ...both, cases: [decomposed] })).original.cases.map(({ id }) => id)).toEqual([
      composed,
    ]);

    copyFileSync(at(`capitals/${decomposed}.NII.GZ`), at(`capitals/${composed}.nii.gz`));
    await expect(run(both)).rejects.toThrow(/two segmentations of case "m\u00fcller"/);
  });

  it('takes some cases only', async () => {
    const { original } = await run({ cases: ['case_10'], lesion: null });
    expect(original.cases.map(({ id }) => id)).toEqual(['case_10']);
    await expect(run({ cases: ['case_3'] })).rejects.toThrow(
      'expected case ids (case_2, case_10), found "case_3"',
    );
  });

  it('refuses what cannot be compared, and writes no summary then', async () => {
    const out = at('results/none');
    await expect(run({ predictions: at('elsewhere'), out })).rejects.toThrow(
      /case_2\.nii\.gz: geometry: expected/,
    );
    expect(existsSync(join(out, 'summary.json'))).toBe(false);
    await expect(run({ predictions: at('empty') })).rejects.toThrow(
      /empty: has no segmentation of 2 cases, among them "case_2".*found 0 of 2 cases/,
    );
    await expect(run({ predictions: at('nowhere') })).rejects.toThrow('found no such folder');
    await expect(run({ data: at('empty') })).rejects.toThrow('dataset.json');
    await expect(run({ lesion: 'kidney' })).rejects.toThrow(
      'no class "kidney"; expected liver, liver tumour',
    );
    await expect(run({ tolerance: { kidney: 1 } })).rejects.toThrow('no class "kidney"');
  });
});

it('metricSettings finds the class of lesions by its name and checks numbers', () => {
  const lesionOf = (...names: string[]) => metricSettings({}, ['background', ...names]).shown.lesion;
  expect(lesionOf('liver', 'Tumour')).toBe('Tumour');
  expect(lesionOf('lung', 'cancer', 'lesion')).toBe('cancer');
  expect(lesionOf('liver', 'spleen')).toBeNull();
  expect(metricSettings({ lesion: 'liver' }, ['background', 'liver']).settings).toEqual({
    tolerance: [2],
    lesion: 1,
    lesionIou: 0,
  });
  expect(() => metricSettings({ lesionIou: 1.5 }, ['background'])).toThrow('a share from 0 to 1, found 1.5');
  expect(() => metricSettings({ tolerance: -1 }, ['background', 'a'])).toThrow('at least 0, found -1');
});

describe('label maps of pictures', () => {
  it('are compared and drawn, as masks and as outlines', async () => {
    await writeSlides({ out: at('slides'), size: 96, cases: 1, mpp: 8 });
    mkdirSync(at('masks'));
    copyFileSync(at('slides/labelsTr/slide_000.tif'), at('masks/slide_000.tif'));
    const notes: string[] = [];
    for (const predictions of [at('masks'), at('slides/outlinesTr')]) {
      const out = at(`scores-${predictions.endsWith('masks') ? 'masks' : 'outlines'}`);
      const options = { data: at('slides'), predictions, out, onNote: (text: string) => notes.push(text) };
      const { original } = await evaluateLabels(options);
      const { dice } = original.cases[0];
      expect(Object.values(dice).filter((one) => one !== null && one !== 1)).toEqual([]);
      expect(dice.tissue).toBe(1);
      expect(existsSync(join(out, 'overlays', 'slide_000.png'))).toBe(true);
    }
    expect(notes).toEqual([]);
  });
});
