import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { readScan, writeNifti } from '../../src/imaging/index.ts';

/** Names of the structures of phantoms, by their labels from 1 on. */
export const STRUCTURES = ['liver', 'tumour'];

/** A case of a folder of phantoms in the layout of TotalSegmentator: its label map in a file for each label, with `inside` where it is. */
export async function splitPhantom(phantoms: string, id: string, dir: string, inside = 1): Promise<void> {
  const truth = await readScan(path.join(phantoms, 'labelsTr', `${id}.nii.gz`));
  mkdirSync(path.join(dir, id, 'segmentations'), { recursive: true });
  cpSync(path.join(phantoms, 'imagesTr', `${id}.nii.gz`), path.join(dir, id, 'ct.nii.gz'));
  for (const [n, name] of STRUCTURES.entries())
    await writeNifti(path.join(dir, id, 'segmentations', `${name}.nii.gz`), {
      ...truth,
      data: Uint8Array.from(truth.data, (value) => (value === n + 1 ? inside : 0)),
    });
}
