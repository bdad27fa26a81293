import { fail, shownValue } from '../../../core/index.ts';
import { IGNORED } from '../../../imaging/index.ts';
import { evenLoss, type LossConfig, type LossFunction } from '../../../nn/index.ts';
import type { TrainConfig } from '../config-type.ts';
import { classifies } from './task.ts';

/** The loss of a config for a number of classes. */
export function lossOf(config: TrainConfig, classes: number): LossConfig {
  const { loss, ignore, regions } = config;
  const { foregroundWeight, weights, dice, custom, boundaryWeight: _, ...rest } = loss;
  const shared = {
    ...rest,
    ...(ignore && { ignore: IGNORED }),
    ...(custom && { custom: { name: custom.name, build: custom.build ?? lossNotThere(custom.name) } }),
  };
  if (regions !== undefined) {
    if (dice !== undefined)
      fail({
        where: 'config "loss.dice"',
        problem: 'names classes, and all regions have a loss of overlap',
        found: dice.join(', '),
        hint: 'Leave it out',
      });
    return {
      ...shared,
      weights: weights ?? regions.map(() => foregroundWeight),
      dice: [],
      sets: regions.map((region) => region.classes),
    };
  }
  const even = evenLoss(classes);
  if (classifies(config)) return { ...shared, weights: weights ?? even.weights, dice: [] };
  return {
    ...shared,
    weights: weights ?? even.weights.map((weight, cls) => (cls === 0 ? weight : foregroundWeight)),
    dice: dice ?? even.dice,
  };
}

/** The config with a loss given in code, where one is. */
export function withLoss(config: TrainConfig, build?: LossFunction): TrainConfig {
  if (build === undefined) return config;
  return { ...config, loss: { ...config.loss, custom: { name: build.name || 'loss', build } } };
}

function lossNotThere(name: string): never {
  return fail({
    where: 'config "loss.custom"',
    problem: `the function of loss ${shownValue(name)} is not there`,
    hint: 'It was given in code: call train with it as "loss"',
  });
}
