import {
  type ChannelledCase,
  checkSameGrid,
  readChannelHeader,
  readChannelSlabs,
  withStoredChannels,
} from '../dataset/channels.ts';
import { loadLabels } from '../dataset/labels.ts';
import { IGNORED, ignoresVoxels, type LabelCodes } from '../volume/label-codes.ts';
import { canonicalGrid, fromCanonical, orientationOf } from '../volume/orientation.ts';
import { type Intensities, IntensityCounter, summaryOf } from './intensity-counts.ts';

/** A case with a label map, or one whose voxels all count. */
export interface LabelledCase extends ChannelledCase {
  readonly label?: string;
  readonly labelNames?: readonly string[];
  readonly labelCodes?: LabelCodes;
}

/**
 * The intensities of one of so many channels beneath all labels above 0 of some cases, of one without a label map those of all voxels, in the order of the cases: whole numbers of 16 bits are counted
 * exactly. Undefined where there is no such voxel. Holds the labels of one case. Throws ImagingError for the first one that cannot be read.
 */
export async function foregroundIntensities(
  cases: readonly LabelledCase[],
  { channel, channels }: { readonly channel: number; readonly channels: number },
): Promise<Intensities | undefined> {
  const counter = new IntensityCounter();
  for (const one of cases) {
    const entry = withStoredChannels(one, channels);
    const first = await readChannelHeader(entry);
    const canonical =
      entry.label === undefined
        ? undefined
        : await loadLabels(entry.label, canonicalGrid(first), entry.labelNames, entry.labelCodes);
    const left = ignoresVoxels(entry.labelCodes);
    await readChannelSlabs(entry, channel, (header) => {
      checkSameGrid(entry, channel, header, first);
      const labels = canonical && fromCanonical(canonical, orientationOf(header.affine)).data;
      const plane = header.shape[1] * header.shape[2];
      return {
        take(voxels, from) {
          for (let n = 0; n < voxels.length; n++) {
            const label = labels === undefined ? 1 : labels[from * plane + n];
            if (label > 0 && !(left && label === IGNORED)) counter.add(voxels[n]);
          }
        },
        end: () => undefined,
      };
    });
  }
  return summaryOf(counter.counts());
}
