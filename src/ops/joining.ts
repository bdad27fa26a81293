import {
  type Box,
  defineOp,
  dimIndex,
  dimOf,
  fail,
  forEachIndex,
  get,
  type Loop,
  NO_IMAGES,
  promote,
  range,
  type Shape,
  set,
  showShape,
  type TensorType,
  type Value,
} from '../core/index.ts';
import { castTo } from './broadcast.ts';
import { needInputs, shifted, single } from './common.ts';

// Tensors put together and taken apart along dimensions. All three move elements by an offset, so a range of the output reads
// a moved range of an input. The gradient of concat is slices, of slice a pad, of pad a slice.

/** Loops of an output in which the dimensions of `moved` are offset against the inputs. */
function movedLoops(shape: Shape, moved: readonly string[]): Loop[] {
  return shape.map((dim) => ({
    dim: dim.name,
    size: dim.size,
    split: moved.includes(dim.name) ? 'window' : 'pass',
  }));
}

export type ConcatAttrs = { readonly dim: string };

/** Where each input begins along the joined dimension. */
function starts(inputs: readonly TensorType[], at: number): number[] {
  let next = 0;
  return inputs.map(({ shape }) => {
    const start = next;
    next += shape[at].size;
    return start;
  });
}

export const concatOp = defineOp<ConcatAttrs>({
  name: 'concat',
  doc: 'y = the inputs one after the other along a dimension.',
  form: 'view',
  role: 'compute',
  images: NO_IMAGES,
  weight: 'none',
  combine: 'sum',
  infer(inputs, { dim }, where) {
    if (inputs.length === 0) fail({ where, problem: 'no inputs', expected: 'at least one' });
    const [first] = inputs;
    dimOf(first.shape, dim, where);
    const at = dimIndex(first.shape, dim);
    for (const { shape } of inputs)
      if (
        shape.length !== first.shape.length ||
        shape.some((d, i) => d.name !== first.shape[i].name || (i !== at && d.size !== first.shape[i].size))
      )
        fail({
          where,
          problem: `inputs differ in more than "${dim}"`,
          expected: showShape(first.shape),
          found: showShape(shape),
        });
    const size = inputs.reduce((sum, { shape }) => sum + shape[at].size, 0);
    const shape = first.shape.map((d, i) => (i === at ? { name: dim, size } : d));
    return [{ shape, dtype: inputs.map((t) => t.dtype).reduce(promote) }];
  },
  grad: (call, [g]) => {
    const { dim } = call.attrs;
    const at = dimIndex(call.inputs[0].shape, dim);
    return starts(call.inputs, at).map((start, i) => {
      const { shape, dtype } = call.inputs[i];
      return castTo(slice(g!, { [dim]: [start, start + shape[at].size] }), dtype);
    });
  },
  loops: (call) => movedLoops(call.outputs[0].shape, [call.attrs.dim]),
  reads(call, loop) {
    const at = dimIndex(call.inputs[0].shape, call.attrs.dim);
    const begin = starts(call.inputs, at);
    return call.inputs.map(({ shape }, k) =>
      loop.map((r, i) => (i === at ? shifted(r, -begin[k], shape[at].size) : r)),
    );
  },
  writes: (_call, loop) => [loop],
  cost: () => ({ flops: 0 }),
  reference(call, loop, inputs, [y]) {
    const at = dimIndex(y.shape, call.attrs.dim);
    const begin = starts(call.inputs, at);
    forEachIndex(loop, (index) => {
      const k = begin.findLastIndex((start) => start <= index[at]);
      const from = index.map((x, i) => (i === at ? x - begin[k] : x));
      set(y, index, get(inputs[k], from));
    });
  },
});

/** For each dimension named, the range [start, end) that is kept. */
export type SliceAttrs = { readonly ranges: Readonly<Record<string, readonly [number, number]>> };

/** The box of the input that an output box of a slice comes from. */
function sliced(ranges: SliceAttrs['ranges'], shape: Shape, box: Box): Box {
  return shape.map((dim, i) => {
    const by = ranges[dim.name]?.[0] ?? 0;
    return range(box[i].start + by, box[i].end + by);
  });
}

export const sliceOp = defineOp<SliceAttrs>({
  name: 'slice',
  doc: 'y[i] = x[i + start] for the dimensions named, where start <= i + start < end.',
  form: 'view',
  role: 'compute',
  images: NO_IMAGES,
  weight: 'none',
  combine: 'sum',
  infer(inputs, { ranges }, where) {
    needInputs(inputs, 1, where);
    const [x] = inputs;
    for (const [name, [start, end]] of Object.entries(ranges)) {
      const { size } = dimOf(x.shape, name, where);
      if (
        !Number.isSafeInteger(start) ||
        !Number.isSafeInteger(end) ||
        start < 0 ||
        end <= start ||
        end > size
      )
        fail({
          where,
          problem: `impossible range along "${name}"`,
          expected: `0 <= start < end <= ${size}`,
          found: `${start} to ${end}`,
        });
    }
    const shape = x.shape.map(({ name, size }) => {
      const [start, end] = ranges[name] ?? [0, size];
      return { name, size: end - start };
    });
    return [{ shape, dtype: x.dtype }];
  },
  grad: (call, [g]) => {
    const { shape } = call.inputs[0];
    const padding = Object.entries(call.attrs.ranges).map(([name, [start, end]]) => {
      const { size } = dimOf(shape, name, call.where);
      return [name, [start, size - end]] as const;
    });
    return [pad(g!, Object.fromEntries(padding))];
  },
  loops: (call) => movedLoops(call.outputs[0].shape, Object.keys(call.attrs.ranges)),
  reads: (call, loop) => [sliced(call.attrs.ranges, call.inputs[0].shape, loop)],
  writes: (_call, loop) => [loop],
  cost: () => ({ flops: 0 }),
  reference(call, loop, [x], [y]) {
    const by = x.shape.map((dim) => call.attrs.ranges[dim.name]?.[0] ?? 0);
    forEachIndex(loop, (index) =>
      set(
        y,
        index,
        get(
          x,
          index.map((at, i) => at + by[i]),
        ),
      ),
    );
  },
});

/** For each dimension named, how many elements of `value` stand before and after. */
export type PadAttrs = {
  readonly padding: Readonly<Record<string, readonly [number, number]>>;
  readonly value: number;
};

export const padOp = defineOp<PadAttrs>({
  name: 'pad',
  doc: 'y[i] = x[i - before] inside x, else the value.',
  form: 'kernel',
  role: 'compute',
  images: NO_IMAGES,
  weight: 'none',
  combine: 'sum',
  infer(inputs, { padding }, where) {
    needInputs(inputs, 1, where);
    const [x] = inputs;
    for (const [name, both] of Object.entries(padding)) {
      dimOf(x.shape, name, where);
      for (const n of both)
        if (!Number.isSafeInteger(n) || n < 0)
          fail({
            where,
            problem: `padding along "${name}"`,
            expected: 'whole numbers of at least 0',
            found: both.join(' and '),
            hint: 'Use slice to take elements away',
          });
    }
    const shape = x.shape.map(({ name, size }) => {
      const [before, after] = padding[name] ?? [0, 0];
      return { name, size: before + size + after };
    });
    return [{ shape, dtype: x.dtype }];
  },
  grad: (call, [g]) => {
    const { shape } = call.inputs[0];
    const ranges = Object.entries(call.attrs.padding).map(([name, [before]]) => {
      const { size } = dimOf(shape, name, call.where);
      return [name, [before, before + size]] as const;
    });
    return [slice(g!, Object.fromEntries(ranges))];
  },
  loops: (call) => movedLoops(call.outputs[0].shape, Object.keys(call.attrs.padding)),
  reads: (call, loop) => [
    call.inputs[0].shape.map((dim, i) =>
      shifted(loop[i], -(call.attrs.padding[dim.name]?.[0] ?? 0), dim.size),
    ),
  ],
  writes: (_call, loop) => [loop],
  cost: () => ({ flops: 0 }),
  reference(call, loop, [x], [y]) {
    const by = x.shape.map((dim) => call.attrs.padding[dim.name]?.[0] ?? 0);
    forEachIndex(loop, (index) => {
      const from = index.map((at, i) => at - by[i]);
      const inside = from.every((at, i) => at >= 0 && at < x.shape[i].size);
      set(y, index, inside ? get(x, from) : call.attrs.value);
    });
  },
});

/** The values one after the other along `dim`. All other dimensions must agree in name, size and order. */
export function concat(values: readonly Value[], dim: string): Value {
  if (values.length === 0) fail({ where: 'concat', problem: 'no inputs', expected: 'at least one' });
  return single(values[0].graph.add(concatOp, { dim }, values));
}

/** Part of x: `slice(x, { depth: [2, 5] })` keeps depths 2, 3 and 4. */
export function slice(x: Value, ranges: SliceAttrs['ranges']): Value {
  return single(x.graph.add(sliceOp, { ranges }, [x]));
}

/** x with `value` around it: `pad(x, { depth: [1, 2] })` adds one slice before and two after. */
export function pad(x: Value, padding: PadAttrs['padding'], value = 0): Value {
  return single(x.graph.add(padOp, { padding, value }, [x]));
}
