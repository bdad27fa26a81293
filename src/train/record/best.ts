import { fail } from '../../core/index.ts';
import { classAucs, meanAuc } from '../../imaging/index.ts';
import type { TrainConfig } from '../config/config.ts';
import type { DiceByClass, ImageMeasures, StepLine } from './log.ts';
import { meanDice } from './scores.ts';

/** The best network of a run. */
export interface BestScore {
  readonly step: number;
  /** By what: see `bestBy` in the config; a lower loss is better, a higher one of all else. */
  readonly by: string;
  readonly score: number;
  /** Whether it is over cases that were trained on, as none is held out. */
  readonly ofTraining?: true;
  /** Validations since then that were no better. */
  readonly since: number;
}

/** What is known of a network: of validation, or else of the latest training steps. */
export interface Judged extends ImageMeasures {
  readonly loss: number;
  readonly dice: DiceByClass;
  /** Classes that are nowhere in the truth: a network that predicts a voxel of them has Dice 0, one that does not has none. */
  readonly absent?: readonly string[];
}

/** Refuses a measure or a patience that the cases of a run cannot give. */
export function checkBest(
  { bestBy, patience }: Pick<TrainConfig, 'bestBy' | 'patience'>,
  classes: readonly string[],
  validation: number,
): void {
  const name = bestBy.startsWith('dice:') ? bestBy.slice('dice:'.length) : undefined;
  if (name !== undefined && !classes.slice(1).includes(name))
    fail({
      where: 'config "bestBy"',
      problem: 'class of the Dice',
      expected: classes.slice(1).join(', '),
      found: name,
    });
  if (patience !== undefined && validation === 0)
    fail({
      where: 'config "patience"',
      problem: 'counts validations, and no case is held out for them',
      hint: 'Give "validation" (--validation) or "fold" (--fold)',
    });
}

/**
 * The score by a measure; null where what is judged has none. The mean Dice is over classes that are there, so that networks are
 * compared by the same ones.
 */
export function scoreBy(bestBy: string, judged: Judged): number | null {
  const { loss, dice, absent = [] } = judged;
  if (bestBy === 'loss') return loss;
  if (bestBy === 'auc' || bestBy === 'accuracy') return judged[bestBy] ?? null;
  if (bestBy !== 'dice') return dice[bestBy.slice('dice:'.length)];
  return meanDice(Object.fromEntries(Object.entries(dice).filter(([name]) => !absent.includes(name))));
}

/** The mean score of steps, of AUC that of all their images; null where none has one. */
export function meanScore(bestBy: string, steps: readonly StepLine[]): number | null {
  if (bestBy === 'auc') {
    const images = steps.flatMap((step) => step.images ?? []);
    return meanAuc(classAucs(images, images[0]?.probabilities.length ?? 0));
  }
  const scores = steps.flatMap((step) => scoreBy(bestBy, step) ?? []);
  return scores.length === 0 ? null : scores.reduce((a, b) => a + b, 0) / scores.length;
}

/** The best of a run after a network with a score (or none) at a step. It is that network where `step` is the step. */
export function better(
  best: BestScore | undefined,
  by: string,
  step: number,
  score: number | null,
  ofTraining = false,
): BestScore | undefined {
  const beats =
    score !== null && (best === undefined || (by === 'loss' ? score < best.score : score > best.score));
  if (beats) return { step, by, score, ...(ofTraining && { ofTraining }), since: 0 };
  return best && { ...best, ...(ofTraining && { ofTraining }), since: best.since + 1 };
}
