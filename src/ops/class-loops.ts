import {
  type Block,
  type Box,
  boxVolume,
  type Call,
  dimIndex,
  dimOf,
  fail,
  forEachIndex,
  get,
  hasDim,
  type Loop,
  type NotDifferentiable,
  type Shape,
  sameShape,
  showShape,
  type TensorType,
} from '../core/index.ts';
import { boxByName, needType, passLoops, positions } from './common.ts';
import { allAlong, logSoftmaxAt, softmaxAt } from './softmax.ts';

// What the losses over classes share: checks, loops, and the visits of voxels and logits.

export type OverClasses = {
  /** Dimension of the classes. */
  readonly classes: string;
  /** Dimensions that the sums keep, e.g. the batch for sums per case. */
  readonly keep: readonly string[];
};

const NO_SECOND: NotDifferentiable = {
  notDifferentiable: 'second derivatives of losses are not defined here',
};

export const keptShape = (labels: Shape, keep: readonly string[]): Shape =>
  labels.filter((dim) => keep.includes(dim.name));

/** Refuses logits, labels and kept dimensions that do not fit; returns the number of classes. */
export function checkClasses(
  inputs: readonly TensorType[],
  { classes, keep }: OverClasses,
  where: string,
): number {
  const [logits, labels] = inputs;
  const { size } = dimOf(logits.shape, classes, where);
  const expected = logits.shape.filter((dim) => dim.name !== classes);
  if (!sameShape(labels.shape, expected))
    fail({
      where,
      problem: 'labels have another shape than the logits',
      expected: `${showShape(expected)}, the logits without "${classes}"`,
      found: showShape(labels.shape),
    });
  needType(labels, ['u8', 'i32', 'f32'], 'labels', where);
  for (const name of keep)
    if (!hasDim(labels.shape, name))
      fail({ where, problem: `cannot keep "${name}"`, expected: `dimensions of ${showShape(labels.shape)}` });
  return size;
}

/** Refuses gradients of sums that lack the kept shape. */
export function checkSums(
  sums: readonly TensorType[],
  labels: Shape,
  keep: readonly string[],
  where: string,
): void {
  const expected = keptShape(labels, keep);
  for (const { shape } of sums)
    if (!sameShape(shape, expected))
      fail({
        where,
        problem: 'gradient has another shape',
        expected: showShape(expected),
        found: showShape(shape),
      });
}

/** Kept dimensions pass, the others are summed; the classes have no loop and are read whole. */
function sumLoops({ inputs: [, labels], attrs: { keep } }: Call<OverClasses>): Loop[] {
  const summed = labels.shape.filter((dim) => !keep.includes(dim.name));
  return [
    ...passLoops(keptShape(labels.shape, keep)),
    ...summed.map((dim): Loop => ({ dim: dim.name, size: dim.size, split: 'sum' })),
  ];
}

const classAxis = (call: Call<OverClasses>): number => dimIndex(call.inputs[0].shape, call.attrs.classes);

/** What sums over voxels share. */
export const sumRules = {
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0], output: false },
  weight: 'none',
  combine: 'sum',
  loops: sumLoops,
  reads: (call: Call<OverClasses>, loop: Box) =>
    call.inputs.map((input) => boxByName(input.shape, sumLoops(call), loop)),
  writes: (call: Call<OverClasses>, loop: Box) => call.outputs.map((out) => loop.slice(0, out.shape.length)),
  cost: (call: Call<OverClasses>, loop: Box) => ({
    flops: 10 * boxVolume(loop) * call.inputs[0].shape[classAxis(call)].size,
  }),
} as const;

/** What their gradients share: loops over the logits, with the classes whole. */
export const gradRules = {
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0], output: false },
  weight: 'none',
  combine: 'sum',
  loops: (call: Call<OverClasses>): Loop[] =>
    passLoops(call.outputs[0].shape).map((l) =>
      l.dim === call.attrs.classes ? { ...l, split: 'whole' } : l,
    ),
  reads(call: Call<OverClasses>, loop: Box): Box[] {
    const [logits, ...others] = call.inputs;
    const loops = passLoops(logits.shape);
    return [
      allAlong(loop, classAxis(call), logits.shape),
      ...others.map((input) => boxByName(input.shape, loops, loop)),
    ];
  },
  writes: (_call: unknown, loop: Box) => [loop],
  cost: (_call: unknown, loop: Box) => ({ flops: 12 * boxVolume(loop) }),
  grad: NO_SECOND,
} as const;

/** The label of one voxel, or an error. */
function labelAt(labels: Block, index: readonly number[], classes: number, where: string): number {
  const label = get(labels, index);
  if (!Number.isInteger(label) || label < 0 || label >= classes)
    fail({
      where,
      problem: `label out of range at ${labels.shape.map((dim, i) => `${dim.name} ${index[i]}`).join(', ')}`,
      expected: `a whole number from 0 to ${classes - 1}`,
      found: String(label),
    });
  return label;
}

/** Visits the voxels of a loop box of {@link sumRules} with the logarithm of their softmax, label and position in the sums. */
export function forEachVoxel(
  call: Call<OverClasses>,
  loop: Box,
  [logits, labels]: readonly Block[],
  visit: (logSoftmax: readonly number[], label: number, sums: readonly number[]) => void,
): void {
  const axis = classAxis(call);
  const classes = logits.shape[axis].size;
  const kept = positions(call.outputs[0].shape, labels.shape);
  forEachIndex(boxByName(labels.shape, sumLoops(call), loop), (index) => {
    const label = labelAt(labels, index, classes, call.where);
    visit(
      logSoftmaxAt(logits, index.toSpliced(axis, 0, 0), axis),
      label,
      kept.map((k) => index[k]),
    );
  });
}

/** Visits the logits of a loop box of {@link gradRules} with their class, softmax, label and position in the sums. */
export function forEachLogit(
  call: Call<OverClasses>,
  loop: Box,
  [logits, labels, sums]: readonly Block[],
  visit: (
    index: readonly number[],
    cls: number,
    softmax: readonly number[],
    label: number,
    sums: readonly number[],
  ) => void,
): void {
  const axis = classAxis(call);
  const classes = logits.shape[axis].size;
  const kept = positions(sums.shape, logits.shape);
  forEachIndex(loop, (index) => {
    const label = labelAt(labels, index.toSpliced(axis, 1), classes, call.where);
    visit(
      index,
      index[axis],
      softmaxAt(logits, index, axis),
      label,
      kept.map((k) => index[k]),
    );
  });
}
