import type { Node } from '../../../core/index.ts';
import type { ElementwiseAttrs, ElementwiseName } from '../../../ops/index.ts';
import { elementOf, onnxDims, refuse, type Site, type Tensor } from './site.ts';
import type { Each } from './traced.ts';

/** Adds operators on inputs of one type; the name of what they give. */
type Formula = (
  inputs: readonly string[],
  add: (type: string, inputs: readonly string[], attributes?: object) => string,
  of: {
    readonly number: (value: number) => string;
    readonly type: Tensor['type'];
    readonly slope: number;
    readonly where: string;
  },
) => string;

const same =
  (type: string): Formula =>
  (inputs, add) =>
    add(type, inputs);
/** A comparison gives 1 or 0 here, true or false there. */
const compared =
  (type: string): Formula =>
  (inputs, add, { number }) =>
    add('Where', [add(type, inputs), number(1), number(0)]);

/** Element-wise operations in operators, in the operation's own element type. */
const FORMULAS: Readonly<Record<ElementwiseName, Formula>> = {
  neg: same('Neg'),
  abs: same('Abs'),
  sign: same('Sign'),
  square: ([x], add) => add('Mul', [x, x]),
  sqrt: same('Sqrt'),
  rsqrt: ([x], add) => add('Reciprocal', [add('Sqrt', [x])]),
  reciprocal: same('Reciprocal'),
  exp: same('Exp'),
  log: same('Log'),
  tanh: same('Tanh'),
  erf: ([x], add, { type, where }) =>
    type === 'float'
      ? add('Erf', [x])
      : refuse(where, 'the error function of float64 cannot be exported as ONNX'),
  sigmoid: same('Sigmoid'),
  floor: same('Floor'),
  // The operator takes float32 alone.
  leakyRelu: ([x], add, { type, slope, number }) =>
    type === 'float'
      ? add('LeakyRelu', [x], { alpha: { float: slope } })
      : add('Where', [add('Greater', [x, number(0)]), x, add('Mul', [x, number(slope)])]),
  leakyReluGrad: ([x, g], add, { slope, number }) =>
    add('Where', [add('Greater', [x, number(0)]), g, add('Mul', [g, number(slope)])]),
  add: same('Add'),
  sub: same('Sub'),
  mul: same('Mul'),
  div: same('Div'),
  minimum: same('Min'),
  maximum: same('Max'),
  pow: same('Pow'),
  less: compared('Less'),
  lessEqual: compared('LessOrEqual'),
  equal: compared('Equal'),
  select: ([c, a, b], add, { number }) => add('Where', [add('Equal', [c, number(0)]), b, a]),
};

export function writeElementwise(site: Site, nodes: Each<Node>): string {
  const [{ op, call, name, inputs, outputs }] = nodes;
  const [value] = outputs;
  const type = elementOf(value.dtype, call.where);
  const dims = onnxDims(value.shape, site.space);
  const read = inputs.map((_, n) => {
    const tensor = site.read(nodes.map((node) => node.inputs[n]));
    return site.aligned(site.as(tensor, type), dims);
  });
  const { slope = 0 } = call.attrs as ElementwiseAttrs;
  return FORMULAS[op.name as ElementwiseName](
    read,
    (operator, from, attributes = {}) => site.node(operator, name, from, attributes),
    { number: (number) => site.number(number, type), type, slope, where: call.where },
  );
}
