import path from 'node:path';
import { inNaturalOrder, sameForm } from '../../../files/index.ts';
import { ImagingError } from '../../volume/errors.ts';
import type { OpenScan, ScanReadOptions, SlabSink } from '../../volume/scan-types.ts';
import { describeGrid, type Grid, sameGrid, voxelCount } from '../../volume/volume.ts';
import { allocateVoxels } from '../../volume/voxel-decoder.ts';

// A label map that is a folder with one file for each structure, `liver.nii.gz`, `spleen.nii.gz`..., as TotalSegmentator has them: 0
// outside of the structure, one other value within. Labels are 1, 2... in the natural order of the names.

/** What the files of structures end in. */
const ending = /\.(nii(\.gz)?|nrrd|mha)$/i;

/** A structure and its file. */
export interface Structure {
  readonly name: string;
  readonly file: string;
}

/** The structures of a folder, by the names of its files, in the order of their labels; empty where it holds none. */
export function structuresOf(folder: string, names: readonly string[]): Structure[] {
  // Some programs unpack a file into a folder of its name, which is no folder of structures.
  if (ending.test(folder)) return [];
  return names
    .filter((name) => !name.startsWith('.') && ending.test(name))
    .map((name) => ({ name: sameForm(name.replace(ending, '')), file: path.join(folder, name) }))
    .sort((a, b) => inNaturalOrder(a.name, b.name));
}

/** Largest label that a voxel may have. */
const mostStructures = 255;

/**
 * Opens the structures of a folder as one label map, on the grid of the first of them. Files are read one after the other, so that one
 * byte a voxel is held however many there are. Throws ImagingError where they lie on different grids; reading does for a voxel of two
 * structures, and for a file with other values than 0 and one whole number.
 */
export async function openStructures(
  folder: string,
  structures: readonly Structure[],
  options: ScanReadOptions,
  open: (file: string, options: ScanReadOptions) => Promise<OpenScan>,
): Promise<OpenScan> {
  if (structures.length > mostStructures)
    throw new ImagingError({
      file: folder,
      field: 'structures',
      expected: `at most ${mostStructures}`,
      found: `${structures.length}`,
    });
  const first = await open(structures[0].file, options);
  await first.close();
  const { header } = first;
  return {
    header: { ...header, file: folder, type: 'uint8', slope: 1, intercept: 0 },
    async read(slab, _checkFinite, take) {
      const labels = new Uint8Array(voxelCount(header.shape));
      for (const [n, structure] of structures.entries())
        await addStructure(labels, n + 1, structures, header, await open(structure.file, options));
      handOver(labels, header, slab, take);
    },
    close: async () => {},
  };
}

/** Writes a label where its structure is; closes the file. */
async function addStructure(
  labels: Uint8Array,
  label: number,
  structures: readonly Structure[],
  first: Grid,
  scan: OpenScan,
): Promise<void> {
  const { file } = structures[label - 1];
  const { shape } = first;
  const plane = shape[1] * shape[2];
  try {
    if (!sameGrid(scan.header, first))
      throw new ImagingError({
        file,
        field: 'geometry',
        expected: `the grid of ${path.basename(structures[0].file)} (${describeGrid(first)})`,
        found: describeGrid(scan.header),
        hint: 'All structures of a case must lie on one grid, with the same order of axes.',
      });
    let inside: number | undefined;
    const slices = Math.max(1, Math.floor(slabVoxels / plane));
    const slab = allocateVoxels(file, scan.header, Math.min(shape[0], slices) * plane);
    await scan.read(slab, true, (voxels, slice) => {
      for (let n = 0, at = slice * plane; n < voxels.length; n++, at++) {
        const value = voxels[n];
        if (value === 0) continue;
        inside ??= value;
        const where = (): string => {
          const [k, j, i] = [Math.floor(at / plane), Math.floor(at / shape[2]) % shape[1], at % shape[2]];
          return `voxel (depth, height, width) = (${[k, j, i].join(', ')})`;
        };
        if (value !== inside || !Number.isInteger(value))
          throw new ImagingError({
            file,
            field: where(),
            expected: '0 or one other whole number, the same in all of the structure',
            found: value === inside ? `${value}` : `${inside} and ${value}`,
            hint: 'A file of a structure says where it is and nothing else.',
          });
        if (labels[at] !== 0)
          throw new ImagingError({
            file,
            field: where(),
            expected: 'one structure',
            found: `${structures[labels[at] - 1].name} and ${structures[label - 1].name}`,
            hint: 'Structures must not overlap: take the voxel out of one of both.',
          });
        labels[at] = label;
      }
    });
  } finally {
    await scan.close();
  }
}

/** Voxels that are read of a structure at once. */
const slabVoxels = 2 ** 22;

function handOver(
  labels: Uint8Array,
  { shape }: Grid,
  slab: Parameters<OpenScan['read']>[0],
  take: SlabSink<unknown>['take'],
): void {
  const plane = shape[1] * shape[2];
  const slices = Math.floor(slab.length / plane);
  for (let first = 0; first < shape[0]; first += slices) {
    const part = labels.subarray(first * plane, Math.min(shape[0], first + slices) * plane);
    const voxels = slab.subarray(0, part.length);
    voxels.set(part);
    take(voxels, first);
  }
}
