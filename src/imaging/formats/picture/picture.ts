import { readStart } from '../byte-reader.ts';
import { latin1 } from '../bytes.ts';
import type { ScanFiles } from '../scan-files.ts';
import type { OpenPicture, PictureReadOptions, PictureTiles } from './picture-types.ts';
import { TileCache } from './tile-cache.ts';

type Opener = (files: ScanFiles, file: string, options: PictureReadOptions) => Promise<PictureTiles>;

const openPng: Opener = async (...args) => (await import('./whole/png-read.ts')).openPng(...args);
const openJpeg: Opener = async (...args) => (await import('./whole/jpeg-read.ts')).openJpeg(...args);
const openTiff: Opener = async (...args) => (await import('./tiff/tiff-read.ts')).openTiff(...args);

/** What reads each kind of picture, by the bytes that its files begin with, in Latin-1. */
const kinds: readonly (readonly [start: string, Opener])[] = [
  ['\x89PNG\r\n\x1a\n', openPng],
  ['\xff\xd8\xff', openJpeg],
  ['II*\0', openTiff],
  ['MM\0*', openTiff],
  ['II+\0', openTiff],
  ['MM\0+', openTiff],
];

function openerFor(start: Uint8Array): Opener | undefined {
  const text = latin1(start, 0, 8);
  return kinds.find(([bytes]) => text.startsWith(bytes))?.[1];
}

/** Whether a file that begins with these bytes is a picture that can be read. */
export const isPicture = (start: Uint8Array): boolean => openerFor(start) !== undefined;

/** Bytes of unpacked tiles that are kept by default. */
const cacheBytes = 2 ** 26;

/**
 * Opens a PNG, JPEG or TIFF, told apart by content; undefined for another file. PNG and JPEG are unpacked as a whole, TIFF by tiles, of
 * which `keep` bytes stay in memory. Throws ImagingError where it is a picture that cannot be read.
 */
export async function openPicture(
  files: ScanFiles,
  file: string,
  options: PictureReadOptions = {},
  keep = cacheBytes,
): Promise<OpenPicture | undefined> {
  const opener = openerFor(await readStart(files, file, 8));
  if (opener === undefined) return undefined;
  const { tile, ...facts } = await opener(files, file, options);
  const cache = new TileCache({ ...facts, tile }, keep);
  return { ...facts, read: (level, box, out) => cache.read(level, box, out) };
}
