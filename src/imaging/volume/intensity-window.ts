import type { VoxelArray } from './volume.ts';

/** A range of Hounsfield units that is mapped to 0..1. */
export interface IntensityWindow {
  /** HU that maps to 0. */
  readonly lower: number;
  /** HU that maps to 1. */
  readonly upper: number;
}

/** The window of Hou et al. 2019 (arXiv 1909.03108): clip(HU / 1024 + 0.5, 0, 1), that is -512..512 HU. */
export const paperWindow: IntensityWindow = { lower: -512, upper: 512 };

/** A usual window for soft tissue in CT. */
export const softTissueWindow: IntensityWindow = { lower: -160, upper: 240 };

/**
 * The windowed image, clip((HU - lower) / (upper - lower), 0, 1), any shape, same order.
 * Written into `out` where given (it may be `hu` itself), else into a new array.
 */
export function applyWindow(
  hu: VoxelArray,
  window: IntensityWindow = paperWindow,
  out: Float32Array = new Float32Array(hu.length),
): Float32Array {
  const { scale, shift } = windowLine(window);
  for (let n = 0; n < hu.length; n++) {
    const value = hu[n] * scale + shift;
    out[n] = value < 0 ? 0 : value > 1 ? 1 : value;
  }
  return out;
}

/** A window as HU * scale + shift, before it is cut off at 0 and 1. */
export function windowLine({ lower, upper }: IntensityWindow): {
  readonly scale: number;
  readonly shift: number;
} {
  const scale = 1 / (upper - lower);
  return { scale, shift: 0 - lower * scale }; // never -0, so that a voxel of -0 gives 0
}
