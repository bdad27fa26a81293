import type { Value } from '../core/index.ts';
import { castTo, reduceMean, softmax } from '../ops/index.ts';
import { spaceOf } from './axes.ts';
import { vectorLayer } from './blocks/vector.ts';
import type { Context } from './context.ts';
import { CLASS, checkImage, type UNetConfig, unetConfig, unetEncoder } from './unet.ts';

// One label an image: the way down of the U-Net, whose weights have the same names there, then the mean of every channel over all of
// space and a fully connected layer.
//
//   image [batch, space..., channel] -> down0, down1... -> mean over space [batch, channel] -> output -> scores [batch, class]
//
// The means are sums over the whole image in float64, wherever its parts lie.

/** A network that gives scores of every class to an image as a whole. */
export interface ClassifierConfig extends UNetConfig {
  readonly kind: 'classifier';
}

/** What is given of it: any settings of its encoder. */
export type ClassifierSettings = Partial<UNetConfig> & { readonly kind: 'classifier' };

export function classifierConfig({ kind, ...encoder }: ClassifierSettings): ClassifierConfig {
  return { kind, ...unetConfig(encoder) };
}

/** Scores of every class of an image: [batch, space..., channel] -> [batch, class] float32. */
export function classifierScores(ctx: Context, image: Value, config: ClassifierConfig): Value {
  checkImage(image, 'classifier');
  const { bottom } = unetEncoder(ctx, image, config);
  const space = spaceOf(bottom, 'classifier').map((axis) => axis.name);
  const means = reduceMean(bottom, space, 'f64');
  const scores = vectorLayer(ctx, means, { name: 'output', filters: config.classes, out: CLASS, slope: 1 });
  return castTo(scores, 'f32');
}

/** Probabilities of the classes, float32. */
export const classProbabilities = (scores: Value): Value => softmax(castTo(scores, 'f32'), CLASS);
