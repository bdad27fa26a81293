import { readScan, readScanHeader, spacingOf, toCanonical } from '../../../dist/imaging/index.js';

// 4 x 5 x 6 voxels, the fastest axis first, of 2 x 3 x 4 mm.

export const COUNT = 120;

export const voxels = Buffer.alloc(2 * COUNT);
for (let i = 0; i < COUNT; i++) voxels.writeInt16LE(3 * i - 100, 2 * i);

/** What is wrong with a scan; undefined where all of it is sound. */
export async function readSound(file) {
  const header = await readScanHeader(file);
  const scan = await readScan(file);
  if (`${header.shape}` !== `${scan.shape}`)
    return `the header has the shape ${header.shape}, the scan ${scan.shape}`;
  return soundness(scan);
}

export function soundness(scan) {
  const { shape, data, affine } = scan;
  if (!shape.every((size) => Number.isSafeInteger(size) && size > 0)) return `shape ${shape}`;
  if (data.length !== shape[0] * shape[1] * shape[2]) return `${data.length} voxels of the shape ${shape}`;
  if (!affine.every(Number.isFinite)) return `affine ${affine}`;
  if (!data.every(Number.isFinite)) return 'a voxel is not finite';
  if (!spacingOf(scan).every((size) => size > 0 && Number.isFinite(size)))
    return `spacing ${spacingOf(scan)}`;
  if (toCanonical(scan).volume.data.length !== data.length) return 'turned, it has another number of voxels';
  return undefined;
}

export const equal = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);
