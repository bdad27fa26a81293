import { ImagingError } from './errors.ts';
import { toCanonical } from './orientation.ts';
import { describeGrid, type Grid, sameGrid, type Volume } from './volume.ts';

/**
 * A label map as bytes, checked: every voxel is a whole number from 0 to 255 and, where `names` is given,
 * one of its indices. `file` is for messages. Throws ImagingError for the first voxel that is not.
 */
export function labelBytes(volume: Volume, file: string, names?: readonly string[]): Volume<Uint8Array> {
  const { data, shape } = volume;
  const limit = names?.length ?? 256;
  const out = data instanceof Uint8Array ? data : Uint8Array.from(data);
  for (let n = 0; n < data.length; n++) {
    if (out[n] === data[n] && out[n] < limit) continue;
    const [, height, width] = shape;
    const index = [Math.floor(n / (width * height)), Math.floor(n / width) % height, n % width];
    const known = names?.map((name, value) => `${value} ${name}`).join(', ');
    throw new ImagingError({
      file,
      field: `label at voxel (depth, height, width) = (${index.join(', ')})`,
      expected: known === undefined ? 'a whole number from 0 to 255' : `one of ${known}`,
      found: `${data[n]}`,
      hint: 'Correct the label map, or the labels in dataset.json.',
    });
  }
  return { ...volume, data: out };
}

/**
 * A label map in RAS+ order that lies voxel for voxel on `image`, a RAS+ grid; the label map may be stored in
 * another axis order. Throws ImagingError with both geometries where it covers another grid.
 */
export function alignLabels(labels: Volume<Uint8Array>, image: Grid, file: string): Volume<Uint8Array> {
  const { volume } = toCanonical(labels);
  if (sameGrid(volume, image)) return volume;
  throw new ImagingError({
    file,
    field: 'geometry',
    expected: `the image's grid (in RAS+ order: ${describeGrid(image)})`,
    found: `${describeGrid(volume)} in RAS+ order`,
    hint: 'Bring the label map to the grid of its image, or correct its affine.',
  });
}
