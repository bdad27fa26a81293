import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  affineLean,
  ChunkCache,
  canonicalGrid,
  openDataset,
  preprocess,
  readScan,
  StoredCase,
  toCanonical,
  verifyDataset,
  writeNifti,
  writePhantom,
} from '../../src/imaging/index.ts';
import {
  evaluate,
  evaluateLabels,
  predict,
  predictFolder,
  readLog,
  resolveConfig,
  train,
} from '../../src/train/index.ts';
import { writeSlices } from '../imaging/dicom-fixture.ts';

// Scans whose slices lie aside of each other, with their label maps, from the files to the scores on upright grids.

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-tilt-'));
const at = (...names: string[]): string => path.join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  await writePhantom({ out: at('straight'), size: [12, 14, 13], cases: 2, seed: 4 });
  for (const part of ['imagesTr', 'labelsTr']) {
    mkdirSync(at('tilted', part), { recursive: true });
    for (const name of readdirSync(at('straight', part))) {
      const { data, shape, affine } = await readScan(at('straight', part, name));
      // Each slice lies 0.4 of the distance of slices further back.
      const leaning = affine.map((value, n) => value + (n === 6 ? 0.4 * affine[10] : 0));
      const type = part === 'labelsTr' ? 'uint8' : 'int16';
      await writeNifti(at('tilted', part, name), { data, shape, affine: leaning }, { type });
    }
  }
});

const data = at('tilted');
const classes = ['background', 'liver', 'tumour'];
const settings = {
  base: 2,
  levels: 2,
  steps: 3,
  threads: 1,
  dropoutKeep: 1,
  validation: ['phantom_001'],
  classes,
};

async function losses(run: string) {
  const lines = await readLog(path.join(run, 'log.jsonl'));
  return lines.flatMap((line) => ('loss' in line ? [[line.kind, line.loss, line.dice]] : []));
}

describe('tilted scans', () => {
  it('are verified, prepared and trained on upright, from files and a store with the same bits', async () => {
    const notes = async (options: object): Promise<string> => {
      const { cases } = await verifyDataset(data, options);
      const findings = cases.flatMap((one) => one.findings);
      expect(findings.filter(({ level }) => level === 'fault')).toEqual([]);
      return findings.map(({ found }) => found).join();
    };
    expect(await notes({})).toContain('axes that lean by');
    expect(await notes({ resampleTilt: true })).toContain('was resampled upright');
    const store = at('store');
    await preprocess({ data, out: store, resampleTilt: true });
    const [entry] = (await openDataset(store)).cases;
    const stored = await StoredCase.open(entry, {}, new ChunkCache(0));
    expect(affineLean(stored.description.affine)).toBeLessThan(1e-6);
    expect(stored.shape[1]).toBeGreaterThan(14);
    // The other voxels of the same files are prepared anew.
    expect((await preprocess({ data, out: store, resampleTilt: true })).kept).toHaveLength(2);
    expect((await preprocess({ data, out: at('leaning') })).written).toHaveLength(2);
    expect((await preprocess({ data, out: at('leaning'), resampleTilt: true })).written).toHaveLength(2);
    await expect(openDataset(store, { resampleTilt: true })).rejects.toThrow(/Give it to preprocess/);

    await train(resolveConfig({ ...settings, data, out: at('run'), resampleTilt: true }));
    await train(resolveConfig({ ...settings, data: store, out: at('run-of-store') }));
    expect(await losses(at('run-of-store'))).toEqual(await losses(at('run')));
  });

  it('are predicted on their own voxels, and judged upright', async () => {
    const output = at('labels');
    const { results } = await predictFolder({ run: at('run'), input: path.join(data, 'imagesTr'), output });
    for (const { output, input } of results) {
      const [found, scan] = [await readScan(output), await readScan(input)];
      expect(found.shape).toEqual(scan.shape);
      expect(affineLean(found.affine)).toBeCloseTo(affineLean(scan.affine), 4);
    }
    // A segmentation of DICOM lies on the leaning slices, and comes upright as a file of another format does.
    const tilt = 0.4;
    const slices = Array.from({ length: 9 }, (_, k) => ({
      ...{ position: [0, tilt * 3 * k, 3 * k], spacing: [3, 3], rows: 12, columns: 10 },
      values: Array.from({ length: 120 }, (_, n) => ((n * (k + 3)) % 23) * 15 - 150),
    }));
    const dicom = writeSlices(at('dicom'), Object.fromEntries(slices.map((slice, k) => [`${k}.dcm`, slice])));
    const upright = await readScan(dicom, { lean: 'resample' });
    const labels = async (name: string): Promise<number[]> => {
      await predict({ run: at('run'), input: dicom, output: at(name) });
      const options = { labels: true, lean: 'resample', onto: canonicalGrid(upright) } as const;
      return [...toCanonical(await readScan(at(name), options)).volume.data];
    };
    const found = await labels('t.dcm');
    expect(new Set(found).size).toBeGreaterThan(1);
    expect(found).toEqual(await labels('t.nii.gz'));

    const { original } = await evaluate({ run: at('run'), out: at('judged') });
    const [entry] = (await openDataset(data)).cases.slice(1);
    const truth = (await readScan(entry.label!, { lean: 'resample', labels: true })).data;
    const voxels = truth.filter((value: number) => value === 1).length;
    expect(original.cases[0].classes.liver.trueVoxels).toBe(voxels);
    const same = await evaluateLabels({ predictions: at('tilted', 'labelsTr'), data, resampleTilt: true });
    for (const { dice } of same.original.cases)
      for (const of of Object.values(dice ?? {})) expect([1, null]).toContain(of);
  });
});
