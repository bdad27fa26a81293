import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScan } from '../../imaging/index.ts';
import { configOfRun, evaluate, type PredictOptions, predict, train } from '../../train/index.ts';
import { farthest } from '../scores.testing.ts';
import { importNnunet } from './import-nnunet.ts';
import { mirroredAxes } from './way.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-nnunet-way-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/exchange/${name}`, import.meta.url));
const floats = (text: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);
const CLASSES = ['background', 'liver', 'tumour'];

/** Probabilities and labels of the scan of a fixture, in the order of its file. */
async function segment(
  name: string,
  run: string,
  options: Partial<PredictOptions>,
  names: readonly string[] = CLASSES,
) {
  const scans = path.join(fixture(name), 'scan');
  const input = readdirSync(scans)
    .sort()
    .map((file) => path.join(scans, file))
    .join(',');
  const output = path.join(folder, 'labels.nii.gz');
  await predict({ run, input, output, probabilities: true, overwrite: true, threads: 1, ...options });
  const probabilities = [];
  for (const cls of names) {
    const { data } = await readScan(path.join(folder, `labels_probability_${cls}.nii.gz`));
    probabilities.push(...data);
  }
  const { data: labels } = await readScan(output);
  return { probabilities, labels };
}

/** Voxels whose label has no highest probability, where no other one is as high within 1e-4. */
function wrongLabels(labels: ArrayLike<number>, probabilities: Float32Array): number {
  let wrong = 0;
  for (let n = 0; n < labels.length; n++) {
    const own = CLASSES.map((_, cls) => probabilities[cls * labels.length + n]);
    if (own[labels[n]] < Math.max(...own) - 1e-4) wrong++;
  }
  return wrong;
}

describe.each([
  ['nnunet-ct', ['0', '1']],
  // Four channels in thick slices, turned to RAS+ and then by the plans; mirrored along two axes.
  ['nnunet-mr', ['0']],
])('the way of nnU-Net, of %s', (name, folds) => {
  const runs = folds.map((fold) => path.join(folder, `${name}-${fold}`));
  const expected = JSON.parse(readFileSync(path.join(fixture(name), 'expected.json'), 'utf8'));

  it.each([
    ['the mean of all folds, mirrored as the checkpoint says', 'ensemble', {}],
    ['one fold without mirroring', 'first', { flips: [], ensemble: [] }],
    ['one fold that sees the whole scan', 'whole', { flips: [], ensemble: [], wholeVolume: true }],
  ] as const)('gives the probabilities of PyTorch: %s', async (_, key, options) => {
    for (const [n, fold] of folds.entries())
      if (readdirSync(folder).every((entry) => entry !== path.basename(runs[n])))
        await importNnunet({ nnunet: fixture(name), out: runs[n], fold });
    const found = await segment(name, runs[0], { ensemble: runs.slice(1), ...options });
    const known = floats(expected[key]);
    expect(new Set(found.labels).size).toBeGreaterThan(1);
    expect(farthest(found.probabilities, known)).toBeLessThan(1e-4);
    expect(wrongLabels(found.labels, known)).toBe(0);
  });
});

describe('runs of nnU-Net', () => {
  const run = path.join(folder, 'once');
  const data = path.join(folder, 'data');
  const scan = path.join(fixture('nnunet-ct'), 'scan', 'case_0000.nii.gz');
  const at = (name: string): string => path.join(folder, name);

  beforeAll(async () => {
    await importNnunet({ nnunet: fixture('nnunet-ct'), out: run, fold: '0' });
    for (const part of ['imagesTr', 'labelsTr']) mkdirSync(path.join(data, part), { recursive: true });
    cpSync(scan, path.join(data, 'imagesTr', 'case.nii.gz'));
    await predict({ run, input: scan, output: path.join(data, 'labelsTr', 'case.nii.gz'), threads: 1 });
  });

  it('are evaluated by what they predict, on the voxels of the file', async () => {
    const { original, prepared } = await evaluate({ run, data, out: at('scores'), lesion: null });
    for (const { classes } of [original, prepared])
      expect(classes.slice(1).map(({ global }) => global.dice)).toEqual([1, 1]);
    expect(existsSync(path.join(at('scores'), 'overlays', 'case.png'))).toBe(true);
  });

  it('give the same bits where a window is split, and within a memory limit', async () => {
    const expected = readFileSync(path.join(data, 'labelsTr', 'case.nii.gz'));
    for (const options of [{ split: { depth: 2, width: 2 } }, { memoryLimit: 500 * 2 ** 20 }]) {
      await predict({
        run,
        input: scan,
        output: at('split.nii.gz'),
        overwrite: true,
        threads: 1,
        ...options,
      });
      expect(readFileSync(at('split.nii.gz')).equals(expected)).toBe(true);
    }
  });

  it("of regions write them in their order where the sigmoid of PyTorch's scores is above 1/2", async () => {
    // The same network, whose three scores are those of regions.
    const copy = at('regions');
    cpSync(fixture('nnunet-ct'), copy, { recursive: true });
    const file = path.join(copy, 'dataset.json');
    const dataset = JSON.parse(readFileSync(file, 'utf8'));
    const labels = { background: 0, whole: [1, 2, 3], core: [2, 3], enhancing: 3, ignore: 4 };
    writeFileSync(file, JSON.stringify({ ...dataset, labels, regions_class_order: [1, 2, 3] }));
    const out = at('regions-run');
    await importNnunet({ nnunet: copy, out, fold: '0' });
    const names = ['whole', 'core', 'enhancing'];
    const options = { flips: [], wholeVolume: true };
    const found = await segment('nnunet-ct', out, options, names);
    const expected = JSON.parse(readFileSync(path.join(fixture('nnunet-ct'), 'expected.json'), 'utf8'));
    const known = floats(expected.whole);
    const count = found.labels.length;
    let [farthest, compared] = [0, 0];
    for (let n = 0; n < count; n++) {
      const own = names.map((_, region) => found.probabilities[region * count + n]);
      // The fixture has the softmax of the scores: their differences are those of the logarithms of the odds.
      if (own.every((p) => Math.abs(p - 0.5) > 1e-6))
        expect(found.labels[n]).toBe(1 + own.findLastIndex((p) => p > 0.5));
      // Near 0 and 1, and beyond the box that is not 0, numbers of float32 tell no odds.
      if (own.some((p) => p < 1e-3 || p > 1 - 1e-3)) continue;
      compared++;
      const odds = own.map((p) => p / (1 - p));
      const sum = odds.reduce((a, b) => a + b, 0);
      for (const [cls, one] of odds.entries())
        farthest = Math.max(farthest, Math.abs(one / sum - known[cls * count + n]));
    }
    expect(compared).toBeGreaterThan(count / 4);
    expect(farthest).toBeLessThan(2e-4);
    expect(new Set(found.labels).size).toBeGreaterThan(2);
  });

  it('are not trained on, and stand with their like alone in an ensemble', async () => {
    const { config } = await configOfRun({ run });
    await expect(train({ ...config, data, out: at('again') })).rejects.toThrow(
      'config "nnunet": is how imported networks segment',
    );
    const mr = at('mr');
    await importNnunet({ nnunet: fixture('nnunet-mr'), out: mr });
    await expect(predict({ run, ensemble: [mr], input: scan, output: at('x.nii') })).rejects.toThrow(
      /mr: another "(nnunet|spacing|window|normalizations)"/,
    );
  });

  it('take the axes that a checkpoint mirrors for those of the image', () => {
    expect(mirroredAxes('file', [0, 2], [1, 0, 2])).toEqual([1, 2]);
    expect(mirroredAxes('file', null, [0, 1, 2])).toEqual([]);
    expect(() => mirroredAxes('file', 'all', [0, 1, 2])).toThrow('expected a list of 0, 1, 2');
    expect(() => mirroredAxes('file', [3], [0, 1, 2])).toThrow('expected 0, 1 or 2, found 3');
  });
});
