import { affineLean } from '../affine.ts';
import { ImagingError } from '../errors.ts';
import { compactType, elementBytes } from '../nifti-types.ts';
import { defaultMaxBytes, type OpenScan, type ScanReadOptions } from '../scan-types.ts';
import { voxelCount } from '../volume.ts';
import { allocateVoxels } from '../voxel-decoder.ts';
import { raiseSlice, uprightGrid } from './upright.ts';

/** Sine of the lean from which axes count as leaning: half a degree. */
export const leastLean = Math.sin(Math.PI / 360);
/** Sine of the largest lean that is straightened: 60 degrees. */
const mostLean = Math.sin(Math.PI / 3);

/** How far the axes of an affine lean, in degrees. */
export const leanDegrees = (affine: readonly number[]): number =>
  (Math.asin(Math.min(1, affineLean(affine))) * 180) / Math.PI;

/**
 * A scan on an upright grid, resampled slice by slice as it is read: linearly, label maps by the nearest voxel. One that does not lean
 * is given back as it is. Throws ImagingError for axes that lean too far and for voxels that take more than `options.maxBytes`.
 */
export function uprightScan(scan: OpenScan, options: ScanReadOptions): OpenScan {
  const { header } = scan;
  if (affineLean(header.affine) <= leastLean) return scan;
  const { file, shape, affine, stored } = header;
  const degrees = leanDegrees(affine).toFixed(1);
  const upright =
    affineLean(affine) <= mostLean ? uprightGrid({ shape, affine, ...(stored && { stored }) }) : undefined;
  if (upright === undefined)
    throw new ImagingError({
      file,
      field: 'lean of the axes',
      expected: 'at most 60 degrees',
      found: `${degrees}`,
      hint: 'Its header is damaged, or no gantry was tilted: resample it to perpendicular axes with another tool.',
    });
  const { grid } = upright;
  const isLabels = options.labels === true;
  const type = isLabels ? compactType(header.type) : 'float32';
  const most = options.maxBytes ?? defaultMaxBytes;
  const bytes = voxelCount(grid.shape) * elementBytes(type);
  if (bytes > most) {
    const expected = `at most ${most} bytes of upright voxels`;
    throw new ImagingError({ file, field: 'lean of the axes', expected, found: `${bytes} bytes` });
  }
  const note = `leaned by ${degrees} degrees (gantry tilt) and was resampled upright`;
  const scaling = isLabels ? {} : ({ type, slope: 1, intercept: 0 } as const);
  const { stored: _, ...rest } = header;
  return {
    header: {
      ...rest,
      ...scaling,
      ...{ shape: grid.shape, affine: grid.affine, upright, notes: [...(header.notes ?? []), note] },
    },
    async read(slab, checkFinite, take) {
      const [, high, wide] = grid.shape;
      const [, height, width] = shape;
      const slices = Math.max(1, Math.floor(slab.length / (high * wide)));
      const own = allocateVoxels(file, header, slices * height * width, options.as);
      await scan.read(own, checkFinite, (voxels, first) => {
        const count = voxels.length / (height * width);
        for (let k = 0; k < count; k++)
          raiseSlice(
            upright,
            first + k,
            voxels.subarray(k * height * width, (k + 1) * height * width),
            slab.subarray(k * high * wide, (k + 1) * high * wide),
            isLabels,
          );
        take(slab.subarray(0, count * high * wide), first);
      });
    },
    close: () => scan.close(),
  };
}
