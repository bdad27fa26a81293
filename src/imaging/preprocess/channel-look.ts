import { IntensitySample, troubleWith, windowText } from '../volume/clipped-share.ts';
import type { IntensityWindow } from '../volume/intensity-window.ts';
import {
  type IntensityMap,
  intensityMapOf,
  type Normalization,
  needsStatistics,
  StatisticsCounter,
} from '../volume/normalization.ts';
import { type Grid, type VoxelArray, voxelCount } from '../volume/volume.ts';

/**
 * Looks at the voxels of a channel as its slices go by, for what takes the whole of it: how it is normalised, and, with `windows`,
 * whether its window shows it.
 */
export class ChannelLook {
  /** The map of a normalisation that needs no look at the voxels. */
  readonly known: IntensityMap | undefined;
  private readonly normalization: Normalization;
  private readonly counter: StatisticsCounter | undefined;
  private readonly shown: { readonly window: IntensityWindow; readonly sample: IntensitySample } | undefined;

  constructor(normalization: Normalization, { shape }: Grid, windows: boolean) {
    this.normalization = normalization;
    const whole = needsStatistics(normalization);
    this.known = whole ? undefined : intensityMapOf(normalization);
    this.counter = whole ? new StatisticsCounter() : undefined;
    if (windows && normalization.kind === 'window')
      this.shown = { window: normalization, sample: new IntensitySample(voxelCount(shape), shape[2]) };
  }

  take(slices: VoxelArray): void {
    this.counter?.take(slices);
    this.shown?.sample.take(slices);
  }

  /** How the channel is normalised, once all of it was taken. */
  map(): IntensityMap {
    return this.known ?? intensityMapOf(this.normalization, this.counter?.statistics());
  }

  /** Throws ImagingError where the window does not show the channel. `about`: whose voxels they are. */
  check(about: { readonly file: string; readonly id: string }): void {
    this.shown?.sample.check(this.shown.window, about);
  }

  /** The same as something to look at, in words. */
  notes(): readonly string[] {
    if (this.shown === undefined) return [];
    const { window, sample } = this.shown;
    const share = sample.share(window);
    const trouble = share && troubleWith(share);
    return trouble === undefined ? [] : [`the window ${windowText(window)} of the network leaves ${trouble}`];
  }
}
