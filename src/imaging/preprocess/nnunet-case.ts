import { holes, labelSet, paintParts } from '../parts/components.ts';
import { takeBox } from '../volume/box-copy.ts';
import {
  intensityMapOf,
  type Normalization,
  needsStatistics,
  normalize,
  StatisticsCounter,
} from '../volume/normalization.ts';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { boxShape, channelOf, type VoxelBox } from '../volume/voxel-source.ts';
import { resampleSpline, type SplineResampling } from './spline.ts';

// Scans as nnU-Net v2 prepares them: cut to what is not 0, normalised there, then resampled.

/** How scans are prepared. */
export interface NnunetPreparation {
  /** Of the network's voxels, mm. */
  readonly spacing: Shape3;
  readonly resampling: SplineResampling;
  readonly normalizations: readonly Normalization[];
}

/** A scan ready for a network of nnU-Net. */
export interface NnunetCase {
  /** [channel, depth, height, width], normalised. */
  readonly image: Float32Array;
  readonly shape: Shape3;
  /** The part of the scan that it shows. */
  readonly box: VoxelBox;
}

/**
 * A scan from its channels, in whatever order their axes have; `spacing`: of its voxels, mm. The mask of z-scores of what is not 0 is one of
 * all channels, with its holes filled.
 */
export function prepareAsNnunet(
  channels: readonly Float32Array[],
  shape: Shape3,
  spacing: Shape3,
  preparation: NnunetPreparation,
): NnunetCase {
  const { normalizations, resampling, spacing: wanted } = preparation;
  const box = boxOfSome(channels, shape);
  const part = boxShape(box);
  const cut = channels.map((channel) => takeBox(channel, shape, box));
  const masked = normalizations.some((one) => one.kind === 'zscore' && one.nonZero);
  const mask = masked ? withoutHoles(someOf(cut), part) : undefined;
  const filled = nnunetShape(part, spacing, wanted);
  const image = new Float32Array(channels.length * voxelCount(filled));
  for (const [n, channel] of cut.entries()) {
    normalizeChannel(channel, normalizations[n], mask);
    const resampled = resampleSpline(channel, part, filled, { from: spacing, to: wanted }, resampling);
    channelOf(image, filled, n).set(resampled);
  }
  return { image, shape: filled, box };
}

/** Voxels of a scan of other voxels; what lies in the middle between two numbers goes to the even one. */
export function nnunetShape(shape: Shape3, from: Shape3, to: Shape3): Shape3 {
  const at = (axis: 0 | 1 | 2) => roundToEven((from[axis] / to[axis]) * shape[axis]);
  return [at(0), at(1), at(2)];
}

/** The nearest whole number, of two that are as near the even one. */
export function roundToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** Normalises a channel in place: all of it, or what is in the mask, where the normalisation has one. */
function normalizeChannel(
  channel: Float32Array,
  normalization: Normalization,
  mask: Uint8Array | undefined,
): void {
  const { kind } = normalization;
  if (mask === undefined || kind !== 'zscore' || !normalization.nonZero) {
    const counter = new StatisticsCounter();
    if (needsStatistics(normalization)) counter.take(channel);
    const statistics = needsStatistics(normalization) ? counter.statistics() : undefined;
    normalize(channel, intensityMapOf(normalization, statistics), channel);
    return;
  }
  const inside = channel.filter((_, n) => mask[n] === 1);
  if (inside.length === 0) return;
  const counter = new StatisticsCounter();
  counter.take(inside);
  const { scale, shift } = intensityMapOf({ kind }, counter.statistics());
  for (let n = 0; n < channel.length; n++) if (mask[n] === 1) channel[n] = channel[n] * scale + shift;
}

/** The smallest box with all voxels that are not 0 in some channel; the whole where all are. */
function boxOfSome(channels: readonly Float32Array[], shape: Shape3): VoxelBox {
  const [depth, height, width] = shape;
  const low = [depth, height, width];
  const high = [0, 0, 0];
  for (const channel of channels)
    for (let k = 0, at = 0; k < depth; k++)
      for (let j = 0; j < height; j++, at += width) {
        let from = 0;
        while (from < width && channel[at + from] === 0) from++;
        if (from === width) continue;
        let to = width;
        while (channel[at + to - 1] === 0) to--;
        for (const [axis, [start, end]] of [
          [k, k + 1],
          [j, j + 1],
          [from, to],
        ].entries()) {
          low[axis] = Math.min(low[axis], start);
          high[axis] = Math.max(high[axis], end);
        }
      }
  if (high[0] === 0) return { start: [0, 0, 0], end: shape };
  return { start: [low[0], low[1], low[2]], end: [high[0], high[1], high[2]] };
}

/** 1 where some channel is not 0. */
function someOf(channels: readonly Float32Array[]): Uint8Array {
  const mask = new Uint8Array(channels[0].length);
  for (const channel of channels) for (let n = 0; n < mask.length; n++) if (channel[n] !== 0) mask[n] = 1;
  return mask;
}

/** Gives what a mask of 0 and 1 encloses to it; returns the mask. */
function withoutHoles(mask: Uint8Array, shape: Shape3): Uint8Array {
  const { parts, isHole } = holes(mask, shape, labelSet([0]));
  paintParts(mask, parts, (part) => (isHole(part) ? 1 : undefined));
  return mask;
}
