import { ByteReader } from './byte-reader.ts';
import { hex, latin1 } from './bytes.ts';
import { looksLikeMetaImage } from './metaimage.ts';
import { baseName, type ScanFiles } from './scan-files.ts';
import { startsWithText } from './text-header.ts';

// What files and folders are that people give for scans and that are none.

/** Kinds of files by the bytes that they begin with, in Latin-1. */
const starts: readonly (readonly [string, string])[] = [
  ['\x89PNG', 'a PNG picture'],
  ['\xff\xd8\xff', 'a JPEG picture'],
  ['II*\0', 'a TIFF picture'],
  ['MM\0*', 'a TIFF picture'],
  ['II+\0', 'a BigTIFF picture'],
  ['MM\0+', 'a BigTIFF picture'],
  ['GIF87a', 'a GIF picture'],
  ['GIF89a', 'a GIF picture'],
  ['BM', 'a BMP picture'],
  ['\0\0\0\x0cjP  ', 'a JPEG 2000 picture'],
  ['RIFF', 'a WebP picture or another RIFF file'],
  ['\x93NUMPY', 'a NumPy array (.npy)'],
  ['PK\x03\x04', 'a ZIP archive (as .npz, .pt and .xlsx files are)'],
  ['PK\x05\x06', 'an empty ZIP archive'],
  ['7z\xbc\xaf', 'a 7z archive'],
  ['Rar!', 'a RAR archive'],
  ['BZh', 'a file packed by bzip2'],
  ['\xfd7zXZ', 'a file packed by xz'],
  ['\x28\xb5\x2f\xfd', 'a file packed by Zstandard'],
  ['\x89HDF', 'an HDF5 file (as MINC 2 and new .mat files are)'],
  ['CDF\x01', 'a NetCDF file (as MINC 1 files are)'],
  ['CDF\x02', 'a NetCDF file (as MINC 1 files are)'],
  ['MATLAB ', 'a MATLAB file'],
  ['%PDF', 'a PDF document'],
  ['# vtk DataFile', 'a VTK file'],
  ['version https://git-lfs', 'a pointer of Git LFS (git lfs pull fetches the file itself)'],
];

/** Kinds of texts. */
const texts: readonly (readonly [RegExp, string])[] = [
  [/^\s*<(\?xml|!doctype|html|vtkfile)/i, 'a text of XML or HTML (a page instead of a download?)'],
  [/^\s*[[{]\s*["'[\]{}\d-]/, 'a text of JSON'],
];

/** What a file is whose first bytes say that it is something else than a scan; undefined where they say nothing. */
export function otherKind(start: Uint8Array): string | undefined {
  if (start.length === 0) return 'an empty file';
  const text = latin1(start);
  const known = starts.find(([bytes]) => text.startsWith(bytes)) ?? texts.find(([form]) => form.test(text));
  return known?.[1];
}

/** What a gzipped file holds where that is no NIfTI, in words; undefined where its first bytes say nothing. */
export async function packedKind(files: ScanFiles, file: string): Promise<string | undefined> {
  const reader = await ByteReader.open(files, file);
  try {
    if (!reader.gzipped) return undefined;
    const start = await reader.take(512);
    const kind = startsWithText(start, /^NRRD/)
      ? 'an NRRD file'
      : looksLikeMetaImage('', start)
        ? 'a MetaImage'
        : latin1(start, 128, 132) === 'DICM'
          ? 'a file of DICOM'
          : latin1(start, 257, 262) === 'ustar'
            ? 'an archive (tar)'
            : start.length > 0 && otherKind(start);
    return kind ? `${kind} that is packed by gzip` : undefined;
  } finally {
    await reader.close();
  }
}

/** The first bytes, for a message. */
export const foundBytes = (start: Uint8Array): string =>
  otherKind(start) ?? `bytes ${hex(start.subarray(0, 4))}`;

const scanName = /\.(nii(\.gz)?|hdr(\.gz)?|nrrd|nhdr|mha|mhd)$/i;

/**
 * What a folder is, by all names in it, and what to give instead, where it is no folder of a DICOM series; undefined where it may be
 * one.
 */
export function otherFolder(
  folder: string,
  all: readonly string[],
): { expected: string; found: string; hint: string } | undefined {
  const names = all.filter((name) => !name.startsWith('._')).sort();
  const expected = 'a scan';
  if (names.includes('zarr.json')) {
    const hint =
      'Stores that are read are of version 2, as halomesh preprocess makes them; convert others to NIfTI.';
    return { expected, found: 'a Zarr store of version 3', hint };
  }
  if (names.includes('.zgroup') || names.includes('.zattrs')) {
    const hint = 'Give the folder of one array of a case, such as STORE/CASE/image.';
    return { expected, found: 'a group of Zarr arrays', hint };
  }
  const scans = names.filter((name) => scanName.test(name));
  const named = scanName.exec(baseName(folder.replace(/[/\\]+$/, '')))?.[0];
  if (scans.length > 0) {
    const what = named === undefined ? 'a folder' : `a folder, though its name ends in ${named},`;
    const more = scans.length > 1 ? ` and ${scans.length - 1} more` : '';
    return { expected, found: `${what} with ${scans[0]}${more}`, hint: 'Give a file in it.' };
  }
  if (named === undefined) return undefined;
  if (names.length === 0) {
    const found = `an empty folder, though its name ends in ${named}`;
    return { expected: 'a file', found, hint: 'Copy the scan again.' };
  }
  return undefined;
}
