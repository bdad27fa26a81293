import type { Affine } from './affine.ts';
import type { IntensityWindow } from './intensity-window.ts';
import { type IntensityRange, type Normalization, windowOnly } from './normalization.ts';
import type { Grid, Shape3 } from './volume.ts';

/** What a network sees of a scan. Without spacing and size the scan keeps its own voxels. */
export interface PrepareOptions {
  /** Resample to this voxel size in mm: one number, or (depth, height, width). Not together with size. */
  readonly spacing?: number | Shape3;
  /** Resample to this many voxels: N for a cube of N^3 (the paper's form), or (depth, height, width). */
  readonly size?: number | Shape3;
  /** The scan is a picture, of depth 1: a spacing is that of its rows and columns. */
  readonly plane?: boolean;
  /** Glass of stained pictures is left out of losses, and background in predictions. */
  readonly ignoreGlass?: boolean;
  /** Add air at the far ends until every extent is a multiple of this. 1 (nothing added) by default. */
  readonly multipleOf?: number;
  /** The HU range that becomes 0..1; -512..512 by default. */
  readonly window?: IntensityWindow;
  /** How each channel is normalised; by default there is one, and `window` is its window. */
  readonly normalizations?: readonly Normalization[];
}

/** How each channel is normalised. */
export function normalizationsOf({ normalizations, window }: PrepareOptions): readonly Normalization[] {
  return normalizations ?? windowOnly(window);
}

/** A scan ready for a network, in RAS+ order: depth to the head, height to the front, width to the right. */
export interface PreparedCase {
  readonly id: string;
  /** [channel, depth, height, width], normalised. */
  readonly image: Float32Array;
  /** Where the values of each channel lie; absent for one of 0 to 1. */
  readonly ranges?: readonly IntensityRange[];
  /** [depth, height, width]; absent where the case has no label map. */
  readonly labels?: Uint8Array;
  readonly shape: Shape3;
  readonly affine: Affine;
  /** The grid of the file, to come back to. */
  readonly original: Grid;
  /** The shape before air was added; the scan fills this corner of `shape`. */
  readonly filled: Shape3;
}

/** A prepared scan without its voxels: what leads back to the file. */
export type PreparedGeometry = Omit<PreparedCase, 'image' | 'ranges' | 'labels'>;
