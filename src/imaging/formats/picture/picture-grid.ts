import { canonicalGrid } from '../../volume/orientation.ts';
import { isPictureFormat, type ScanHeader } from '../../volume/scan-types.ts';
import type { Grid } from '../../volume/volume.ts';

// A picture is a volume of depth 1 with one or three channels: what goes through volumes goes through pictures too. It knows no patient, so
// rows run to the front and columns to the right, and the order of the file is RAS+ order: nothing is ever turned, and a label map
// that is written has its rows where the picture has them.

/** What names of pictures end in. */
export const pictureEnding = /\.(png|jpe?g|(ome\.)?tiff?|btf|svs)$/i;
/** What names of outlines on a picture end in. */
export const outlineEnding = /\.geojson$/i;

/** Whether a file is a picture, or one of outlines on it, by its name. */
export const isPictureName = (file: string): boolean => pictureEnding.test(file);

/** The grid of a picture; `rowMm`, `columnMm`: from pixel to pixel. Its one slice is as thick as a row is wide. */
export function pictureGrid(height: number, width: number, rowMm: number, columnMm: number): Grid {
  const affine = [columnMm, 0, 0, 0, 0, rowMm, 0, 0, 0, 0, rowMm, 0, 0, 0, 0, 1];
  return { shape: [1, height, width], affine };
}

/** The grid of a picture whose rows are its slices, which pass by one after the other: the same pixels at the same places. */
export function rowsAsSlices({ shape: [, height, width], affine }: Grid): Grid {
  const swapped = [...affine];
  for (const row of [0, 4, 8]) [swapped[row + 1], swapped[row + 2]] = [affine[row + 2], affine[row + 1]];
  return { shape: [height, 1, width], affine: swapped };
}

/** The header of a file, of a picture whose rows pass by as slices with its own axes. */
export function headerOfFile(header: ScanHeader): ScanHeader {
  return isPictureFormat(header.format) ? { ...header, ...canonicalGrid(header) } : header;
}
