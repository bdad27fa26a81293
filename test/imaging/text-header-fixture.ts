import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { readScan } from '../../src/imaging/formats/scan.ts';
import { ImagingError } from '../../src/imaging/volume/errors.ts';
import { temporaryFolder } from './nifti-fixture.ts';

export const root = temporaryFolder();
let files = 0;
/** Writes parts as one file with a name of this ending. */
export function save(ending: string, ...parts: readonly (string | Buffer)[]): string {
  const file = path.join(root, `${++files}${ending}`);
  writeFileSync(file, Buffer.concat(parts.map((part) => Buffer.from(part as string))));
  return file;
}

// A volume of 3 x 2 x 2 voxels with the values 0 to 11, less 3.
export const values = Array.from({ length: 12 }, (_, n) => n - 3);
export const int16 = Buffer.from(Int16Array.from(values).buffer);
export const int16Big = Buffer.from(int16).swap16();

export const nrrdHead = (lines: readonly string[]) =>
  `${['NRRD0004', '# a note', 'dimension: 3', 'sizes: 3 2 2', ...lines].join('\n')}\n`;
export const little = ['type: short', 'endian: little', 'encoding: raw'];
export const lps = [
  'space: left-posterior-superior',
  'space directions: (1,0,0) (0,2,0) (0,0,3)',
  'space origin: (10,20,30)',
];
/** The affine of all fixtures of this file. */
export const inRas = [-1, 0, 0, -10, 0, -2, 0, -20, 0, 0, 3, 30, 0, 0, 0, 1];

export const metaHead = (lines: readonly string[], data = 'LOCAL') =>
  `${['ObjectType = Image', 'NDims = 3', 'DimSize = 3 2 2', ...lines, `ElementDataFile = ${data}`].join('\n')}\n`;
export const short = ['ElementType = MET_SHORT', 'ElementSpacing = 1 2 3', 'Offset = 10 20 30'];
export const upright = 'TransformMatrix = 1 0 0 0 1 0 0 0 1';

/** The message of the ImagingError that a file is refused with. */
export async function refused(file: string): Promise<string> {
  const error = await readScan(file).then(
    () => 'nothing was refused',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ImagingError);
  return (error as ImagingError).message;
}
