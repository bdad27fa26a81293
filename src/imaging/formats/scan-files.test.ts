import { expect, it } from 'vitest';
import { niftiBytes, niftiParts } from '../../../test/imaging/nifti-fixture.ts';
import { ImagingError } from '../volume/errors.ts';
import { openNifti } from './nifti/nifti-read.ts';
import { openNrrd } from './nrrd.ts';
import type { ScanFiles } from './scan-files.ts';

/** Files that are nowhere but in memory. */
function memoryFiles(contents: Readonly<Record<string, Uint8Array>>): ScanFiles {
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
