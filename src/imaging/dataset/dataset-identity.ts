import { createHash, type Hash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { openFile, systemErrorReason } from '../../files/index.ts';
import { imageOf, isZarr, readCaseDescription } from '../store/format.ts';
import { chunkFile, openZarr } from '../store/zarr-array.ts';
import { ImagingError } from '../volume/errors.ts';
import { inParallel } from '../volume/in-parallel.ts';
import { imageFiles } from './channels.ts';
import type { Case, Dataset } from './dataset.ts';

/** Bytes of a file that are looked at: its header, and the first voxels of small files. */
const firstBytes = 4096;

/** Cases whose files are looked at at the same time. */
const together = 8;

/** Headers whose voxels lie in a file beside them, and the endings of such files. */
const apart = /\.(hdr|nhdr|mhd)(\.gz)?$/i;
const voxelsApart = /\.(img|raw|zraw|bin)(\.gz)?$/i;

/**
 * What the labelled cases of a data set are known by, by their ids: 16 hex digits each, which stay the same where the data set is
 * moved or copied and differ where the files of the case do. Sizes and first bytes of image and label map count; of a folder of
 * DICOM, names and sizes of its files and the first bytes of one; of a store, the descriptions of its arrays and their first
 * chunks. Reads some KiB of a case. Throws ImagingError for a file that cannot be read.
 */
export async function datasetIdentity(dataset: Dataset): Promise<Map<string, string>> {
  const found: string[] = [];
  await inParallel(dataset.cases.keys(), together, async (n) => {
    found[n] = await caseIdentity(dataset.cases[n]);
  });
  return new Map(dataset.cases.map(({ id }, n) => [id, found[n]]));
}

async function caseIdentity(entry: Case): Promise<string> {
  const { image, series, lean, label, imageLabel } = entry;
  const hash = createHash('sha256');
  if (isZarr(image)) await addStoredCase(hash, path.dirname(image));
  for (const file of [...imageFiles(entry), label]) {
    hash.update('\n');
    if (file !== undefined) await guarded(file, () => addScan(hash, file));
  }
  hash.update(`\n${series ?? ''}`);
  if (lean !== undefined) hash.update(`\n${lean}`);
  if (imageLabel !== undefined) hash.update(`\nclass ${imageLabel}`);
  return hash.digest('hex').slice(0, 16);
}

async function addScan(hash: Hash, file: string): Promise<void> {
  if (isZarr(file)) return addArray(hash, file);
  if ((await stat(file)).isDirectory()) return addFolder(hash, file);
  await addFile(hash, file);
  if (!apart.test(file)) return;
  const stem = path.basename(file).replace(apart, '');
  const beside = (await filesIn(path.dirname(file))).filter(
    (name) => voxelsApart.test(name) && name.replace(voxelsApart, '') === stem,
  );
  for (const name of beside) await addFile(hash, path.join(path.dirname(file), name));
}

async function addFile(hash: Hash, file: string): Promise<void> {
  const handle = await openFile(file);
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(firstBytes), 0, firstBytes, 0);
    hash.update(`${size} ${bytesRead}\n`).update(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

async function addFolder(hash: Hash, folder: string): Promise<void> {
  const names = await filesIn(folder);
  for (const name of names) hash.update(`${name} ${(await stat(path.join(folder, name))).size}\n`);
  if (names.length > 0) await addFile(hash, path.join(folder, names[0]));
}

async function addArray(hash: Hash, folder: string): Promise<void> {
  const array = await openZarr(folder);
  hash.update(JSON.stringify([array.shape, array.chunks, array.type]));
  await addFile(hash, chunkFile(array, [0, 0, 0]));
}

/** What stands beside the arrays, but for the paths and times of the files that they were made from. */
async function addStoredCase(hash: Hash, folder: string): Promise<void> {
  const {
    affine,
    original,
    filled,
    preprocessing,
    channels = [],
    classes,
  } = await readCaseDescription(folder);
  hash.update(JSON.stringify([affine, original, filled, preprocessing, classes]));
  for (let channel = 1; channel < channels.length; channel++)
    await addArray(hash, path.join(folder, imageOf(channel)));
}

/** Names of the files of a folder, in one order everywhere. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

async function guarded(file: string, add: () => Promise<void>): Promise<void> {
  try {
    await add();
  } catch (error) {
    if (error instanceof ImagingError) throw error;
    const found = systemErrorReason(error);
    throw new ImagingError(
      { file, field: 'file', expected: 'a file that can be read', found },
      { cause: error },
    );
  }
}
