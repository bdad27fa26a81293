import { dimOf, fail, showShape, type Value } from '../../core/index.ts';
import { add, castTo, constant, crossEntropy, div, mul } from '../../ops/index.ts';
import { channelOf, countOver } from '../axes.ts';
import { called } from '../custom-network.ts';
import { TOOLKIT, type Toolkit } from '../toolkit.ts';
import { type BoundaryInput, withBoundary } from './boundary-loss.ts';
import { withoutIgnored } from './ignored.ts';
import {
  hasBoundary,
  isLabelLoss,
  isRegionLoss,
  isSetLoss,
  type LabelLoss,
  LOSS_NAMES,
  type LossName,
  type RegionLoss,
  SET_LOSSES,
  type VoxelLoss,
} from './loss-names.ts';
import { ClassOverlap, meanOf, regionLoss } from './region-losses.ts';
import { setLosses } from './set-losses.ts';
import { binarySum, focalSum } from './voxel-losses.ts';

// Losses from scores and integer labels, float64 sums over the whole volume. By default that of Hou et al. 2019:
//
//   cross entropy  mean over all voxels of weights[label] * -log p[label],  p = softmax of the scores
//   Dice loss      -2 sum(p t) / (sum(p) + sum(t) + epsilon) for a class: of each case and then averaged; and of all cases
//                  at once. The mean of these two, averaged over the Dice classes
//   total          (1 - mix) * cross entropy + mix * Dice loss
//
// Any of the losses by name may stand in their places: the mean of those of voxels for the one, of those of regions for the other.

export interface LossConfig {
  /** What is minimised; `dice` and `ce` where absent. */
  readonly terms?: readonly LossName[];
  /** Weight of a voxel by its true class. */
  readonly weights: readonly number[];
  /** Classes of the losses of regions. */
  readonly dice: readonly number[];
  /**
   * Classes of each region, where the scores are those of regions that may overlap and not of classes: then `weights` has one number
   * for each, and `terms` are `dice` and `bce` where absent.
   */
  readonly sets?: readonly (readonly number[])[];
  /** Share of the losses of regions in the total, where there are losses of voxels too. */
  readonly mix: number;
  /** Keeps a loss of regions finite where neither truth nor prediction has the class. */
  readonly epsilon: number;
  /** Exponent of the focal loss; 2 where absent. */
  readonly gamma?: number;
  /** What false and missed voxels cost in the Tversky loss; 0.3 and 0.7 where absent. */
  readonly alpha?: number;
  readonly beta?: number;
  /** The label of voxels that are left out; none where absent. */
  readonly ignore?: number;
  /** A loss of one's own, minimised in place of `terms`. */
  readonly custom?: CustomLoss;
}

/** A loss that a function builds: of scores [batch, space..., class] and labels [batch, space...] u8 a scalar. */
export type LossFunction = (
  scores: Value,
  labels: Value,
  about: { readonly classes: number; readonly ignore?: number },
  kit: Toolkit,
) => Value;

export interface CustomLoss {
  /** Of the function, for messages. */
  readonly name: string;
  readonly build: LossFunction;
}

/** Of the paper of each: Lin et al. 2017 and Salehi et al. 2017. */
export const LOSS_DEFAULTS = { terms: ['dice', 'ce'], gamma: 2, alpha: 0.3, beta: 0.7 } as const;

/** Where regions may overlap. */
const SET_TERMS: readonly LabelLoss[] = ['dice', 'bce'];

/** With the terms of labels alone. */
type Full = Omit<LossConfig, 'terms'> & { readonly terms: readonly LabelLoss[] } & Required<
    Pick<LossConfig, 'gamma' | 'alpha' | 'beta'>
  >;

function withDefaults(config: LossConfig): Full {
  const { terms, ...all } = { ...LOSS_DEFAULTS, ...(config.sets && { terms: SET_TERMS }), ...config };
  return { ...all, terms: terms.filter(isLabelLoss) };
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

/** What is told of scores whatever is minimised: scalars, float64. */
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
  const { sets } = config;
  const { terms, weights, dice, mix, epsilon, gamma, alpha, beta } = withDefaults(config);
  const given = config.terms ?? terms;
  const known: readonly string[] = LOSS_NAMES;
  if (
    given.length === 0 ||
    new Set(given).size < given.length ||
    !given.every((term) => known.includes(term))
  )
    refuse('terms', `one or several of ${LOSS_NAMES.join(', ')}, each once`, given.join(', ') || 'none');
  if (terms.length === 0) refuse('terms', 'another loss beside boundary, such as dice+boundary', 'boundary');
  if (sets && !terms.every(isSetLoss))
    refuse(
      'terms for regions that may overlap',
      `one or several of ${SET_LOSSES.join(', ')}`,
      terms.join(', '),
    );
  if (!sets && classes < 2) refuse('classes', 'at least 2: background counts', `${classes}`);
  if (sets && sets.length !== classes)
    refuse('scores of regions', `${sets.length}, one for each`, `${classes}`);
  if (weights.length !== classes)
    refuse(
      'number of class weights',
      `${classes}, one per ${sets ? 'region' : 'class'}`,
      `${weights.length}`,
    );
  if (!weights.every((w) => Number.isFinite(w) && w >= 0))
    refuse('class weights', 'numbers of at least 0', weights.join(', '));
  for (const cls of dice)
    if (!Number.isInteger(cls) || cls < 0 || cls >= classes)
      refuse('class of the Dice loss', `0 to ${classes - 1}`, `${cls}`);
  if (!(mix >= 0 && mix <= 1)) refuse('share of the Dice loss', '0 to 1', `${mix}`);
  const ofRegions =
    hasBoundary(config) || (terms.some(isRegionLoss) && (mix > 0 || terms.every(isRegionLoss)));
  if (ofRegions && !sets && dice.length === 0)
    refuse('classes of the Dice loss', 'at least one, or share 0', 'none');
  const { ignore } = config;
  const above = sets ? Math.max(...sets.flat()) + 1 : classes;
  if (ignore !== undefined && !(Number.isInteger(ignore) && ignore >= above && ignore < 256))
    refuse('label to ignore', `a whole number from ${above} to 255, which is no class`, `${ignore}`);
  if (!(epsilon > 0)) refuse('epsilon of the Dice loss', 'a number above 0', `${epsilon}`);
  for (const [name, value] of Object.entries({ gamma, alpha, beta }))
    if (!(Number.isFinite(value) && value >= 0)) refuse(name, 'a number of at least 0', `${value}`);
}

/**
 * Loss of scores [batch, space..., class] against labels `truth` [batch, space...]; without `boundary` that of the labels alone, whatever
 * the terms.
 */
export function segmentationLoss(
  scores: Value,
  truth: Value,
  given: LossConfig = HOU2019_LOSS,
  boundary?: BoundaryInput,
): Loss {
  const found = lossOfLabels(scores, truth, given);
  if (boundary === undefined) return found;
  const wide = scores.dtype === 'bf16' ? castTo(scores, 'f32') : scores;
  return { ...found, loss: withBoundary(found.loss, wide, boundary) };
}

function lossOfLabels(scores: Value, truth: Value, given: LossConfig): Loss {
  const classes = channelOf(scores).name;
  checkLoss(given, dimOf(scores.shape, classes, 'loss').size);
  const config = withDefaults(given);
  const { terms, weights, gamma, mix, ignore, sets, custom } = config;
  const own = custom && customLoss(custom, scores, truth, ignore);
  const all = scores.dtype === 'bf16' ? castTo(scores, 'f32') : scores;
  if (sets !== undefined) {
    const found = lossOfSets(all, truth, { ...config, sets });
    return own === undefined ? found : { ...found, loss: own };
  }
  const number = (value: number): Value => constant(scores.graph, value, [], 'f64');

  const voxels = countOver(
    truth,
    truth.shape.map((dim) => dim.name),
  );
  const kept = ignore === undefined ? undefined : withoutIgnored(all, truth, ignore, voxels);
  const { logits, labels } = kept ?? { logits: all, labels: truth };
  const perVoxel = (sum: Value): Value => (kept ? div(sum, kept.voxels) : mul(sum, number(1 / voxels)));
  const entropy = perVoxel(crossEntropy(logits, labels, { classes, weights }));
  const voxelLoss = (name: VoxelLoss): Value => {
    switch (name) {
      case 'ce':
        return entropy;
      case 'focal':
        return perVoxel(focalSum(logits, labels, weights, gamma));
      case 'bce':
        return perVoxel(binarySum(logits, labels, weights));
      default:
        return name satisfies never;
    }
  };
  const ofVoxels = terms.filter((term) => !isRegionLoss(term)).map(voxelLoss);
  if (config.dice.length === 0) {
    const parts = { crossEntropy: entropy, diceCase: undefined, diceGlobal: undefined, softDice: [] };
    return { loss: own ?? joined(ofVoxels)!, parts };
  }

  const overlaps = config.dice.map((cls) => new ClassOverlap(logits, labels, cls, config, kept?.ignored));
  const diceCase = meanOf(overlaps.map(({ perCase }) => perCase));
  const diceGlobal = meanOf(overlaps.map(({ global }) => global));
  const ofRegions = terms
    .filter(isRegionLoss)
    .map((name) => regionLoss(name, { classes: overlaps, diceCase, diceGlobal }));
  const loss = mixed(ofVoxels, ofRegions, mix);
  const softDice = overlaps.map(({ cls, global }) => ({ cls, value: mul(global, number(-1)) }));
  return { loss: own ?? loss, parts: { crossEntropy: entropy, diceCase, diceGlobal, softDice } };
}

function customLoss({ name, build }: CustomLoss, scores: Value, labels: Value, ignore?: number): Value {
  const where = `loss ${name}`;
  const classes = channelOf(scores).size;
  const found: Value | undefined = called(where, () => build(scores, labels, { classes, ignore }, TOOLKIT));
  if (found?.graph === scores.graph && found.shape.length === 0) return castTo(found, 'f64');
  return fail({
    where,
    problem: 'gives no scalar of its graph',
    expected: 'a value without dimensions',
    found: found?.shape === undefined ? typeof found : showShape(found.shape),
    hint: 'Sum it over all of its dimensions, such as reduceSum(x, names, "f64")',
  });
}

/** Losses of voxels and of regions as one. */
function mixed(ofVoxels: readonly Value[], ofRegions: readonly Value[], mix: number): Value {
  const [voxelPart, regionPart] = [joined(ofVoxels), joined(ofRegions)];
  if (voxelPart === undefined || regionPart === undefined) return (voxelPart ?? regionPart)!;
  const number = (value: number): Value => constant(voxelPart.graph, value, [], 'f64');
  return add(mul(voxelPart, number(1 - mix)), mul(regionPart, number(mix)));
}

/** Loss of scores of regions that may overlap; in its parts the regions count from 1. */
function lossOfSets(scores: Value, truth: Value, config: Full & Required<Pick<LossConfig, 'sets'>>): Loss {
  const { sets: regions, terms, mix } = config;
  const { bce, diceCase, diceGlobal, tversky, softDice } = setLosses(scores, truth, { ...config, regions });
  const ofRegion = (name: RegionLoss): Value =>
    name === 'tversky' ? tversky : regionLoss(name, { classes: [], diceCase, diceGlobal });
  const ofVoxels = terms.some((term) => !isRegionLoss(term)) ? [bce] : [];
  return {
    loss: mixed(ofVoxels, terms.filter(isRegionLoss).map(ofRegion), mix),
    parts: {
      crossEntropy: bce,
      diceCase,
      diceGlobal,
      softDice: softDice.map((value, n) => ({ cls: n + 1, value })),
    },
  };
}

/** The mean of losses, the loss itself of one. */
function joined(losses: readonly Value[]): Value | undefined {
  return losses.length > 1 ? meanOf(losses) : losses[0];
}
