import {
  defineOp,
  fail,
  forEachIndex,
  get,
  NO_IMAGES,
  rowMajorStrides,
  type Shape,
  set,
  showShape,
  type Value,
  volume,
} from '../core/index.ts';
import { boxByName, needInputs, passLoops, positions, single } from './common.ts';

// The same elements under other dimensions: transpose, reshape and, as a reshape, rename.

/** `order`: all dimension names in the new order, outermost first. */
export type TransposeAttrs = { readonly order: readonly string[] };

export const transposeOp = defineOp<TransposeAttrs>({
  name: 'transpose',
  doc: 'y = x with its dimensions in another order; elements keep their named coordinates.',
  form: 'kernel',
  role: 'compute',
  images: NO_IMAGES,
  weight: 'none',
  combine: 'sum',
  infer(inputs, { order }, where) {
    needInputs(inputs, 1, where);
    const [{ shape, dtype }] = inputs;
    const found = order.map((name) => shape.find((dim) => dim.name === name));
    if (order.length !== shape.length || new Set(order).size !== order.length || found.includes(undefined))
      fail({
        where,
        problem: 'the order does not name every dimension once',
        expected: `an order of ${showShape(shape)}`,
        found: order.join(', '),
      });
    return [{ shape: found.map((dim) => dim!), dtype }];
  },
  grad: (call, [g]) => [
    transpose(
      g!,
      call.inputs[0].shape.map((dim) => dim.name),
    ),
  ],
  loops: (call) => passLoops(call.outputs[0].shape),
  reads: (call, loop) => [boxByName(call.inputs[0].shape, passLoops(call.outputs[0].shape), loop)],
  writes: (_call, loop) => [loop],
  cost: () => ({ flops: 0 }),
  reference(_call, loop, [x], [y]) {
    const from = positions(x.shape, y.shape);
    forEachIndex(loop, (index) =>
      set(
        y,
        index,
        get(
          x,
          from.map((k) => index[k]),
        ),
      ),
    );
  },
});

export type ReshapeAttrs = { readonly shape: Shape };

/** How many leading and how many trailing dimensions (of the rest) are equal in name and size. */
export function equalEnds(a: Shape, b: Shape): { readonly leading: number; readonly trailing: number } {
  const same = (i: number, k: number) => a[i].name === b[k].name && a[i].size === b[k].size;
  const most = Math.min(a.length, b.length);
  let leading = 0;
  while (leading < most && same(leading, leading)) leading++;
  let trailing = 0;
  while (trailing < most - leading && same(a.length - 1 - trailing, b.length - 1 - trailing)) trailing++;
  return { leading, trailing };
}

export const reshapeOp = defineOp<ReshapeAttrs>({
  name: 'reshape',
  doc: 'y = x with the same elements in row-major order. Equal leading and trailing dimensions pass, those between are whole.',
  form: 'kernel',
  role: 'compute',
  images: NO_IMAGES,
  weight: 'none',
  combine: 'sum',
  infer(inputs, { shape }, where) {
    needInputs(inputs, 1, where);
    const [x] = inputs;
    if (volume(x.shape) !== volume(shape))
      fail({
        where,
        problem: 'another number of elements',
        expected: `${volume(x.shape)}, as in ${showShape(x.shape)}`,
        found: `${volume(shape)} in ${showShape(shape)}`,
      });
    return [{ shape, dtype: x.dtype }];
  },
  grad: (call, [g]) => [reshape(g!, call.inputs[0].shape)],
  loops(call) {
    const { shape } = call.outputs[0];
    const { leading, trailing } = equalEnds(call.inputs[0].shape, shape);
    return shape.map((dim, i) => ({
      dim: dim.name,
      size: dim.size,
      split: i < leading || i >= shape.length - trailing ? 'pass' : 'whole',
    }));
  },
  reads(call, loop) {
    const { shape } = call.inputs[0];
    const { leading, trailing } = equalEnds(shape, call.outputs[0].shape);
    const back = loop.length - shape.length;
    return [
      shape.map((dim, i) => {
        if (i < leading) return loop[i];
        return i >= shape.length - trailing ? loop[i + back] : { start: 0, end: dim.size };
      }),
    ];
  },
  writes: (_call, loop) => [loop],
  cost: () => ({ flops: 0 }),
  reference(_call, loop, [x], [y]) {
    const outer = rowMajorStrides(y.shape.map((dim) => dim.size));
    const inner = rowMajorStrides(x.shape.map((dim) => dim.size));
    forEachIndex(loop, (index) => {
      const flat = index.reduce((sum, at, i) => sum + at * outer[i], 0);
      const from = x.shape.map((dim, i) => Math.floor(flat / inner[i]) % dim.size);
      set(y, index, get(x, from));
    });
  },
});

/** x with its dimensions in another order, outermost first. */
export function transpose(x: Value, order: readonly string[]): Value {
  return single(x.graph.add(transposeOp, { order }, [x]));
}

/** The same elements in row-major order under another shape. */
export function reshape(x: Value, shape: Shape): Value {
  return single(x.graph.add(reshapeOp, { shape }, [x]));
}

/** x with other names for some dimensions: `rename(x, { channel: 'in' })`. A renamed dimension is not split. */
export function rename(x: Value, names: Readonly<Record<string, string>>): Value {
  for (const name of Object.keys(names))
    if (!x.shape.some((dim) => dim.name === name))
      fail({ where: 'rename', problem: `no dimension "${name}" in ${showShape(x.shape)}` });
  return reshape(
    x,
    x.shape.map(({ name, size }) => ({ name: Object.hasOwn(names, name) ? names[name] : name, size })),
  );
}
