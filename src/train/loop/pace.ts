import type { StepLine } from '../record/log.ts';

/** Steps that the pace is averaged over at most. */
const PACED = 20;

/**
 * Mean seconds of the last of `step` steps, whose lines are given from the first step of the run on, but for that after `firstStep`:
 * the first step of a process takes longer.
 */
export function pace(lines: readonly StepLine[], firstStep: number, step: number): number {
  const paced = lines.slice(Math.max(Math.min(firstStep + 1, step - 1), step - PACED));
  return paced.reduce((sum, { seconds }) => sum + seconds, 0) / paced.length;
}
