import { ImagingError } from '../../volume/errors.ts';
import { type Grid, spacingOf, voxelCount } from '../../volume/volume.ts';
import type { VoxelBox } from '../../volume/voxel-source.ts';
import type { SliceWriter } from '../byte-writer.ts';
import { createOutlineWriter } from '../picture/geojson-write.ts';
import { createTiffWriter } from '../picture/tiff-write.ts';
import type { Segment } from './segments.ts';

/** A label map of a picture that is to be written. */
export interface PictureLabelFile {
  readonly grid: Grid;
  /** All classes but the background, which is 0. */
  readonly segments: readonly Segment[];
  /** Red, green and blue (0 to 255) by value; grey by default. */
  readonly colours?: ReadonlyMap<number, readonly [number, number, number]>;
  /** The file of outlines that is written beside, if one is. */
  readonly outlines?: string;
}

/** A label map of a picture in the making, as a slice or as boxes of it in any order. */
export interface BoxWriter extends SliceWriter {
  /** Puts labels in their place; the array may be used again when this resolves. No pixel comes twice. */
  writeBox(box: VoxelBox, labels: Uint8Array): Promise<void>;
}

/** Throws ImagingError for a volume, of which no label map is written in TIFF. */
export function checkPicture(file: string, { shape: [depth] }: Grid): void {
  if (depth === 1) return;
  throw new ImagingError({
    file,
    field: 'output',
    expected: 'a picture as the input of a label map in TIFF',
    found: `a volume of ${depth} slices`,
    hint: 'Write .nii.gz, .nrrd, .seg.nrrd or .mha.',
  });
}

const GREY = [128, 128, 128] as const;

/**
 * Begins the label map of a picture as a pyramid of tiles with its microns a pixel, and the outlines of its classes where a file
 * for them is named: both appear together. Throws ImagingError, after which nothing of either is left.
 */
export async function createPictureLabels(
  file: string,
  { grid, segments, colours, outlines: outlinesFile }: PictureLabelFile,
): Promise<BoxWriter> {
  checkPicture(file, grid);
  const [, height, width] = grid.shape;
  const [, row, column] = spacingOf(grid);
  const colourOf = (value: number) => colours?.get(value) ?? GREY;
  const highest = segments.reduce((most, { value }) => Math.max(most, value), 0);
  const labels = await createTiffWriter(file, {
    ...{ height, width, samples: 1, type: 'uint8', labels: true },
    microns: [microns(row), microns(column)],
    colours: Array.from({ length: highest + 1 }, (_, value) =>
      value === 0 ? ([0, 0, 0] as const) : colourOf(value),
    ),
  });
  const classes = new Map(segments.map(({ name, value }) => [value, { name, colour: colourOf(value) }]));
  const writeBox = ({ start, end }: VoxelBox, values: Uint8Array): Promise<void> =>
    labels.put({ row0: start[1], row1: end[1], col0: start[2], col1: end[2] }, values);
  return {
    writeBox,
    async writeSlice(voxels) {
      if (voxels.length !== voxelCount(grid.shape))
        throw new RangeError(`unreachable: ${voxels.length} labels of ${height} x ${width}`);
      const values = voxels instanceof Uint8Array ? voxels : Uint8Array.from(voxels);
      await writeBox({ start: [0, 0, 0], end: grid.shape }, values);
    },
    async finish() {
      if (outlinesFile === undefined) return labels.finish();
      const outlines = await createOutlineWriter(outlinesFile, width, classes);
      try {
        await labels.eachRowOfTiles((_, __, pixels) => outlines.rows(Uint8Array.from(pixels)));
        await outlines.finish();
        await labels.finish();
      } catch (error) {
        await outlines.abort();
        throw error;
      }
    },
    abort: () => labels.abort(),
  };
}

/** Microns of mm, without the last places that a product of two floats has. */
const microns = (mm: number): number => Number((1000 * mm).toPrecision(12));
