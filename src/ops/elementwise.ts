import {
  type DType,
  defineOp,
  forEachIndex,
  type GradRule,
  get,
  type NotDifferentiable,
  type Op,
  type Role,
  set,
  type Value,
} from '../core/index.ts';
import { broadcastTo, constant, sumTo } from './broadcast.ts';
import { broadcastType, needInputs, pointwiseRules, positions, single } from './common.ts';
import { errorFunction } from './functions/error-function.ts';

/** Names of the element-wise operations; the table below has a rule for each. */
export type ElementwiseName =
  | 'neg'
  | 'abs'
  | 'sign'
  | 'square'
  | 'sqrt'
  | 'rsqrt'
  | 'reciprocal'
  | 'exp'
  | 'log'
  | 'tanh'
  | 'erf'
  | 'sigmoid'
  | 'floor'
  | 'leakyRelu'
  | 'leakyReluGrad'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'minimum'
  | 'maximum'
  | 'pow'
  | 'less'
  | 'lessEqual'
  | 'equal'
  | 'select';

/** Settings of one-argument functions; unused ones are absent. */
export type ElementwiseAttrs = { readonly slope?: number };

type Grad = (
  g: Value,
  inputs: readonly Value[],
  output: Value,
  attrs: ElementwiseAttrs,
) => readonly (Value | undefined)[];

interface Rule {
  readonly doc: string;
  readonly flops?: number;
  readonly f: (x: readonly number[], attrs: ElementwiseAttrs) => number;
  readonly arity: 1 | 2 | 3;
  /** `compute` where it is absent. */
  readonly role?: Role;
  readonly grad: Grad | NotDifferentiable;
}

const STEP: NotDifferentiable = { notDifferentiable: 'it is constant wherever it is continuous' };
const number = (like: Value, value: number): Value => constant(like.graph, value, [], wideEnough(like.dtype));
const wideEnough = (dtype: DType): DType => (dtype === 'f64' ? 'f64' : 'f32');

/** Formula, float64 function and gradient of every element-wise operation. g is the gradient of the output y. */
const RULES: Readonly<Record<ElementwiseName, Rule>> = {
  neg: { arity: 1, doc: '-x', f: ([x]) => -x, grad: (g) => [neg(g)] },
  abs: { arity: 1, doc: '|x|', f: ([x]) => Math.abs(x), grad: (g, [x]) => [mul(g, sign(x))] },
  sign: { arity: 1, doc: 'sign of x; 0 at 0', f: ([x]) => Math.sign(x), grad: STEP },
  square: { arity: 1, doc: 'x^2', f: ([x]) => x * x, grad: (g, [x]) => [mul(mul(g, x), number(x, 2))] },
  sqrt: {
    arity: 1,
    doc: 'square root',
    f: ([x]) => Math.sqrt(x),
    grad: (g, _x, y) => [div(mul(g, number(y, 0.5)), y)],
  },
  rsqrt: {
    arity: 1,
    doc: '1 / sqrt(x)',
    f: ([x]) => 1 / Math.sqrt(x),
    grad: (g, [x], y) => [div(mul(mul(g, y), number(x, -0.5)), x)],
  },
  reciprocal: { arity: 1, doc: '1 / x', f: ([x]) => 1 / x, grad: (g, _x, y) => [neg(mul(g, square(y)))] },
  exp: { arity: 1, flops: 8, doc: 'e^x', f: ([x]) => Math.exp(x), grad: (g, _x, y) => [mul(g, y)] },
  log: {
    arity: 1,
    flops: 8,
    doc: 'natural logarithm',
    f: ([x]) => Math.log(x),
    grad: (g, [x]) => [div(g, x)],
  },
  tanh: {
    arity: 1,
    flops: 8,
    doc: 'hyperbolic tangent',
    f: ([x]) => Math.tanh(x),
    grad: (g, _x, y) => [sub(g, mul(g, square(y)))],
  },
  erf: {
    arity: 1,
    flops: 16,
    doc: 'error function: 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x',
    f: ([x]) => errorFunction(x),
    grad: (g, [x]) => [mul(g, mul(exp(neg(square(x))), number(x, 2 / Math.sqrt(Math.PI))))],
  },
  sigmoid: {
    arity: 1,
    flops: 8,
    doc: '1 / (1 + e^-x)',
    f: ([x]) => 1 / (1 + Math.exp(-x)),
    grad: (g, _x, y) => [mul(g, sub(y, square(y)))],
  },
  floor: { arity: 1, doc: 'largest whole number not above x', f: ([x]) => Math.floor(x), grad: STEP },
  leakyRelu: {
    arity: 1,
    doc: 'x > 0 ? x : slope * x',
    f: ([x], { slope = 0 }) => (x > 0 ? x : slope * x),
    grad: (g, [x], _y, { slope }) => [leakyReluGrad(x, g, slope)],
  },
  leakyReluGrad: {
    arity: 2,
    doc: 'gradient of leakyRelu at x for g: x > 0 ? g : slope * g',
    f: ([x, g], { slope = 0 }) => (x > 0 ? g : slope * g),
    grad: (h, [x], _y, { slope }) => [undefined, leakyReluGrad(x, h, slope)],
  },
  add: { arity: 2, role: 'addition', doc: 'a + b', f: ([a, b]) => a + b, grad: (g) => [g, g] },
  sub: { arity: 2, doc: 'a - b', f: ([a, b]) => a - b, grad: (g) => [g, neg(g)] },
  mul: { arity: 2, doc: 'a * b', f: ([a, b]) => a * b, grad: (g, [a, b]) => [mul(g, b), mul(g, a)] },
  div: {
    arity: 2,
    doc: 'a / b',
    f: ([a, b]) => a / b,
    grad: (g, [, b], y) => [div(g, b), neg(div(mul(g, y), b))],
  },
  minimum: {
    arity: 2,
    doc: 'smaller of a and b; the gradient goes to a on a tie',
    f: ([a, b]) => Math.min(a, b),
    grad: (g, [a, b]) => [mul(g, lessEqual(a, b)), mul(g, less(b, a))],
  },
  maximum: {
    arity: 2,
    doc: 'larger of a and b; the gradient goes to a on a tie',
    f: ([a, b]) => Math.max(a, b),
    grad: (g, [a, b]) => [mul(g, lessEqual(b, a)), mul(g, less(a, b))],
  },
  pow: {
    arity: 2,
    flops: 16,
    doc: 'a^b for a > 0',
    f: ([a, b]) => a ** b,
    grad: (g, [a, b], y) => [mul(g, mul(b, div(y, a))), mul(g, mul(y, log(a)))],
  },
  less: { arity: 2, doc: 'a < b ? 1 : 0', f: ([a, b]) => (a < b ? 1 : 0), grad: STEP },
  lessEqual: { arity: 2, doc: 'a <= b ? 1 : 0', f: ([a, b]) => (a <= b ? 1 : 0), grad: STEP },
  equal: { arity: 2, doc: 'a = b ? 1 : 0', f: ([a, b]) => (a === b ? 1 : 0), grad: STEP },
  select: {
    arity: 3,
    doc: 'c != 0 ? a : b for (c, a, b)',
    f: ([c, a, b]) => (c !== 0 ? a : b),
    grad: (g, [c]) => [undefined, select(c, g, number(g, 0)), select(c, number(g, 0), g)],
  },
};

export const ELEMENTWISE_NAMES = Object.keys(RULES) as ElementwiseName[];

function build(name: ElementwiseName): Op<ElementwiseAttrs> {
  const rule: Rule = RULES[name];
  const ruleGrad = rule.grad;
  const grad: GradRule<ElementwiseAttrs> | NotDifferentiable =
    typeof ruleGrad !== 'function'
      ? ruleGrad
      : (call, [g]) =>
          ruleGrad(g!, call.inputValues, call.outputValues[0], call.attrs).map(
            (value, i) => value && sumTo(value, call.inputValues[i]),
          );
  return defineOp<ElementwiseAttrs>({
    name,
    doc: rule.doc,
    ...pointwiseRules(rule.flops ?? 1),
    role: rule.role ?? 'compute',
    infer(inputs, _attrs, where) {
      needInputs(inputs, rule.arity, where);
      return [broadcastType(inputs, where)];
    },
    grad,
    reference(call, loop, inputs, [out]) {
      const maps = inputs.map((input) => positions(input.shape, call.outputs[0].shape));
      const x = new Array<number>(inputs.length);
      forEachIndex(loop, (index) => {
        for (let i = 0; i < x.length; i++)
          x[i] = get(
            inputs[i],
            maps[i].map((k) => index[k]),
          );
        set(out, index, rule.f(x, call.attrs));
      });
    },
  });
}

/** Every element-wise operation by name. */
export const elementwise = Object.fromEntries(
  ELEMENTWISE_NAMES.map((name) => [name, build(name)]),
) as Readonly<Record<ElementwiseName, Op<ElementwiseAttrs>>>;

const unary = (name: ElementwiseName) => (x: Value) => single(x.graph.add(elementwise[name], {}, [x]));
const binary = (name: ElementwiseName) => (a: Value, b: Value) =>
  single(a.graph.add(elementwise[name], {}, [a, b]));

export const neg = unary('neg');
export const abs = unary('abs');
export const sign = unary('sign');
export const square = unary('square');
export const sqrt = unary('sqrt');
export const rsqrt = unary('rsqrt');
export const reciprocal = unary('reciprocal');
export const exp = unary('exp');
export const log = unary('log');
export const tanh = unary('tanh');
export const erf = unary('erf');
export const sigmoid = unary('sigmoid');
export const floor = unary('floor');
export const add = binary('add');
export const sub = binary('sub');
export const mul = binary('mul');
export const div = binary('div');
export const minimum = binary('minimum');
export const maximum = binary('maximum');
export const pow = binary('pow');
export const less = binary('less');
export const lessEqual = binary('lessEqual');
export const equal = binary('equal');

/** Leaky ReLU; slope 0 is ReLU. */
export function leakyRelu(x: Value, slope = 0.1): Value {
  return single(x.graph.add(elementwise.leakyRelu, { slope }, [x]));
}

/** Gradient of {@link leakyRelu} at x for the output gradient g. */
export function leakyReluGrad(x: Value, g: Value, slope = 0.1): Value {
  return single(x.graph.add(elementwise.leakyReluGrad, { slope }, [x, g]));
}

/** c != 0 ? a : b. */
export function select(c: Value, a: Value, b: Value): Value {
  return single(c.graph.add(elementwise.select, {}, [c, a, b]));
}

/** A number as a scalar of the graph, beside `like`. */
export function scalar(like: Value, value: number): Value {
  return number(like, value);
}

/** Ones of a value's shape. */
export function onesLike(value: Value): Value {
  return broadcastTo(number(value, 1), value);
}
