import { fail, shownValue, type Value } from '../core/index.ts';
import { add, concat, constant, mul } from '../ops/index.ts';
import { residualBlock } from './blocks/residual.ts';
import type { Context } from './context.ts';
import { convBlock } from './conv-block.ts';
import { convTranspose } from './layers.ts';
import { checkImage, scoresOf } from './unet.ts';

// The U-Nets of nnU-Net: every stage has widths, windows and strides of its own. The plain one (Isensee et al. 2021) has blocks of one
// convolution; the one with a residual encoder (He et al. 2016, Isensee et al. 2024) begins with such a block, the stem, and has residual
// blocks on the way down.
//
//   down0  scale and shift, blocks ───────────────────── skip ── up0  transpose, concat, blocks ── output 1x1x1 ── classes
//   down1    blocks, the first with strides ───────── skip ── up1
//   down2      blocks, the first with strides ────────┘
//
// A block is convolution, instance norm, leaky ReLU. A residual one is two of these, the second without the activation, which follows
// its sum with what came in: pooled by the mean where the block strides, through a convolution of kernel 1 and a norm where widths differ.
// The convolution of a block has no bias: the norm would take it away.
// Any size of at least 1 works: a stride keeps an odd rest, and the transposed convolution restores the skip's size.

/** A number for each axis that windows slide over, by name. */
export type ByAxis = Readonly<Record<string, number>>;

/** A resolution of the network. */
export interface PlainStage {
  /** Channels. */
  readonly filters: number;
  /** Odd sizes of the windows; all stages name the same axes. */
  readonly kernel: ByAxis;
  /** Strides from the stage above; 1 for the first one. */
  readonly stride: ByAxis;
  /** Convolutions on the way down, or residual blocks. */
  readonly down: number;
  /** Convolutions on the way up; none of the last stage, which is the bottom. */
  readonly up: number;
}

/** What the way down is made of: convolutions, or residual blocks. */
export const STAGED_KINDS = ['plain', 'residual'] as const;
export type StagedKind = (typeof STAGED_KINDS)[number];

export interface PlainUNetConfig {
  readonly kind: StagedKind;
  readonly classes: number;
  readonly stages: readonly PlainStage[];
  /** Slope of the leaky ReLU. */
  readonly slope: number;
  /** Added to the variance in the norms. */
  readonly epsilon: number;
  /** What the first stage takes: image * scale + shift. */
  readonly scale: number;
  readonly shift: number;
}

/** Refuses settings that make no network. */
export function checkPlainUNet(config: PlainUNetConfig): void {
  const refuse = (field: string, expected: string, found: unknown): never =>
    fail({
      where: `${config.kind} U-Net`,
      problem: `setting "${field}"`,
      expected,
      found: shownValue(found),
    });
  const { stages, classes, slope, epsilon, scale, shift } = config;
  const count = (n: number) => Number.isSafeInteger(n) && n >= 1;
  if (!count(classes)) refuse('classes', 'a whole number of at least 1', classes);
  if (stages.length < 1 || stages.length > 10) refuse('stages', '1 to 10', stages.length);
  if (!(slope >= 0 && slope < 1)) refuse('slope', 'a number from 0 to below 1', slope);
  if (!(Number.isFinite(epsilon) && epsilon > 0)) refuse('epsilon', 'a number above 0', epsilon);
  if (!Number.isFinite(scale)) refuse('scale', 'a number', scale);
  if (!Number.isFinite(shift)) refuse('shift', 'a number', shift);
  const axes = Object.keys(stages[0].kernel).sort().join(', ');
  for (const [n, { filters, kernel, stride, down, up }] of stages.entries()) {
    const at = `stages.${n}`;
    if (!count(filters)) refuse(`${at}.filters`, 'a whole number of at least 1', filters);
    if (!count(down)) refuse(`${at}.down`, 'a whole number of at least 1', down);
    const bottom = n === stages.length - 1;
    if (bottom ? up !== 0 : !count(up)) refuse(`${at}.up`, bottom ? '0' : 'a whole number of at least 1', up);
    for (const [field, sizes] of Object.entries({ kernel, stride }))
      if (Object.keys(sizes).length === 0 || Object.keys(sizes).sort().join(', ') !== axes)
        refuse(`${at}.${field}`, `a number for each of ${axes || 'the axes'}`, sizes);
    if (!Object.values(kernel).every((size) => count(size) && size % 2 === 1))
      refuse(`${at}.kernel`, 'odd whole numbers', kernel);
    if (!Object.values(stride).every((step) => count(step) && (n > 0 || step === 1)))
      refuse(`${at}.stride`, n > 0 ? 'whole numbers of at least 1' : '1', stride);
  }
}

/**
 * Scores of every class at every voxel, [batch, space..., channel] -> [batch, space..., class], and where `deep` those of the lower
 * resolutions of the way up, from the highest down.
 */
export function plainUnetLevels(ctx: Context, image: Value, config: PlainUNetConfig, deep: boolean): Value[] {
  checkPlainUNet(config);
  const channel = checkImage(image, `${config.kind} U-Net`);
  const { kind, stages, classes, slope, epsilon, scale, shift } = config;
  const shared = { slope, epsilon, norm: 'instance' } as const;
  const blocks = (x: Value, count: number, { filters, kernel }: PlainStage, stride?: ByAxis): Value => {
    for (let i = 0; i < count; i++)
      x = convBlock(ctx, x, {
        ...{ name: `conv${i}`, filters, kernel, ...shared },
        stride: i === 0 ? stride : undefined,
      });
    return x;
  };

  const residual = (x: Value, { filters, kernel, down }: PlainStage, stride: ByAxis): Value => {
    for (let i = 0; i < down; i++)
      x = residualBlock(ctx, x, {
        ...{ name: `block${i}`, filters, kernel, ...shared },
        stride: i === 0 ? stride : each,
      });
    return x;
  };

  const each = Object.fromEntries(Object.keys(stages[0].kernel).map((axis) => [axis, 1]));
  const number = (value: number): Value => constant(ctx.graph, value, [], 'f32');
  const skips: Value[] = [];
  let x = ctx.stored(add(mul(image, number(scale)), number(shift)));
  if (kind === 'residual') x = ctx.scope('stem', () => blocks(x, 1, stages[0]));
  for (const [level, stage] of stages.entries()) {
    if (level > 0) skips.push(x);
    x = ctx.scope(`down${level}`, () =>
      kind === 'residual' ? residual(x, stage, stage.stride) : blocks(x, stage.down, stage, stage.stride),
    );
  }

  const output = (from: Value): Value => scoresOf(ctx, from, classes, each);
  const lower: Value[] = [];
  for (let level = stages.length - 2; level >= 0; level--) {
    x = ctx.scope(`up${level}`, () => {
      const { stride } = stages[level + 1];
      const skip = skips[level];
      const up = convTranspose(ctx, x, {
        ...{ name: 'transpose', filters: stages[level].filters, kernel: stride, stride },
        ...{ onto: skip.shape, bias: true, slope: 1 },
      });
      return blocks(concat([up, skip], channel), stages[level].up, stages[level]);
    });
    if (deep && level > 0) lower.unshift(ctx.scope(`up${level}`, () => output(x)));
  }
  return [output(x), ...lower];
}
