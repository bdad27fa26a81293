import { dimOf, fail, type Value } from '../core/index.ts';
import {
  add,
  castTo,
  classSums,
  constant,
  crossEntropy,
  div,
  mul,
  reduceSum,
  reshape,
  resize,
} from '../ops/index.ts';
import { BATCH, channelOf, countOver, spaceOf } from './axes.ts';

// The loss of Hou et al. 2019 from scores and integer labels, float64 sums over the whole volume.
//
//   cross entropy  mean over all voxels of weights[label] * -log p[label],  p = softmax of the scores
//   Dice loss      -2 sum(p t) / (sum(p) + sum(t) + epsilon) for a class: of each case and then averaged; and of all cases
//                  at once. The mean of these two, averaged over the Dice classes
//   total          (1 - mix) * cross entropy + mix * Dice loss

export interface LossConfig {
  /** Weight of a voxel by its true class. */
  readonly weights: readonly number[];
  /** Classes of the Dice loss. */
  readonly dice: readonly number[];
  /** Share of the Dice loss in the total. */
  readonly mix: number;
  /** Keeps the Dice loss finite where neither truth nor prediction has the class. */
  readonly epsilon: number;
}

/** Background, liver, lesion; Dice on the lesion. */
export const HOU2019_LOSS: LossConfig = { weights: [1, 8, 16], dice: [2], mix: 0.2, epsilon: 0.1 };

/** A loss for any number of classes: weight 1 each, Dice on all but the background. */
export function evenLoss(classes: number, mix = 0.2): LossConfig {
  return {
    weights: Array.from({ length: classes }, () => 1),
    dice: Array.from({ length: classes - 1 }, (_, i) => i + 1),
    mix,
    epsilon: 0.1,
  };
}

/** Scalars, float64. */
export interface LossParts {
  readonly crossEntropy: Value;
  /** Dice loss (from -1 to 0) averaged over cases and Dice classes; undefined without Dice classes. */
  readonly diceCase: Value | undefined;
  /** The same of all cases at once. */
  readonly diceGlobal: Value | undefined;
  /** Soft Dice score (from 0 to 1) of each Dice class over all cases. */
  readonly softDice: readonly { readonly cls: number; readonly value: Value }[];
}

export interface Loss {
  /** What is minimised: float64 scalar. */
  readonly loss: Value;
  readonly parts: LossParts;
}

/** Refuses weights and classes that do not fit the number of classes. */
export function checkLoss(config: LossConfig, classes: number): void {
  const refuse = (problem: string, expected: string, found: string): never =>
    fail({ where: 'loss', problem, expected, found });
  const { weights, dice, mix, epsilon } = config;
  if (weights.length !== classes)
    refuse('number of class weights', `${classes}, one per class`, `${weights.length}`);
  if (!weights.every((w) => Number.isFinite(w) && w >= 0))
    refuse('class weights', 'numbers of at least 0', weights.join(', '));
  for (const cls of dice)
    if (!Number.isInteger(cls) || cls < 0 || cls >= classes)
      refuse('class of the Dice loss', `0 to ${classes - 1}`, `${cls}`);
  if (!(mix >= 0 && mix <= 1)) refuse('share of the Dice loss', '0 to 1', `${mix}`);
  if (mix > 0 && dice.length === 0) refuse('classes of the Dice loss', 'at least one, or share 0', 'none');
  if (!(epsilon > 0)) refuse('epsilon of the Dice loss', 'a number above 0', `${epsilon}`);
}

/** Loss of scores [batch, space..., class] against labels [batch, space...]. */
export function segmentationLoss(scores: Value, labels: Value, config: LossConfig = HOU2019_LOSS): Loss {
  const classes = channelOf(scores).name;
  checkLoss(config, dimOf(scores.shape, classes, 'loss').size);
  const logits = scores.dtype === 'bf16' ? castTo(scores, 'f32') : scores;
  const number = (value: number): Value => constant(scores.graph, value, [], 'f64');
  const mean = (values: readonly Value[]): Value =>
    mul(
      values.reduce((a, b) => add(a, b)),
      number(1 / values.length),
    );

  const voxels = countOver(
    labels,
    labels.shape.map((dim) => dim.name),
  );
  const entropy = mul(crossEntropy(logits, labels, { classes, weights: config.weights }), number(1 / voxels));
  const none: LossParts = { crossEntropy: entropy, diceCase: undefined, diceGlobal: undefined, softDice: [] };
  if (config.dice.length === 0) return { loss: entropy, parts: none };

  const cases = dimOf(labels.shape, BATCH, 'loss').size;
  const ratio = (both: Value, either: Value): Value =>
    div(mul(both, number(-2)), add(either, number(config.epsilon)));
  const terms = config.dice.map((cls) => {
    const { pt, p, t } = classSums(logits, labels, { classes, cls, keep: [BATCH] });
    const either = add(p, t);
    return {
      cls,
      perCase: mul(reduceSum(ratio(pt, either), [BATCH]), number(1 / cases)),
      global: ratio(reduceSum(pt, [BATCH]), reduceSum(either, [BATCH])),
    };
  });
  const diceCase = mean(terms.map((term) => term.perCase));
  const diceGlobal = mean(terms.map((term) => term.global));
  const dice = mul(add(diceCase, diceGlobal), number(0.5));
  const loss = add(mul(entropy, number(1 - config.mix)), mul(dice, number(config.mix)));
  const softDice = terms.map(({ cls, global }) => ({ cls, value: mul(global, number(-1)) }));
  return { loss, parts: { crossEntropy: entropy, diceCase, diceGlobal, softDice } };
}

/**
 * Deep supervision: the loss of scores at several resolutions, from the highest down, each against the labels at that
 * resolution (nearest voxel). Weights 1, 1/2, 1/4..., divided by their sum, as in nnU-Net (Isensee et al. 2021). The parts are
 * those of the highest resolution; of one resolution it is {@link segmentationLoss}.
 */
export function deepLoss(levels: readonly Value[], labels: Value, config: LossConfig = HOU2019_LOSS): Loss {
  const losses = levels.map((scores) => {
    const size = spaceOf(scores, 'deep supervision').map((axis) => [axis.name, axis.size] as const);
    return segmentationLoss(scores, labelsAt(labels, Object.fromEntries(size)), config);
  });
  const [{ loss, parts }] = losses;
  if (losses.length === 1) return { loss, parts };
  const all = losses.reduce((sum, _, level) => sum + 2 ** -level, 0);
  const weighted = losses.map((one, level) =>
    mul(one.loss, constant(loss.graph, 2 ** -level / all, [], 'f64')),
  );
  return { loss: weighted.reduce((a, b) => add(a, b)), parts };
}

/** Labels [batch, space...] at other sizes of space, each the nearest one. */
function labelsAt(labels: Value, size: Readonly<Record<string, number>>): Value {
  if (labels.shape.every((dim) => (size[dim.name] ?? dim.size) === dim.size)) return labels;
  // Devices resize volumes that have a last dimension of channels.
  const volume = reshape(labels, [...labels.shape, { name: 'one', size: 1 }]);
  const resized = resize(volume, 'nearest', size);
  return reshape(resized, resized.shape.slice(0, -1));
}
