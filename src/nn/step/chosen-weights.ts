import { fail } from '../../core/index.ts';
import type { Context, Parameter } from '../context.ts';

// Which weights a training changes, and how fast. A pattern is a path of layers, as far as it goes, with stars for anything:
// `down0`, `down*/conv0`, `*/norm/scale`.

/** Whether a path is that of a pattern, or lies within it. */
export function fits(pattern: string, path: string): boolean {
  const text = pattern.split('*').map((piece) => piece.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${text.join('.*')}(/.*)?$`).test(path);
}

/** Refuses a pattern that fits no weight. */
function checkPatterns(what: string, patterns: readonly string[], weights: readonly Parameter[]): void {
  const stray = patterns.find((pattern) => !weights.some(({ name }) => fits(pattern, name)));
  if (stray === undefined) return;
  const layers = [...new Set(weights.map(({ name }) => name.split('/')[0]))];
  fail({
    where: what,
    problem: 'a pattern that fits no weight',
    expected: `paths such as ${layers.slice(0, 8).join(', ')}${layers.length > 8 ? ', ...' : ''}, with stars`,
    found: `"${stray}"`,
  });
}

/** The weights that are changed: those that no pattern of `freeze` fits. Averages of frozen ones are the weights themselves. */
export function unfrozen(ctx: Context, freeze: readonly string[], averaged: boolean): readonly Parameter[] {
  const weights = ctx.trainable;
  checkPatterns('frozen layers', freeze, weights);
  const frozen = (name: string): boolean => freeze.some((pattern) => fits(pattern, name));
  const kept = weights.filter(({ name }) => !frozen(name));
  if (kept.length === 0)
    fail({ where: 'frozen layers', problem: 'no weight is left to train', found: freeze.join(', ') });
  if (averaged)
    for (const { name, value } of weights)
      if (frozen(name)) ctx.update(ctx.averageOf(name, value.shape), value);
  return kept;
}

/** What the learning rate of each weight is multiplied by: the number of the last pattern that fits, 1 where none does. */
export function rateFactors(
  rates: Readonly<Record<string, number>>,
  weights: readonly Parameter[],
): (name: string) => number {
  checkPatterns('rates of layers', Object.keys(rates), weights);
  const given = Object.entries(rates).toReversed();
  return (name) => given.find(([pattern]) => fits(pattern, name))?.[1] ?? 1;
}
