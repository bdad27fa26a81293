import {
  add,
  type Block,
  type Box,
  boxVolume,
  type Call,
  defineOp,
  dimIndex,
  dimOf,
  fail,
  forEachIndex,
  get,
  hasDim,
  type Loop,
  type NotDifferentiable,
  type Op,
  type Shape,
  sameShape,
  set,
  showShape,
  type TensorType,
  type Value,
} from '../core/index.ts';
import { constant } from './broadcast.ts';
import { boxByName, needInputs, needType, passLoops, positions, single } from './common.ts';
import { allAlong, softmaxAt } from './softmax.ts';

// Sums over voxels that class losses are made of, from logits and integer labels: no one-hot volume is ever made.
//
//   logits  [batch..., space..., class]    s = softmax over class
//   labels  [batch..., space...]           whole numbers 0..classes-1 (u8, i32 or f32)
//   sums    [kept dimensions]              float64; all other dimensions are summed over
//
//   cross_entropy      sum of weights[label] * -log s[label]
//   class_sums         of one class: sum of p t, sum of p, sum of t with p = s[cls], t = (label = cls)
//
// Gradients for the logits z, from d(-log s[l])/dz[k] = s[k] - (k = l) and dp/dz[k] = p * ((k = cls) - s[k]).

type OverClasses = {
  /** Dimension of the classes. */
  readonly classes: string;
  /** Dimensions that the sums keep, e.g. the batch for sums per case. */
  readonly keep: readonly string[];
};

/** `weights`: one per class. */
export type CrossEntropyAttrs = OverClasses & { readonly weights: readonly number[] };
/** `cls`: the class that is summed. */
export type ClassSumsAttrs = OverClasses & { readonly cls: number };

const NO_SECOND: NotDifferentiable = {
  notDifferentiable: 'second derivatives of losses are not defined here',
};

const keptShape = (labels: Shape, keep: readonly string[]): Shape =>
  labels.filter((dim) => keep.includes(dim.name));

/** Refuses logits, labels and kept dimensions that do not fit; returns the number of classes. */
function checkClasses(inputs: readonly TensorType[], { classes, keep }: OverClasses, where: string): number {
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

function checkWeights(weights: readonly number[], classes: number, where: string): void {
  if (weights.length !== classes)
    fail({
      where,
      problem: 'number of class weights',
      expected: String(classes),
      found: String(weights.length),
    });
}

function checkClass(cls: number, classes: number, where: string): void {
  if (!Number.isInteger(cls) || cls < 0 || cls >= classes)
    fail({ where, problem: 'no such class', expected: `0 to ${classes - 1}`, found: String(cls) });
}

/** Refuses gradients of sums that lack the kept shape. */
function checkSums(sums: readonly TensorType[], labels: Shape, keep: readonly string[], where: string): void {
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
const sumRules = {
  pointwise: false,
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
const gradRules = {
  pointwise: false,
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

/** Visits the voxels of a loop box of {@link sumRules} with their softmax, label and position in the sums. */
function forEachVoxel(
  call: Call<OverClasses>,
  loop: Box,
  [logits, labels]: readonly Block[],
  visit: (softmax: readonly number[], label: number, sums: readonly number[]) => void,
): void {
  const axis = classAxis(call);
  const classes = logits.shape[axis].size;
  const kept = positions(call.outputs[0].shape, labels.shape);
  forEachIndex(boxByName(labels.shape, sumLoops(call), loop), (index) => {
    const label = labelAt(labels, index, classes, call.where);
    visit(
      softmaxAt(logits, index.toSpliced(axis, 0, 0), axis),
      label,
      kept.map((k) => index[k]),
    );
  });
}

/** Visits the logits of a loop box of {@link gradRules} with their class, softmax, label and position in the sums. */
function forEachLogit(
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

export const crossEntropyOp: Op<CrossEntropyAttrs> = defineOp<CrossEntropyAttrs>({
  name: 'cross_entropy',
  doc: 'y[keep] = sum of weights[label] * -log softmax(logits)[label]. Inputs: logits, labels.',
  ...sumRules,
  infer(inputs, attrs, where) {
    needInputs(inputs, 2, where);
    checkWeights(attrs.weights, checkClasses(inputs, attrs, where), where);
    return [{ shape: keptShape(inputs[1].shape, attrs.keep), dtype: 'f64' }];
  },
  grad: (call, [g]) => {
    const [logits, labels] = call.inputValues;
    return [single(g!.graph.add(crossEntropyGradOp, call.attrs, [logits, labels, g!])), undefined];
  },
  reference(call, loop, inputs, [sum]) {
    forEachVoxel(call, loop, inputs, (softmax, label, at) => {
      add(sum, at, call.attrs.weights[label] * -Math.log(softmax[label]));
    });
  },
});

export const crossEntropyGradOp = defineOp<CrossEntropyAttrs>({
  name: 'cross_entropy_grad',
  doc: 'dlogits[k] = g[keep] * weights[label] * (softmax(logits)[k] - (k = label)). Inputs: logits, labels, g.',
  ...gradRules,
  infer(inputs, attrs, where) {
    needInputs(inputs, 3, where);
    checkWeights(attrs.weights, checkClasses(inputs, attrs, where), where);
    checkSums(inputs.slice(2), inputs[1].shape, attrs.keep, where);
    return [inputs[0]];
  },
  reference(call, loop, inputs, [dlogits]) {
    forEachLogit(call, loop, inputs, (index, k, softmax, label, at) => {
      const hit = k === label ? 1 : 0;
      set(dlogits, index, get(inputs[2], at) * call.attrs.weights[label] * (softmax[k] - hit));
    });
  },
});

export const classSumsOp: Op<ClassSumsAttrs> = defineOp<ClassSumsAttrs>({
  name: 'class_sums',
  doc: 'Sums of p t, of p and of t with p = softmax(logits)[cls], t = (label = cls). Inputs: logits, labels.',
  ...sumRules,
  infer(inputs, attrs, where) {
    needInputs(inputs, 2, where);
    checkClass(attrs.cls, checkClasses(inputs, attrs, where), where);
    const sums: TensorType = { shape: keptShape(inputs[1].shape, attrs.keep), dtype: 'f64' };
    return [sums, sums, sums];
  },
  // The sum of t does not depend on the logits.
  grad: (call, [gBoth, gP]) => {
    const [logits, labels] = call.inputValues;
    if (gBoth === undefined && gP === undefined) return [undefined, undefined];
    const zero = () => constant(logits.graph, 0, call.outputs[0].shape, 'f64');
    const inputs = [logits, labels, gBoth ?? zero(), gP ?? zero()];
    return [single(logits.graph.add(classSumsGradOp, call.attrs, inputs)), undefined];
  },
  reference(call, loop, inputs, [both, predicted, actual]) {
    const { cls } = call.attrs;
    forEachVoxel(call, loop, inputs, (softmax, label, at) => {
      const t = label === cls ? 1 : 0;
      add(both, at, softmax[cls] * t);
      add(predicted, at, softmax[cls]);
      add(actual, at, t);
    });
  },
});

export const classSumsGradOp = defineOp<ClassSumsAttrs>({
  name: 'class_sums_grad',
  doc: 'dlogits[k] = (g_pt[keep] * t + g_p[keep]) * p * ((k = cls) - softmax(logits)[k]). Inputs: logits, labels, g_pt, g_p.',
  ...gradRules,
  infer(inputs, attrs, where) {
    needInputs(inputs, 4, where);
    checkClass(attrs.cls, checkClasses(inputs, attrs, where), where);
    checkSums(inputs.slice(2), inputs[1].shape, attrs.keep, where);
    return [inputs[0]];
  },
  reference(call, loop, inputs, [dlogits]) {
    const { cls } = call.attrs;
    const [, , gBoth, gP] = inputs;
    forEachLogit(call, loop, inputs, (index, k, softmax, label, at) => {
      const t = label === cls ? 1 : 0;
      const hit = k === cls ? 1 : 0;
      set(dlogits, index, (get(gBoth, at) * t + get(gP, at)) * softmax[cls] * (hit - softmax[k]));
    });
  },
});

/** Sum of weights[label] * -log softmax(logits)[label] over all dimensions but `keep`, in float64. Divide for a mean. */
export function crossEntropy(
  logits: Value,
  labels: Value,
  { classes, weights, keep = [] }: { classes: string; weights: readonly number[]; keep?: readonly string[] },
): Value {
  return single(logits.graph.add(crossEntropyOp, { classes, weights, keep }, [logits, labels]));
}

/** Sums over all dimensions but `keep`, in float64, of p t, p and t for one class: what a Dice score is made of. */
export function classSums(
  logits: Value,
  labels: Value,
  { classes, cls, keep = [] }: { classes: string; cls: number; keep?: readonly string[] },
): { readonly pt: Value; readonly p: Value; readonly t: Value } {
  const [pt, p, t] = logits.graph.add(classSumsOp, { classes, cls, keep }, [logits, labels]);
  return { pt, p, t };
}
