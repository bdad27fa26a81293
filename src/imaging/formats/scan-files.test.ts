import { expect, it } from 'vitest';
import { dicomBytes } from '../../../test/imaging/dicom-fixture.ts';
import { niftiBytes, niftiParts } from '../../../test/imaging/nifti-fixture.ts';
import { ImagingError } from '../volume/errors.ts';
import { openDicomFile, openDicomSeries } from './dicom/dicom-series.ts';
import { openNifti } from './nifti/nifti-read.ts';
import { openNrrd } from './nrrd.ts';
import { baseName, type ScanFolders } from './scan-files.ts';

/** Files that are nowhere but in memory. */
function memoryFiles(contents: Readonly<Record<string, Uint8Array>>): ScanFolders {
  return {
    async open(file) {
      const bytes = contents[file];
      if (bytes === undefined)
        throw new ImagingError({ file, field: 'path', expected: 'a file', found: 'nothing' });
      return {
        size: bytes.length,
        read: async (at, n) => bytes.slice(at, at + n),
        close: async () => undefined,
      };
    },
    inflate: () => {
      throw new Error('nothing is packed here');
    },
    named: (_header, _field, written) => written,
    find: (file) => (file in contents ? file : undefined),
    isSame: (one, other) => one === other,
    list: async (folder) => ({
      files: Object.keys(contents).filter((file) => file.startsWith(`${folder}/`)),
      folders: [],
    }),
    folderOf: (file) => file.slice(0, file.lastIndexOf('/')),
  };
}

async function voxelsOf(scan: Awaited<ReturnType<typeof openNifti>>): Promise<number[]> {
  const found: number[] = [];
  await scan.read(new Float32Array(scan.header.shape[1] * scan.header.shape[2]), true, (voxels) => {
    found.push(...voxels);
  });
  await scan.close();
  return found;
}

it('scans are read from wherever their bytes lie: a file, a pair, a header and its data', async () => {
  const values = [1, 2, 3, 4];
  const fixture = { type: 'float32', dims: [2, 1, 2], values } as const;
  const { header, voxels } = niftiParts({ ...fixture, magic: 'ni1', voxOffset: 0 });
  const text = 'NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 1 2\nencoding: raw\ndata file: b.raw\n\n';
  const files = memoryFiles({
    'a.nii': niftiBytes(fixture),
    'a.hdr': header,
    'a.img': voxels,
    'b.nhdr': new TextEncoder().encode(text),
    'b.raw': Uint8Array.from(values),
  });
  expect(await voxelsOf(await openNifti(files, 'a.nii'))).toEqual(values);
  expect(await voxelsOf(await openNifti(files, 'a.img'))).toEqual(values);
  expect(await voxelsOf(await openNrrd(files, 'b.nhdr'))).toEqual(values);
  await expect(openNrrd(files, 'c.nrrd')).rejects.toThrow('c.nrrd: path: expected a file, found nothing');
});

it('a series of DICOM too, by its folder or one of its files', async () => {
  const slice = (n: number) => dicomBytes({ position: [0, 0, n], values: [n, 1, 2, 3, 4, 5] });
  const files = memoryFiles({
    'ct/b.dcm': slice(1),
    'ct/a.dcm': slice(0),
    'ct/c.dcm': slice(2),
    'ct/notes.txt': new TextEncoder().encode('seen'),
  });
  const expected = [0, 1, 2].flatMap((n) => [n, 1, 2, 3, 4, 5]);
  expect(await voxelsOf(await openDicomSeries(files, 'ct'))).toEqual(expected);
  expect(await voxelsOf(await openDicomFile(files, 'ct/b.dcm'))).toEqual(expected);
});

it('a file has a name without its folders', () => {
  expect(['a/b/c.nii', 'c.nii', 'a\\c.nii', 'a/'].map(baseName)).toEqual(['c.nii', 'c.nii', 'c.nii', '']);
});
