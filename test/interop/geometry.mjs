// nibabel puts labels and probabilities of a prediction where it puts the scan, in whatever order the axes of its file are; and labels
// of one scan in several orders are the same once nibabel has turned them.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as hm from '../../dist/index.js';

export const needs = ['nibabel', 'numpy'];

const CODES = ['RAS', 'LPS', 'LAS', 'PIR', 'SAR', 'ILP', 'ASL', 'RSP'];

export async function check({ python, folder }) {
  const data = join(folder, 'data');
  const run = join(folder, 'run');
  await hm.writePhantom({ out: data, size: [15, 14, 12], cases: 2 });
  const settings = { data, out: run, base: 2, levels: 2, steps: 3, dropoutKeep: 1 };
  await hm.train(hm.resolveConfig(settings));
  const scan = join(data, 'imagesTr', 'phantom_000.nii.gz');
  // nibabel writes the scan in each order, and we segment what it wrote.
  python('geometry.py', 'turn', scan, folder, ...CODES);
  for (const code of CODES) {
    const [input, output] = [join(folder, `${code}.nii.gz`), join(folder, `${code}-labels.nii.gz`)];
    await hm.predict({ run, input, output, probabilities: true, probabilitiesDownsample: 2 });
  }
  const found = JSON.parse(python('geometry.py', 'compare', folder, ...CODES));
  assert.equal(found.length, CODES.length);
  for (const { code, sameAffine, sameLabels, classes, corner } of found) {
    assert.ok(sameAffine, `${code}: the affine of the labels is not that of the scan`);
    assert.ok(sameLabels, `${code}: labels turned to RAS differ from those of the scan in RAS`);
    assert.ok(classes > 1, `${code}: one class alone`);
    // Down-sampled probabilities cover the same field of view: largest distance of a corner, mm.
    assert.ok(corner < 1e-3, `${code}: a corner of the probabilities lies ${corner} mm off`);
  }
}
