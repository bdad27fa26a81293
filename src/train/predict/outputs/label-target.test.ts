import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeSlices } from '../../../../test/imaging/dicom-fixture.ts';
import { readScan, sameGrid, writePhantom } from '../../../imaging/index.ts';
import { resolveConfig } from '../../config/config.ts';
import { train } from '../../loop/train.ts';
import { predict, predictFolder } from '../predict.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-labels-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => path.join(folder, ...names);
const [run, data, series] = [at('run'), at('data'), at('scans', 'series')];

beforeAll(async () => {
  await writePhantom({ out: data, size: [14, 12, 10], cases: 2 });
  await train(resolveConfig({ data, out: run, base: 2, levels: 2, steps: 3, threads: 1, dropoutKeep: 1 }));
  // The first phantom as a coronal series from back to front.
  const { data: voxels, shape } = await readScan(at('data', 'imagesTr', 'phantom_000.nii.gz'));
  const [depth, height, width] = shape;
  mkdirSync(at('scans'));
  const slices = Array.from({ length: height }, (_, j) => {
    const values = Array.from({ length: depth * width }, (_, n) => {
      const [k, i] = [depth - 1 - Math.floor(n / width), n % width];
      return Math.round(voxels[(k * height + j) * width + i]);
    });
    const place = { position: [0, -3 * j, 0], orientation: [1, 0, 0, 0, 0, -1], spacing: [3, 3] };
    return [`s${j}.dcm`, { ...place, rows: depth, columns: width, values }] as const;
  });
  writeSlices(series, Object.fromEntries(slices));
});

it('a DICOM series is segmented as DICOM, and as every other format, with the same labels', async () => {
  const { output } = await predict({ run, input: series, output: at('labels.nii.gz') });
  const expected = await readScan(output);
  expect(new Set(expected.data).size).toBeGreaterThan(1);
  const grid = await readScan(series);
  for (const name of ['a.dcm', 'a.seg.nrrd', 'a.nrrd', 'a.mha', 'whole.dcm']) {
    // Cleaned up they come as a whole, else a few slices at a time.
    const cleaning = name.startsWith('whole') ? { minSize: { 1: 0.001 } } : {};
    const options = { run, input: series, output: at(name), labelNames: true, cleaning };
    await predict({ ...options, overwrite: true });
    const labels = await readScan(at(name), { labels: true, onto: grid });
    expect(sameGrid(labels, grid, 1e-3)).toBe(true);
    expect([...labels.data]).toEqual([...expected.data]);
  }
  expect(readFileSync(at('a_labels.txt'), 'utf8')).toMatch(/^ +1 .*"\w+"$/m);
});

it('a folder takes --format, whose scans that it does not fit are told and the others written', async () => {
  const named = await predictFolder({ run, input: at('scans'), output: at('out'), format: 'dicom-labelmap' });
  expect(named.results.map(({ output }) => output)).toEqual([at('out', 'series.dcm')]);
  const images = at('data', 'imagesTr');
  const { results, faults } = await predictFolder({
    run,
    input: images,
    output: at('no'),
    format: 'dicom-seg',
  });
  expect([results.length, faults.length]).toEqual([0, 2]);
  expect(faults[0].error.message).toMatch(/expected a DICOM series as the input of a DICOM segmentation/);
  expect(existsSync(at('no', 'phantom_000.dcm'))).toBe(false);
  await expect(predict({ run, input: series, output: at('b.nrrd'), format: 'dicom-seg' })).rejects.toThrow(
    /format dicom-seg; expected a name that ends in \.dcm, found b\.nrrd/,
  );
  await expect(predict({ run, input: series, output: at('b.bmp') })).rejects.toThrow(/ends in \.nii or/);
  await expect(predict({ run, input: series, output: at('b.tif') })).rejects.toThrow(
    /expected a picture as the input of a label map in TIFF, found a volume of 12 slices/,
  );
});
