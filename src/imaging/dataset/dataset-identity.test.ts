import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { preprocess } from '../preprocess/preprocess-dataset.ts';
import { writePhantom } from '../synthetic/phantom.ts';
import { openDataset } from './dataset.ts';
import { datasetIdentity } from './dataset-identity.ts';

const root = temporaryFolder();
const data = path.join(root, 'data');

beforeAll(() => writePhantom({ out: data, size: 16, cases: 2, seed: 1 }));

const identityOf = async (dir: string) => datasetIdentity(await openDataset(dir));

/** A copy of a data set elsewhere. */
function copyOf(dir: string): string {
  const copy = path.join(mkdtempSync(path.join(root, 'copy-')), 'elsewhere');
  cpSync(dir, copy, { recursive: true });
  return copy;
}

describe('datasetIdentity', () => {
  it('is the same in another folder, and another for each case', async () => {
    const identity = await identityOf(data);
    expect([...identity.keys()]).toEqual((await openDataset(data)).cases.map(({ id }) => id));
    for (const text of identity.values()) expect(text).toMatch(/^[0-9a-f]{16}$/);
    expect(new Set(identity.values()).size).toBe(2);
    expect(await identityOf(copyOf(data))).toEqual(identity);
  });

  it.each(['image', 'label'] as const)(
    'changes with the size and the first bytes of the %s',
    async (what) => {
      const identity = await identityOf(data);
      for (const change of ['longer', 'other'] as const) {
        const dir = copyOf(data);
        const [first] = (await openDataset(dir)).cases;
        const file = first[what]!;
        const bytes = readFileSync(file);
        if (change === 'longer') appendFileSync(file, 'x');
        else writeFileSync(file, bytes.fill(7, 20, 21));
        const now = await identityOf(dir);
        const changed = [...identity.keys()].filter((id) => now.get(id) !== identity.get(id));
        expect(changed).toEqual([first.id]);
      }
    },
  );

  it('knows folders of DICOM by their files', async () => {
    const make = (size: number, name = 'a') => {
      const dir = mkdtempSync(path.join(root, 'dicom-'));
      mkdirSync(path.join(dir, `imagesTr/${name}`), { recursive: true });
      mkdirSync(path.join(dir, 'labelsTr'));
      writeFileSync(path.join(dir, `imagesTr/${name}/1.dcm`), 'x');
      writeFileSync(path.join(dir, `imagesTr/${name}/2.dcm`), Buffer.alloc(size));
      writeFileSync(path.join(dir, `labelsTr/${name}.nii.gz`), 'label');
      return dir;
    };
    const identity = await identityOf(make(5));
    expect(await identityOf(make(5))).toEqual(identity);
    expect(await identityOf(make(6))).not.toEqual(identity);
  });

  it('knows the voxels of a pair', async () => {
    const make = (voxels: string) => {
      const dir = mkdtempSync(path.join(root, 'pair-'));
      for (const folder of ['imagesTr', 'labelsTr']) {
        mkdirSync(path.join(dir, folder));
        writeFileSync(path.join(dir, folder, 'a.hdr'), 'header');
        writeFileSync(path.join(dir, folder, 'a.img'), voxels);
      }
      return dir;
    };
    const identity = await identityOf(make('one'));
    expect(await identityOf(make('one'))).toEqual(identity);
    expect(await identityOf(make('two'))).not.toEqual(identity);
  });

  it('knows stores by their arrays, not by the files they were made from', async () => {
    const [one, two] = [path.join(root, 'store'), path.join(root, 'store-2')];
    await preprocess({ data, out: one });
    await preprocess({ data: copyOf(data), out: two });
    const identity = await identityOf(one);
    expect(identity.size).toBe(2);
    expect(await identityOf(two)).toEqual(identity);
    const other = path.join(root, 'store-3');
    await preprocess({ data, out: other, spacing: 4 });
    expect(await identityOf(other)).not.toEqual(identity);
  });

  it('names a file that cannot be read', async () => {
    const dataset = await openDataset(copyOf(data));
    const cases = dataset.cases.map((entry) => ({ ...entry, image: `${entry.image}-gone` }));
    await expect(datasetIdentity({ ...dataset, cases })).rejects.toThrow(
      /-gone: file: expected a file that can be read, found there is no such file or folder \(ENOENT\)/,
    );
  });
});
