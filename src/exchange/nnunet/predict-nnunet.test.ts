import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readScan } from '../../imaging/index.ts';
import { type PredictOptions, predict } from '../../train/index.ts';
import { farthest } from '../scores.testing.ts';
import { importNnunet } from './import-nnunet.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-nnunet-way-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/exchange/${name}`, import.meta.url));
const floats = (text: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);
const CLASSES = ['background', 'liver', 'tumour'];

/** Probabilities and labels of the scan of a fixture, in the order of its file. */
async function segment(name: string, run: string, options: Partial<PredictOptions>) {
  const scans = path.join(fixture(name), 'scan');
  const input = readdirSync(scans)
    .sort()
    .map((file) => path.join(scans, file))
    .join(',');
  const output = path.join(folder, 'labels.nii.gz');
  await predict({ run, input, output, probabilities: true, overwrite: true, threads: 1, ...options });
  const probabilities = [];
  for (const cls of CLASSES) {
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
