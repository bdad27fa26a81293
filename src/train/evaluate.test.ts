import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePhantom } from '../imaging/index.ts';
import { resolveConfig } from './config.ts';
import { evaluate } from './evaluate.ts';
import { train } from './train.ts';

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
  const report = await evaluate({ run, out, tolerance: { liver: 1000 } });
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
  const raw = await evaluate({ run });
  const found = raw.original.classes[1].global.predictedVoxels;
  expect(found).toBeGreaterThan(0);
  // Everything is too small.
  const none = await evaluate({ run, cleaning: { minSize: { liver: 1e9, tumour: 1e9 } } });
  expect(none.original.classes.slice(1).map(({ global }) => global.predictedVoxels)).toEqual([0, 0]);
  expect(none.prepared.classes[1].global.predictedVoxels).toBe(0);
  const one = await evaluate({ run, cases: ['phantom_001'], lesion: null });
  expect(one.original.cases).toEqual([{ ...raw.original.cases[1], lesions: undefined }]);
  await expect(evaluate({ run, cleaning: { fillHoles: ['bone'] } })).rejects.toThrow(
    'fill holes: no such class',
  );
  await expect(evaluate({ run, lesion: 'bone' })).rejects.toThrow('no class "bone"; expected liver, tumour');
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
