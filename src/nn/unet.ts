import { fail, shownValue, type Value } from '../core/index.ts';
import { concat } from '../ops/index.ts';
import { BATCH, channelOf, type PerAxis, perAxis, spaceOf } from './axes.ts';
import type { Context } from './context.ts';
import { convBlock, NORM_KINDS, type NormKind } from './conv-block.ts';
import { conv, convTranspose, dropout, maxPool } from './layers.ts';

// The 3-D U-Net of Hou et al. 2019 (arXiv 1909.03108) and its relatives, over any number of spatial axes.
//
//   down0  blocks of base channels ──────────────────── skip ── up0  transpose, concat, blocks ── output 1x1x1 ── classes
//   down1    pool, blocks of 2 base ─────────────── skip ── up1
//   down2      pool, blocks of 4 base ───────── skip ── up2
//   down3        pool, blocks of 8 base ────────────────┘
//
// Windows slide over the axes that `kernel` names, and only these are pooled: with a kernel of {height: 3, width: 3} every slice
// of a volume [batch, depth, height, width, channel] is an image of its own, whose channels may be the slices around it.
//
// Any size of at least 1 works: pooling keeps an odd rest (ceil), and the transposed convolution restores the skip's size.

/** Name of the dimension of the scores. */
export const CLASS = 'class';

export interface UNetConfig {
  /** Channels of the first level; each level has twice as many. */
  readonly base: number;
  /** Resolutions: one more than poolings. */
  readonly levels: number;
  readonly classes: number;
  /** Convolutions of a level, down and up. */
  readonly convolutions: number;
  /** One size for all spatial axes, or one for each axis that windows slide over. */
  readonly kernel: PerAxis;
  readonly norm: NormKind;
  /** Groups of group norm. */
  readonly groups: number;
  /** Slope of the leaky ReLU. */
  readonly slope: number;
  /** Probability that dropout keeps an element; 1 is no dropout. */
  readonly keep: number;
}

/** Defaults of the published code. */
export const HOU2019: UNetConfig = {
  base: 32,
  levels: 4,
  classes: 3,
  convolutions: 2,
  kernel: 3,
  norm: 'batch',
  groups: 8,
  slope: 0.1,
  keep: 0.5,
};

/** Fills in the defaults of {@link HOU2019} and refuses settings that make no network. */
export function unetConfig(settings: Partial<UNetConfig> = {}): UNetConfig {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const config: UNetConfig = { ...HOU2019, ...Object.fromEntries(given) };
  const refuse = (field: keyof UNetConfig, expected: string): never =>
    fail({ where: 'U-Net', problem: `setting "${field}"`, expected, found: shownValue(config[field]) });
  for (const field of ['base', 'levels', 'classes', 'convolutions', 'groups'] as const)
    if (!Number.isSafeInteger(config[field]) || config[field] < 1)
      refuse(field, 'a whole number of at least 1');
  if (config.levels > 10) refuse('levels', 'at most 10');
  if (!NORM_KINDS.includes(config.norm)) refuse('norm', NORM_KINDS.join(', '));
  if (config.norm === 'group' && config.base % config.groups !== 0)
    refuse('groups', `a divisor of the base width ${config.base}`);
  if (!(config.keep > 0 && config.keep <= 1)) refuse('keep', 'a probability above 0 and at most 1');
  if (!(config.slope >= 0 && config.slope < 1)) refuse('slope', 'a number from 0 to below 1');
  for (const size of typeof config.kernel === 'number' ? [config.kernel] : Object.values(config.kernel))
    if (!Number.isSafeInteger(size) || size < 1) refuse('kernel', 'whole numbers of at least 1');
  return config;
}

/** Scores of every class at every voxel: [batch, space..., channel] -> [batch, space..., class]. */
export function unet(ctx: Context, image: Value, settings: Partial<UNetConfig> = {}): Value {
  return unetLevels(ctx, image, settings, false)[0];
}

/**
 * The scores of {@link unet}, and where `deep`, for deep supervision (Lee et al. 2015), those of a 1x1x1 convolution at each
 * lower resolution of the way up, from the highest down: all but the lowest one, which is the bottom of the network.
 */
export function unetLevels(
  ctx: Context,
  image: Value,
  settings: Partial<UNetConfig>,
  deep: boolean,
): Value[] {
  const config = unetConfig(settings);
  const channel = checkImage(image, 'U-Net');
  const { skips, bottom, each, blocks } = unetEncoder(ctx, image, config);
  let x = bottom;

  const output = (from: Value): Value => scoresOf(ctx, from, config.classes, each(1));
  const lower: Value[] = [];
  for (let level = config.levels - 2; level >= 0; level--) {
    x = ctx.scope(`up${level}`, () => {
      const skip = skips[level];
      const filters = config.base * 2 ** level;
      const up = convTranspose(ctx, x, {
        name: 'transpose',
        filters,
        kernel: each(2),
        stride: each(2),
        onto: skip.shape,
        slope: 1,
      });
      return blocks(concat([dropout(ctx, up, config.keep), skip], channel), filters, 0);
    });
    if (deep && level > 0) lower.unshift(ctx.scope(`up${level}`, () => output(x)));
  }
  return [output(x), ...lower];
}

/** The way down of a U-Net. */
export interface Encoder {
  /** What each level but the lowest has made, from the highest resolution down. */
  readonly skips: readonly Value[];
  /** What the lowest has made. */
  readonly bottom: Value;
  /** A size for every axis that windows slide over. */
  readonly each: (size: number) => PerAxis;
  /** The convolutions of a level; the first ones without dropout. */
  readonly blocks: (x: Value, filters: number, first: number) => Value;
}

/** Levels of `base`, 2 `base`, 4 `base`... channels, each of half the size of the one before. */
export function unetEncoder(ctx: Context, image: Value, config: UNetConfig): Encoder {
  const each = (size: number): PerAxis =>
    Object.fromEntries(Object.keys(perAxis(config.kernel, image, 'U-Net')).map((axis) => [axis, size]));

  const blocks = (x: Value, filters: number, first: number): Value => {
    for (let i = 0; i < config.convolutions; i++) {
      const keep = i < first ? 1 : config.keep;
      x = convBlock(ctx, x, { ...config, name: `conv${i}`, filters, keep });
    }
    return x;
  };

  const skips: Value[] = [];
  let x = ctx.stored(image);
  for (let level = 0; level < config.levels; level++)
    x = ctx.scope(`down${level}`, () => {
      if (level > 0) skips.push(x);
      const from = level === 0 ? x : maxPool(x, each(2), { padding: 'ceil' });
      // No dropout after the very first convolution.
      return blocks(from, config.base * 2 ** level, level === 0 ? 1 : 0);
    });
  return { skips, bottom: x, each, blocks };
}

/** The name of the dimension of an image's channels, which is its last one. */
export function checkImage(image: Value, where: string): string {
  const axes = spaceOf(image, where);
  const channel = channelOf(image).name;
  if (channel === BATCH || channel === CLASS || axes.some((axis) => axis.name === channel))
    fail({ where, problem: 'the last dimension of the image must be its channels', found: `"${channel}"` });
  return channel;
}

/** A score of every class at every position: a convolution with a kernel of 1. */
export function scoresOf(ctx: Context, from: Value, classes: number, kernel: PerAxis): Value {
  return conv(ctx, from, { name: 'output', filters: classes, kernel, bias: true, out: CLASS, slope: 1 });
}
