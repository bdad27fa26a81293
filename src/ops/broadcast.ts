import {
  boxVolume,
  type DType,
  defineOp,
  fail,
  forEachIndex,
  type Graph,
  get,
  hasDim,
  type Loop,
  NO_IMAGES,
  type NotDifferentiable,
  type Op,
  offset,
  type Shape,
  set,
  showShape,
  type Value,
} from '../core/index.ts';
import { boxByName, needInputs, passLoops, pointwiseRules, positions, single } from './common.ts';

// Broadcasting and its transpose, the sum over dimensions; casts; fills. Gradient rules everywhere need these.

export type ConstantAttrs = { readonly shape: Shape; readonly dtype: DType; readonly value: number };

/** The same number everywhere. */
export const fill = defineOp<ConstantAttrs>({
  name: 'fill',
  doc: 'y = value everywhere.',
  ...pointwiseRules(0),
  role: 'constant',
  infer: (_inputs, { shape, dtype }) => [{ shape, dtype }],
  grad: { notDifferentiable: 'it has no inputs' } satisfies NotDifferentiable,
  reference: (call, loop, _inputs, [out]) => forEachIndex(loop, (index) => set(out, index, call.attrs.value)),
});

export type CastAttrs = { readonly dtype: DType };

const isFloat = (dtype: DType): boolean => dtype !== 'u8' && dtype !== 'i32';

/** Another element type. To bfloat16 rounds to nearest even, to integers towards zero. No gradient passes whole numbers. */
export const cast = defineOp<CastAttrs>({
  name: 'cast',
  doc: 'y = x stored as another element type.',
  ...pointwiseRules(0),
  role: 'conversion',
  infer(inputs, { dtype }, where) {
    needInputs(inputs, 1, where);
    return [{ shape: inputs[0].shape, dtype }];
  },
  grad: (call, [g]) => {
    const from = call.inputs[0].dtype;
    return [isFloat(from) && isFloat(call.attrs.dtype) ? castTo(g!, from) : undefined];
  },
  reference(call, loop, [x], [out]) {
    const { dtype } = call.attrs;
    const whole = dtype === 'u8' || dtype === 'i32';
    forEachIndex(loop, (index) => set(out, index, whole ? Math.trunc(get(x, index)) : get(x, index)));
  },
});

export type BroadcastAttrs = { readonly shape: Shape };

/** x repeated along the dimensions of `shape` that it lacks. */
export const broadcast = defineOp<BroadcastAttrs>({
  name: 'broadcast',
  doc: 'y[...] = x[dimensions that x has].',
  ...pointwiseRules(0),
  infer(inputs, { shape }, where) {
    needInputs(inputs, 1, where);
    for (const dim of inputs[0].shape)
      if (!shape.some((d) => d.name === dim.name && d.size === dim.size))
        fail({
          where,
          problem: `"${dim.name}" of the input is missing or differs`,
          expected: showShape(shape),
          found: showShape(inputs[0].shape),
        });
    return [{ shape, dtype: inputs[0].dtype }];
  },
  grad: (call, [g]) => [sumTo(g!, call.inputValues[0])],
  reference(call, loop, [x], [out]) {
    const map = positions(x.shape, call.attrs.shape);
    forEachIndex(loop, (index) =>
      set(
        out,
        index,
        get(
          x,
          map.map((k) => index[k]),
        ),
      ),
    );
  },
});

export type ReduceAttrs = { readonly over: readonly string[]; readonly dtype?: DType };

const keptDims = (shape: Shape, over: readonly string[]): Shape =>
  shape.filter((dim) => !over.includes(dim.name));

export function reduction(
  name: 'sum' | 'max' | 'min',
  doc: string,
  grad: Op<ReduceAttrs>['grad'],
): Op<ReduceAttrs> {
  const start = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY }[name];
  const join = { sum: (a: number, b: number) => a + b, max: Math.max, min: Math.min }[name];
  const loops = (input: Shape, over: readonly string[]): Loop[] => [
    ...passLoops(keptDims(input, over)),
    ...input
      .filter((dim) => over.includes(dim.name))
      .map((dim): Loop => ({ dim: dim.name, size: dim.size, split: 'sum' })),
  ];
  return defineOp<ReduceAttrs>({
    name: `reduce_${name}`,
    doc,
    form: 'kernel',
    role: 'compute',
    images: NO_IMAGES,
    weight: 'none',
    combine: name,
    infer(inputs, { over, dtype }, where) {
      needInputs(inputs, 1, where);
      const [{ shape }] = inputs;
      for (const dim of over)
        if (!hasDim(shape, dim))
          fail({
            where,
            problem: `cannot reduce over "${dim}"`,
            expected: `a dimension of ${showShape(shape)}`,
          });
      return [{ shape: keptDims(shape, over), dtype: dtype ?? inputs[0].dtype }];
    },
    grad,
    loops: (call) => loops(call.inputs[0].shape, call.attrs.over),
    reads: (call, loop) => [
      boxByName(call.inputs[0].shape, loops(call.inputs[0].shape, call.attrs.over), loop),
    ],
    writes: (call, loop) => [loop.slice(0, call.outputs[0].shape.length)],
    cost: (_call, loop) => ({ flops: boxVolume(loop) }),
    reference(call, loop, [x], [out]) {
      out.data.fill(start);
      const all = loops(call.inputs[0].shape, call.attrs.over);
      const toOut = positions(out.shape, x.shape);
      forEachIndex(boxByName(x.shape, all, loop), (index) => {
        const at = offset(
          out,
          toOut.map((k) => index[k]),
        );
        out.data[at] = join(out.data[at], get(x, index));
      });
    },
  });
}

/** y = sum of x over the named dimensions. */
export const sumOp = reduction(
  'sum',
  'y = sum of x over the named dimensions, accumulated in float64 over tiles.',
  (call, [g]) => [broadcastTo(castTo(g!, call.inputs[0].dtype), call.inputs[0])],
);

export function constant(graph: Graph, value: number, shape: Shape = [], dtype: DType = 'f32'): Value {
  return single(graph.add(fill, { shape, dtype, value }, []));
}

export function castTo(x: Value, dtype: DType): Value {
  return x.dtype === dtype ? x : single(x.graph.add(cast, { dtype }, [x]));
}

/** x with the dimensions of `like`, in its order. */
export function broadcastTo(x: Value, like: { readonly shape: Shape }): Value {
  const same = x.shape.length === like.shape.length && x.shape.every((d, i) => d.name === like.shape[i].name);
  return same ? x : single(x.graph.add(broadcast, { shape: like.shape }, [x]));
}

export function reduceSum(x: Value, over: readonly string[], dtype?: DType): Value {
  return single(x.graph.add(sumOp, { over, dtype }, [x]));
}

/** Sums x over the dimensions that `like` lacks and gives it the order and element type of `like`: undoes a broadcast. */
export function sumTo(x: Value, like: Value): Value {
  const over = x.shape.map((dim) => dim.name).filter((name) => !hasDim(like.shape, name));
  // The parts of the ranks are added in float64, so the total hardly depends on the mesh.
  const summed = over.length === 0 ? x : reduceSum(x, over, 'f64');
  return castTo(broadcastTo(summed, like), like.dtype);
}
