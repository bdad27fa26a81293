import { learningRateAt, type Schedule } from '../../nn/index.ts';
import type { TrainConfig } from './config-type.ts';

/** Learning rate of a step, counted from 0. */
export function learningRateOf({ schedule, learningRate: rate, steps }: TrainConfig, step: number): number {
  return learningRateAt(scheduleOf(schedule, rate, steps), step);
}

function scheduleOf(settings: TrainConfig['schedule'], rate: number, steps: number): Schedule {
  switch (settings.kind) {
    case 'constant':
    case 'step':
      return { ...settings, rate };
    case 'cosine':
    case 'poly':
      return { ...settings, rate, steps };
    default:
      return settings satisfies never;
  }
}
