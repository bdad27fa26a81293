import { fail } from '../core/index.ts';

/** How the learning rate changes with the step (counted from 0). Plain data, so that it stands in a config. */
export type Schedule =
  | { readonly kind: 'constant'; readonly rate: number }
  /** rate * factor^floor(step / every) */
  | { readonly kind: 'step'; readonly rate: number; readonly factor: number; readonly every: number }
  /** Rises linearly over `warmup` steps, then half a cosine down to `floor` at `steps` (Loshchilov & Hutter 2017). */
  | {
      readonly kind: 'cosine';
      readonly rate: number;
      readonly steps: number;
      readonly warmup?: number;
      readonly floor?: number;
    }
  /** rate * (1 - step / steps)^power; power 0.9 is nnU-Net's. */
  | { readonly kind: 'poly'; readonly rate: number; readonly steps: number; readonly power?: number };

/** The published code's schedule: 0.003 * 0.3^floor(step / 20000). */
export const HOU2019_SCHEDULE: Schedule = { kind: 'step', rate: 0.003, factor: 0.3, every: 20000 };

/** The learning rate of a step. */
export function learningRateAt(schedule: Schedule, step: number): number {
  switch (schedule.kind) {
    case 'constant':
      return schedule.rate;
    case 'step':
      needPositive('every', schedule.every);
      return schedule.rate * schedule.factor ** Math.floor(step / schedule.every);
    case 'cosine': {
      const { rate, steps, warmup = 0, floor = 0 } = schedule;
      needPositive('steps', steps);
      if (step < warmup) return (rate * (step + 1)) / warmup;
      const share = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
      return floor + (rate - floor) * 0.5 * (1 + Math.cos(Math.PI * share));
    }
    case 'poly': {
      const { rate, steps, power = 0.9 } = schedule;
      needPositive('steps', steps);
      return rate * Math.max(0, 1 - step / steps) ** power;
    }
    default:
      return schedule satisfies never;
  }
}

function needPositive(field: string, value: number): void {
  if (!(value > 0))
    fail({
      where: 'learning-rate schedule',
      problem: field,
      expected: 'a number above 0',
      found: String(value),
    });
}
