import { checkLabels } from '../parts/components.ts';
import { type Shape3, type VoxelSize, voxelCount } from '../volume/volume.ts';
import { boxShape, type VoxelBox } from '../volume/voxel-source.ts';
import { type Distances, distancesTo } from './distance.ts';

/** What distances are taken of. */
export interface Regions {
  /** Labels of each region; a region without labels has the distance 0 everywhere. */
  readonly regions: readonly (readonly number[])[];
  /** The label of voxels that do not count: they are in no region, and their distance is 0. */
  readonly ignore?: number;
}

/**
 * Signed distances to the boundaries of regions of a label map, [depth, height, width], in mm on a grid of any spacing whose axes may
 * lean: outside of a region the way to the nearest of its voxels, inside below 0 the way to the nearest voxel that is none of its.
 * Where a region has no voxel, or all, there is no boundary, and distances are 0. All voxels decide on each distance, so a box has the
 * numbers of the whole. Holds the label map, and 4 bytes a voxel for each region with labels.
 */
export class SignedDistances {
  private readonly labels: Uint8Array;
  private readonly shape: Shape3;
  private readonly ignore: number | undefined;
  private readonly maps: readonly ({ readonly outside: Distances; readonly inside: Distances } | undefined)[];

  /** Throws ImagingError for sizes that do not fit. */
  constructor(labels: Uint8Array, shape: Shape3, voxel: VoxelSize, { regions, ignore }: Regions) {
    checkLabels(labels, shape, 'labels');
    this.labels = labels;
    this.shape = shape;
    this.ignore = ignore;
    const plane = shape[1] * shape[2];
    this.maps = regions.map((region) => {
      if (region.length === 0) return undefined;
      const within = new Uint8Array(256);
      for (const label of region) within[label] = 1;
      const mapOf = (wanted: 0 | 1) =>
        distancesTo(shape, voxel, (k, flags) => {
          const from = k * plane;
          for (let n = 0; n < plane; n++) if (within[labels[from + n]] === wanted) flags[n] = 1;
        });
      return { outside: mapOf(1), inside: mapOf(0) };
    });
  }

  /** Those of a box and of the regions from `first` to before `end`, [depth, height, width, region]. */
  read(box: VoxelBox, first = 0, end = this.maps.length): Float32Array {
    const { labels, shape, ignore, maps } = this;
    const [, height, width] = shape;
    const out = new Float32Array(voxelCount(boxShape(box)) * (end - first));
    for (let region = first; region < end; region++) {
      const map = maps[region];
      if (map === undefined) continue;
      let at = region - first;
      for (let k = box.start[0]; k < box.end[0]; k++)
        for (let j = box.start[1]; j < box.end[1]; j++)
          for (let i = box.start[2]; i < box.end[2]; i++, at += end - first) {
            if (labels[(k * height + j) * width + i] === ignore) continue;
            const away = Math.sqrt(map.outside.squaredAt(k, j, i)) - Math.sqrt(map.inside.squaredAt(k, j, i));
            if (Number.isFinite(away)) out[at] = away;
          }
    }
    return out;
  }
}
