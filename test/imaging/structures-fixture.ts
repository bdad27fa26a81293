import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { readScan, writeNifti, writePhantom } from '../../src/imaging/index.ts';

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

/** For the tests of a file: two phantoms in `nnunet`, and the same ones in `apart` with a file for each structure, and with what is neither a case nor an error. */
export function structureCases() {
  const root = mkdtempSync(path.join(tmpdir(), 'halomesh-structures-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const place = (...parts: string[]): string => path.join(root, ...parts);
  const nnunet = place('nnunet');
  const apart = place('apart');
  const cases = ['phantom_000', 'phantom_001'];
  const split = (id: string, dir: string, inside = 1): Promise<void> => splitPhantom(nnunet, id, dir, inside);
  beforeAll(async () => {
    await writePhantom({ out: nnunet, size: [12, 14, 13], spacing: [3, 2, 2], cases: 2 });
    await split(cases[0], apart);
    await split(cases[1], apart, 255);
    writeFileSync(path.join(apart, 'meta.csv'), 'image_id\n');
    mkdirSync(path.join(apart, 'notes'));
  });
  return { place, nnunet, apart, cases, split };
}
