import type { Value } from '../../core/index.ts';
import { add, classSums, constant, div, mul, reduceSum, sub } from '../../ops/index.ts';
import { BATCH, channelOf } from '../axes.ts';
import type { RegionLoss } from './loss-names.ts';

// Losses of the overlap of prediction and truth: from -1 (all of it) to 0, float64 scalars. Sums run over the voxels of a case
// or of all cases of the step, p = softmax of the scores at the class, t = (label = class).
//
//   Dice     -2 sum(p t) / (sum(p) + sum(t) + epsilon)                                        Drozdzal et al. 2016
//   Tversky  -sum(p t) / (sum(p t) + alpha sum(p (1 - t)) + beta sum((1 - p) t) + epsilon)    Salehi et al. 2017
//
//   case-dice   Dice of each case, then averaged; batch-dice: of all cases at once; dice: the mean of these two (Hou et al. 2019)
//   tversky     of each case, then averaged

export interface RegionSettings {
  /** Keeps a loss finite where neither truth nor prediction has the class. */
  readonly epsilon: number;
  /** What a false voxel costs in the Tversky loss, and what a missed one does. */
  readonly alpha: number;
  readonly beta: number;
}

/** The overlap of one class. */
export class ClassOverlap {
  readonly cls: number;
  /** Dice loss of each case, averaged. */
  readonly perCase: Value;
  /** Dice loss of all cases at once. */
  readonly global: Value;
  private readonly sums: ReturnType<typeof classSums>;
  private readonly settings: RegionSettings;

  /**
   * Of logits [batch, space..., class] and labels [batch, space...]; `ignored`: how many voxels of each case were left out of them
   * and stand there as class 0.
   */
  constructor(logits: Value, labels: Value, cls: number, settings: RegionSettings, ignored?: Value) {
    const all = classSums(logits, labels, { classes: channelOf(logits).name, cls, keep: [BATCH] });
    const counted = (sum: Value): Value => (ignored && cls === 0 ? sub(sum, ignored) : sum);
    const [pt, p, t] = [counted(all.pt), counted(all.p), counted(all.t)];
    const either = add(p, t);
    this.cls = cls;
    this.sums = { pt, p, t };
    this.settings = settings;
    this.perCase = overCases(this.dice(pt, either));
    this.global = this.dice(reduceSum(pt, [BATCH]), reduceSum(either, [BATCH]));
  }

  private dice(both: Value, either: Value): Value {
    const number = (value: number): Value => constant(both.graph, value, [], 'f64');
    return div(mul(both, number(-2)), add(either, number(this.settings.epsilon)));
  }

  /** Tversky loss of each case, averaged. */
  tversky(): Value {
    const { pt, p, t } = this.sums;
    const { alpha, beta, epsilon } = this.settings;
    const number = (value: number): Value => constant(pt.graph, value, [], 'f64');
    const wrong = add(mul(sub(p, pt), number(alpha)), mul(sub(t, pt), number(beta)));
    return overCases(div(mul(pt, number(-1)), add(add(pt, wrong), number(epsilon))));
  }
}

/** The mean of values per case. */
function overCases(values: Value): Value {
  return mul(reduceSum(values, [BATCH]), constant(values.graph, 1 / values.shape[0].size, [], 'f64'));
}

/** The mean of scalars. */
export function meanOf(values: readonly Value[]): Value {
  return mul(
    values.reduce((a, b) => add(a, b)),
    constant(values[0].graph, 1 / values.length, [], 'f64'),
  );
}

/** What the Dice loss and its kin come to over some classes. */
export interface Overlaps {
  readonly classes: readonly ClassOverlap[];
  readonly diceCase: Value;
  readonly diceGlobal: Value;
}

/** One of the losses by name. */
export function regionLoss(name: RegionLoss, { classes, diceCase, diceGlobal }: Overlaps): Value {
  switch (name) {
    case 'dice':
      return mul(add(diceCase, diceGlobal), constant(diceCase.graph, 0.5, [], 'f64'));
    case 'case-dice':
      return diceCase;
    case 'batch-dice':
      return diceGlobal;
    case 'tversky':
      return meanOf(classes.map((overlap) => overlap.tversky()));
    default:
      return name satisfies never;
  }
}
