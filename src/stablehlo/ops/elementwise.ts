import { ELEMENTWISE_NAMES, type ElementwiseAttrs, type ElementwiseName } from '../../ops/index.ts';
import type { Tensor } from '../types.ts';
import type { Binary, Unary, Writer } from '../writer.ts';
import type { Rule } from './site.ts';

// Element-wise operations: inputs over the output's frame, computed in float32 or float64, stored as the output's type.

type Formula = (w: Writer, x: readonly Tensor[], attrs: ElementwiseAttrs) => Tensor;

const unary =
  (name: Unary): Formula =>
  (w, [x]) =>
    w.unary(name, x);
const binary =
  (name: Binary): Formula =>
  (w, [a, b]) =>
    w.binary(name, a, b);
const test =
  (how: 'EQ' | 'LE' | 'LT'): Formula =>
  (w, [a, b]) =>
    w.convert(w.compare(how, a, b), a.element);
const zero = (w: Writer, x: Tensor): Tensor => w.constant(x.element, 0, x.sizes);

/** c[0] + x (c[1] + x (c[2] + ...)) */
function polynomial(w: Writer, x: Tensor, coefficients: readonly number[]): Tensor {
  return coefficients
    .slice(0, -1)
    .reduceRight((sum, c) => w.with('add', w.binary('multiply', sum, x), c), last(w, x, coefficients));
}

const last = (w: Writer, x: Tensor, coefficients: readonly number[]): Tensor =>
  w.constant(x.element, coefficients[coefficients.length - 1], x.sizes);

/** Of erf(x) / x in x^2 below 1, lowest power first. */
const ERF_BELOW_1 = [
  1.1283791658, -3.7612626667e-1, 1.1283594715e-1, -2.685421201e-2, 5.189087423e-3, -8.0168642839e-4,
  7.8758750533e-5,
];
/** Of log(1 - erf(x)) in x from 1 to 4, from where on float32 does not tell erf from 1. */
const ERF_ABOVE_1 = [
  3.2013805192e-4, -1.1302334348, -6.3182605155e-1, -1.1008008296e-1, 2.6421136008e-2, -4.7595962936e-3,
  5.9680562564e-4, -4.6058042677e-5, 1.6371514135e-6,
];

/** The error function to float32's last places, whatever the type: StableHLO has none. */
const erf: Formula = (w, [x]) => {
  const size = w.unary('abs', x);
  const small = w.binary('multiply', polynomial(w, w.binary('multiply', x, x), ERF_BELOW_1), x);
  const rest = w.unary('exponential', polynomial(w, w.with('minimum', size, 4), ERF_ABOVE_1));
  const one = w.constant(x.element, 1, x.sizes);
  const large = w.binary('multiply', w.unary('sign', x), w.binary('subtract', one, rest));
  return w.select(w.compare('LT', size, one), small, large);
};

const leaky = (w: Writer, x: Tensor, y: Tensor, slope: number): Tensor =>
  w.select(w.compare('GT', x, zero(w, x)), y, w.with('multiply', y, slope));

const FORMULAS: Readonly<Record<ElementwiseName, Formula>> = {
  neg: unary('negate'),
  abs: unary('abs'),
  sign: unary('sign'),
  square: (w, [x]) => w.binary('multiply', x, x),
  sqrt: unary('sqrt'),
  rsqrt: unary('rsqrt'),
  reciprocal: (w, [x]) => w.binary('divide', w.constant(x.element, 1, x.sizes), x),
  exp: unary('exponential'),
  log: unary('log'),
  tanh: unary('tanh'),
  erf,
  sigmoid: unary('logistic'),
  floor: unary('floor'),
  leakyRelu: (w, [x], { slope = 0 }) => leaky(w, x, x, slope),
  leakyReluGrad: (w, [x, g], { slope = 0 }) => leaky(w, x, g, slope),
  add: binary('add'),
  sub: binary('subtract'),
  mul: binary('multiply'),
  div: binary('divide'),
  minimum: binary('minimum'),
  maximum: binary('maximum'),
  pow: binary('power'),
  less: test('LT'),
  lessEqual: test('LE'),
  equal: test('EQ'),
  select: (w, [c, a, b]) => w.select(w.compare('NE', c, zero(w, c)), a, b),
};

const ruleOf =
  (formula: Formula): Rule<ElementwiseAttrs> =>
  (site) => {
    const { arithmetic, frame, shape, writer } = site;
    const x = site.inputs.map((_, i) => site.spread(i, frame, shape, arithmetic));
    return [site.asOutput(formula(writer, x, site.attrs))];
  };

/** Rules of all element-wise operations. */
export const elementwiseRules = Object.fromEntries(
  ELEMENTWISE_NAMES.map((name) => [name, ruleOf(FORMULAS[name])]),
) as Readonly<Record<ElementwiseName, Rule<ElementwiseAttrs>>>;
