import { ImagingError } from '../volume/errors.ts';
import { canonicalGrid } from '../volume/orientation.ts';
import { describeGrid, type Grid, sameGrid } from '../volume/volume.ts';

/** Throws ImagingError where a channel of a case does not lie on the voxels of its first one; the order of axes may differ. */
export function checkChannelGrid(
  { id, file, channel }: { readonly id: string; readonly file: string; readonly channel: number },
  grid: Grid,
  first: Grid,
): void {
  const [own, wanted] = [canonicalGrid(grid), canonicalGrid(first)];
  if (sameGrid(own, wanted)) return;
  throw new ImagingError({
    file,
    field: `geometry of channel ${channel} of case ${id}`,
    expected: `the grid of its channel 0 (in RAS+ order: ${describeGrid(wanted)})`,
    found: `${describeGrid(own)} in RAS+ order`,
    hint: 'Bring all channels of a case to one grid, with the tool that registered them.',
  });
}
