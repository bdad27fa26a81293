import {
  type ChannelledCase,
  channelFiles,
  checkSameGrid,
  readChannelHeader,
  readChannelSlabs,
} from '../dataset/channels.ts';
import { loadLabels } from '../dataset/labels.ts';
import { connectedComponents, labelSet } from '../parts/components.ts';
import { partPlaces } from '../parts/part-places.ts';
import { applyAffine } from '../volume/affine.ts';
import { boxPlacer, canonicalGrid, orientationOnto } from '../volume/orientation.ts';
import { voxelCount, voxelVolume } from '../volume/volume.ts';
import { wholeBox } from '../volume/voxel-source.ts';

/** A structure of a label map: the voxels that have one of some values. */
export interface Structure {
  readonly name: string;
  readonly values: readonly number[];
  /** Whether its connected parts (over faces, edges and corners) are told one by one. */
  readonly parts?: boolean;
}

/** What is known of some voxels of a scan. */
export interface VoxelStatistics {
  readonly voxels: number;
  readonly ml: number;
  /** Mean value of each channel, in the units of its file; null without voxels. */
  readonly means: readonly (number | null)[];
}

export interface PartStatistics extends VoxelStatistics {
  /** A voxel of it near its middle, RAS+ mm. */
  readonly mm: readonly [x: number, y: number, z: number];
}

export interface StructureStatistics extends VoxelStatistics {
  readonly name: string;
  /** The largest first; absent where they were not asked for. */
  readonly parts?: readonly PartStatistics[];
}

/**
 * Volumes and mean intensities of the structures of a label map on its scan. Sums are taken in float64, in RAS+ order of the voxels.
 * Holds a channel of the scan (4 bytes a voxel) and the labels. Throws ImagingError where a file cannot be read.
 */
export async function labelStatistics(
  scan: ChannelledCase,
  label: string,
  structures: readonly Structure[],
): Promise<StructureStatistics[]> {
  const grid = canonicalGrid(await readChannelHeader(scan));
  const { data: labels } = await loadLabels(label, grid);
  const ml = voxelVolume(grid) / 1000;
  const counts = new Float64Array(256);
  for (const value of labels) counts[value]++;
  const apart = structures.map(({ values, parts }) => {
    if (!parts) return undefined;
    const found = connectedComponents(labels, grid.shape, labelSet(values), 26);
    return { found, means: Array.from({ length: found.count }, (): number[] => []) };
  });
  const means = structures.map((): (number | null)[] => []);
  const image = new Float32Array(voxelCount(grid.shape));
  for (const channel of channelFiles(scan).keys()) {
    await readChannelSlabs(scan, channel, (header) => {
      checkSameGrid(scan, channel, header, grid);
      const place = boxPlacer(header, wholeBox(grid.shape), image, orientationOnto(header, grid)!);
      return { take: place, end: () => undefined };
    });
    const sums = new Float64Array(256);
    for (let n = 0; n < labels.length; n++) sums[labels[n]] += image[n];
    for (const [s, { values }] of structures.entries()) {
      const count = totalOf(counts, values);
      means[s].push(count === 0 ? null : totalOf(sums, values) / count);
      const ofStructure = apart[s];
      if (ofStructure === undefined) continue;
      const { start, end, part, voxels, count: parts } = ofStructure.found;
      const own = new Float64Array(parts);
      for (let run = 0; run < part.length; run++)
        for (let n = start[run]; n < end[run]; n++) own[part[run]] += image[n];
      for (const [p, sum] of own.entries()) ofStructure.means[p].push(sum / voxels[p]);
    }
  }
  return structures.map(({ name, values }, s) => {
    const voxels = totalOf(counts, values);
    const whole = { name, voxels, ml: voxels * ml, means: means[s] };
    const ofStructure = apart[s];
    if (ofStructure === undefined) return whole;
    const parts = partPlaces(ofStructure.found).map(([k, j, i], p) => {
      const own = ofStructure.found.voxels[p];
      const mm = applyAffine(grid.affine, [i, j, k]);
      return { voxels: own, ml: own * ml, means: ofStructure.means[p], mm };
    });
    return { ...whole, parts: parts.sort((a, b) => b.voxels - a.voxels) };
  });
}

const totalOf = (byValue: Float64Array, values: readonly number[]): number =>
  values.reduce((sum, value) => sum + byValue[value], 0);
