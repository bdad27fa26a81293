import { labelOptions, nearestLabel } from '../dataset/labels.ts';
import { headerOfFile } from '../formats/picture/picture-grid.ts';
import { readScanSlabs } from '../formats/scan.ts';
import { codeTable, type LabelCodes } from '../volume/label-codes.ts';
import type { ScanHeader } from '../volume/scan-types.ts';
import type { Grid } from '../volume/volume.ts';
import { voxelAt } from './image-facts.ts';

/** A value of a label map that is no label. */
export interface StrangeValue {
  readonly value: number;
  /** Voxels that have it, and where the first is (depth, height, width). */
  readonly count: number;
  readonly first: readonly number[];
}

/** What is known of a label map once all its voxels have been read. */
export interface LabelFacts {
  readonly header: ScanHeader;
  /** Voxels of each value 0, 1, 2... up to the last that may be. */
  readonly counts: readonly number[];
  /** Values that are no labels, at most a few of them, and in how many voxels altogether. */
  readonly strange: readonly StrangeValue[];
  readonly strangeVoxels: number;
}

const mostStrange = 5;

/**
 * Counts the values of the label map of an image, of which those that `codes` knows may be, or those with `names`. Throws ImagingError where it
 * cannot be read.
 */
export function readLabelFacts(
  file: string,
  image: Grid | undefined,
  names?: readonly string[],
  codes?: LabelCodes,
): Promise<LabelFacts> {
  const table = codeTable(codes, names?.length);
  const options = labelOptions(image, names, codes);
  return readScanSlabs(file, { ...options, nonFinite: 'keep' }, (header) => {
    const counts = new Array<number>(table.findLastIndex((cls) => cls >= 0) + 1).fill(0);
    const strange = new Map<number, { value: number; count: number; first: readonly number[] }>();
    let strangeVoxels = 0;
    return {
      take(voxels, first) {
        for (let n = 0; n < voxels.length; n++) {
          const value = voxels[n];
          const label = nearestLabel(value);
          if (label >= 0 && table[label] >= 0) {
            counts[label]++;
            continue;
          }
          strangeVoxels++;
          const known = strange.get(value);
          if (known !== undefined) known.count++;
          else if (strange.size < mostStrange)
            strange.set(value, { value, count: 1, first: voxelAt(header, n, first) });
        }
      },
      end: () => ({ header: headerOfFile(header), counts, strange: [...strange.values()], strangeVoxels }),
    };
  });
}
