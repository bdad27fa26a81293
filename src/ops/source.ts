import {
  type Attrs,
  type boxVolume,
  type DType,
  defineOp,
  fail,
  forEachIndex,
  type Graph,
  get,
  NO_IMAGES,
  type NotDifferentiable,
  offset,
  rowMajorStrides,
  type Shape,
  set,
  showShape,
  type Value,
  volume,
} from '../core/index.ts';
import { castTo } from './broadcast.ts';
import { needInputs, passLoops, pointwiseRules, single } from './common.ts';

const NO_INPUTS: NotDifferentiable = { notDifferentiable: 'it has no inputs' };
const fillFromOutside = (where: string): never =>
  fail({ where, problem: 'its values come from outside the graph', hint: 'Bind it before the run' });

const sourceRules = {
  form: 'kernel',
  images: NO_IMAGES,
  weight: 'none',
  combine: 'sum',
  loops: (call: { outputs: readonly { shape: Shape }[] }) => passLoops(call.outputs[0].shape),
  reads: () => [],
  writes: (_call: unknown, loop: Parameters<typeof boxVolume>[0]) => [loop],
  cost: () => ({ flops: 0 }),
} as const;

export type InputAttrs = { readonly name: string; readonly shape: Shape; readonly dtype: DType };

/** A tensor given anew at every run: an image, labels, the step number. */
export const input = defineOp<InputAttrs>({
  name: 'input',
  doc: 'A tensor given at every run.',
  ...sourceRules,
  role: 'input',
  infer: (_inputs, { shape, dtype }) => [{ shape, dtype }],
  grad: NO_INPUTS,
  reference: (call) => fillFromOutside(call.where),
});

/** How a variable begins: a value everywhere, or drawn from a normal distribution, one cut off at two deviations, or evenly within `bound`. */
export type Init =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'truncated'; readonly deviation: number }
  | { readonly kind: 'uniform'; readonly bound: number };

export type VariableAttrs = InputAttrs & { readonly init: Init; readonly trainable: boolean };

/** A tensor that lives from run to run: weights, moving statistics, optimizer state. */
export const variable = defineOp<VariableAttrs>({
  name: 'variable',
  doc: 'A tensor that is kept from run to run.',
  ...sourceRules,
  role: 'variable',
  infer: (_inputs, { shape, dtype }) => [{ shape, dtype }],
  grad: NO_INPUTS,
  reference: (call) => fillFromOutside(call.where),
});

export type AssignAttrs = { readonly name: string };

/** The new value of a variable, written into it after everything else has read the old one. */
export const assign = defineOp<AssignAttrs>({
  name: 'assign',
  doc: 'variable := value, at the end of the run. Inputs: variable, value.',
  ...pointwiseRules(0),
  form: 'kernel',
  role: 'assign',
  infer(inputs, _attrs, where) {
    needInputs(inputs, 2, where);
    const [target, value] = inputs;
    if (showShape(target.shape) !== showShape(value.shape))
      fail({
        where,
        problem: 'value has another shape',
        expected: showShape(target.shape),
        found: showShape(value.shape),
      });
    return [target];
  },
  grad: { notDifferentiable: 'it ends a run' },
  reference: (_call, loop, [, value], [out]) =>
    forEachIndex(loop, (index) => set(out, index, get(value, index))),
});

export type TableAttrs = { readonly shape: Shape; readonly dtype: DType; readonly values: readonly number[] };

/** Given numbers, row-major. For small tables: class weights, group membership. */
export const table = defineOp<TableAttrs>({
  name: 'table',
  doc: 'y = the given values, row-major.',
  ...sourceRules,
  role: 'compute',
  infer(_inputs, { shape, dtype, values }, where) {
    if (values.length !== volume(shape))
      fail({
        where,
        problem: 'number of values',
        expected: String(volume(shape)),
        found: String(values.length),
      });
    return [{ shape, dtype }];
  },
  grad: NO_INPUTS,
  reference(call, loop, _inputs, [out]) {
    const strides = rowMajorStrides(call.attrs.shape.map((dim) => dim.size));
    forEachIndex(loop, (index) => {
      out.data[offset(out, index)] = call.attrs.values[index.reduce((at, x, i) => at + x * strides[i], 0)];
    });
  },
});

export function inputOf(graph: Graph, name: string, shape: Shape, dtype: DType = 'f32'): Value {
  return single(graph.add(input, { name, shape, dtype }, []));
}

export function variableOf(graph: Graph, attrs: VariableAttrs & Attrs): Value {
  return single(graph.add(variable, attrs, []));
}

export function assignTo(target: Value, value: Value): Value {
  const { name } = target.node.call.attrs as VariableAttrs;
  return single(target.graph.add(assign, { name }, [target, castTo(value, target.dtype)]));
}

/** Given numbers as a tensor. */
export function tableOf(graph: Graph, shape: Shape, values: readonly number[], dtype: DType = 'f32'): Value {
  return single(graph.add(table, { shape, dtype, values }, []));
}
