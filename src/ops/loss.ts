import { add, defineOp, fail, get, type Op, set, type TensorType, type Value } from '../core/index.ts';
import { constant } from './broadcast.ts';
import {
  checkClasses,
  checkSums,
  forEachLogit,
  forEachVoxel,
  gradRules,
  keptShape,
  type OverClasses,
  sumRules,
} from './class-loops.ts';
import { needInputs, single } from './common.ts';

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

/** `weights`: one per class. */
export type CrossEntropyAttrs = OverClasses & { readonly weights: readonly number[] };
/** `cls`: the class that is summed. */
export type ClassSumsAttrs = OverClasses & { readonly cls: number };

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
    forEachVoxel(call, loop, inputs, (logSoftmax, label, at) => {
      add(sum, at, -call.attrs.weights[label] * logSoftmax[label]);
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
    forEachVoxel(call, loop, inputs, (logSoftmax, label, at) => {
      const p = Math.exp(logSoftmax[cls]);
      const t = label === cls ? 1 : 0;
      add(both, at, p * t);
      add(predicted, at, p);
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
