import { cpSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { STRUCTURES, structureCases } from '../../../test/imaging/structures-fixture.ts';
import { canonicalGrid, loadLabels, openDataset, readScan, verifyDataset, writeNifti } from '../index.ts';

// Data sets with one file for each structure, as TotalSegmentator's.

const { place, nnunet, apart, cases, split } = structureCases();
const names = STRUCTURES;

describe('a data set with a file for each structure', () => {
  it('has its names and the labels of one file', async () => {
    const dataset = await openDataset(apart);
    expect(dataset.labelNames).toEqual(['background', ...names]);
    expect(dataset.cases.map(({ id }) => id)).toEqual(cases);
    expect(dataset.unused).toEqual([]);
    for (const { id, image, label, labelNames } of dataset.cases) {
      const grid = canonicalGrid(await readScan(image));
      const one = await loadLabels(path.join(nnunet, 'labelsTr', `${id}.nii.gz`), grid, labelNames);
      expect(await loadLabels(label!, grid, labelNames)).toEqual(one);
    }
    const patterns = { images: '*/ct.nii.gz', labels: '*/segmentations' };
    expect((await openDataset(apart, patterns)).labelNames).toEqual(dataset.labelNames);
    const mapped = await openDataset(apart, { mapLabels: { 2: 1 } });
    expect(mapped.labelNames).toEqual(['background', 'liver']);
  });
});

describe('refused is', () => {
  const labelsOf = async (dir: string): Promise<unknown> => {
    const [{ image, label }] = (await openDataset(dir)).cases;
    return loadLabels(label!, canonicalGrid(await readScan(image)));
  };

  it('a voxel of two structures, and a file of several values', async () => {
    const dir = place('overlap');
    await split(cases[0], dir);
    const folder = path.join(dir, cases[0], 'segmentations');
    cpSync(path.join(folder, 'liver.nii.gz'), path.join(folder, 'spleen.nii.gz'));
    await expect(labelsOf(dir)).rejects.toThrow(
      /spleen\.nii\.gz: voxel \(depth, height, width\) = \([\d, ]+\).*expected one structure, found liver and spleen/,
    );
    cpSync(path.join(nnunet, 'labelsTr', `${cases[0]}.nii.gz`), path.join(folder, 'spleen.nii.gz'));
    rmSync(path.join(folder, 'liver.nii.gz'));
    rmSync(path.join(folder, 'tumour.nii.gz'));
    await expect(labelsOf(dir)).rejects.toThrow(
      /expected 0 or one other whole number, the same in all of the structure, found (1 and 2|2 and 1)/,
    );
  });

  it('a structure on another grid', async () => {
    const dir = place('grids');
    await split(cases[0], dir);
    const file = path.join(dir, cases[0], 'segmentations', 'tumour.nii.gz');
    const structure = await readScan(file);
    const affine = structure.affine.with(3, structure.affine[3] + 9) as unknown as typeof structure.affine;
    await writeNifti(file, { ...structure, affine });
    await expect(labelsOf(dir)).rejects.toThrow(/tumour\.nii\.gz: geometry.*the grid of liver\.nii\.gz/);
  });

  it('a case that lacks a structure, and names beside those of the files', async () => {
    const dir = place('lacking');
    for (const id of cases) await split(id, dir);
    rmSync(path.join(dir, cases[1], 'segmentations', 'liver.nii.gz'));
    await expect(openDataset(dir)).rejects.toThrow(
      `label of case ${cases[1]}: expected a file for each of the 2 structures of case ${cases[0]}, found none of liver`,
    );
    const report = await verifyDataset(dir);
    expect(report.cases.map(({ id }) => id)).toEqual([cases[0]]);
    writeFileSync(path.join(dir, cases[0], 'segmentations', 'background.nii.gz'), '');
    await expect(openDataset(dir)).rejects.toThrow('"background" for both 0 and 1');
  });

  it('several scans beside the structures of a case', async () => {
    const dir = place('several');
    await split(cases[0], dir);
    cpSync(path.join(dir, cases[0], 'ct.nii.gz'), path.join(dir, cases[0], 'pet.nii.gz'));
    await expect(openDataset(dir)).rejects.toThrow('expected one scan beside its segmentations, found');
    const patterns = { images: '*/ct.nii.gz', labels: '*/segmentations' };
    const { cases: found, unused } = await openDataset(dir, patterns);
    expect([found.length, unused]).toEqual([1, [path.join(cases[0], 'pet.nii.gz')]]);
  });
});
