import type { HostArray } from '../../machine/device.ts';

/** Dice by class name, 0 to 1, of the classes above 0; null where a class is neither true nor predicted. */
export type DiceByClass = Readonly<Record<string, number | null>>;

/** Dice of each class above 0 from the counts of a step, [batch, class] whole numbers, summed over the batch. */
export function hardDice(
  counts: { readonly both: HostArray; readonly predicted: HostArray; readonly truth: HostArray },
  classes: readonly string[],
): DiceByClass {
  const total = (values: HostArray, cls: number): number => {
    let sum = 0;
    for (let i = cls; i < values.length; i += classes.length) sum += values[i];
    return sum;
  };
  // Assigning to a key `__proto__` would make no key.
  return Object.fromEntries(
    classes.slice(1).map((name, n) => {
      const either = total(counts.predicted, n + 1) + total(counts.truth, n + 1);
      return [name, either === 0 ? null : (2 * total(counts.both, n + 1)) / either];
    }),
  );
}
