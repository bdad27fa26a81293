import { fail } from '../../core/index.ts';
import type { Kernel, LocalValue } from '../../plan/index.ts';
import { numbersOf } from './numbers.ts';
import type { PjrtTensor } from './tensors.ts';

// StableHLO has no errors: labels that are no class are found on the host, before they go to a device.

/** Labels that a kernel reads. */
export interface LabelCheck {
  readonly labels: PjrtTensor;
  readonly classes: number;
  readonly where: string;
}

/** What is to be checked of a kernel's inputs: operations over classes name their dimension, and take labels behind the scores. */
export function labelChecks(
  kernel: Kernel,
  tensorOf: (value: LocalValue) => PjrtTensor,
): readonly LabelCheck[] {
  const stored = new Set(kernel.reads);
  return kernel.nodes.flatMap(({ call, inputs }) => {
    const { classes } = call.attrs;
    const [scores, labels] = inputs;
    if (typeof classes !== 'string' || labels === undefined || !stored.has(labels)) return [];
    const { size } = scores.shape.find(({ name }) => name === classes)!;
    return [{ labels: tensorOf(labels), classes: size, where: call.where }];
  });
}

/** Raises the position of the first label that is no class, of those that are on the host. */
export function checkLabels({ labels, classes, where }: LabelCheck): void {
  const { box, content, dtype, shape } = labels;
  if (content?.kind !== 'host') return;
  const numbers = numbersOf(dtype, content.data.slice());
  const at = numbers.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (at < 0) return;
  let rest = at;
  const index = box.map(({ start }) => start);
  for (let i = box.length - 1; i >= 0; i--) {
    const size = box[i].end - box[i].start;
    index[i] += rest % size;
    rest = Math.floor(rest / size);
  }
  fail({
    where,
    problem: `label out of range at ${shape.map((dim, i) => `${dim.name} ${index[i]}`).join(', ')}`,
    expected: `a whole number from 0 to ${classes - 1}`,
    found: String(numbers[at]),
  });
}
