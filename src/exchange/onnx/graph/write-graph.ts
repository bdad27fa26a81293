import { dimIndex, type Node } from '../../../core/index.ts';
import {
  type AlongAttrs,
  type CastAttrs,
  type ConcatAttrs,
  type EinsumAttrs,
  ELEMENTWISE_NAMES,
  type ElementwiseName,
  type InputAttrs,
  type OpName,
  type PadAttrs,
  type ReduceAttrs,
  type ResizeAttrs,
  type SliceAttrs,
  type TableAttrs,
} from '../../../ops/index.ts';
import type { RunWeights } from '../../weights/run-weights.ts';
import type { OnnxModel } from '../onnx-model.ts';
import { elementOf, onnxDims, refuse, Site, sizesOf, type Tensor } from './site.ts';
import { type Each, isFixed, type Sizes, type Traced } from './traced.ts';
import { writeElementwise } from './write-elementwise.ts';
import { writeConv, writeConvTranspose, writePool } from './write-windows.ts';

/** Adds an operation of a graph to a model; the name of its output. */
type Writer = (site: Site, nodes: Each<Node>) => string;

const not =
  (what: string): Writer =>
  (_site, [{ call }]) =>
    refuse(call.where, `${what} cannot be exported as ONNX`);

/** Input `n` of a node for every image. */
const input = (nodes: Each<Node>, n = 0) => nodes.map((node) => node.inputs[n]);
const readInput = (site: Site, nodes: Each<Node>, n = 0): Tensor => site.read(input(nodes, n));

/** How each operation is said. An operation that is missing here does not compile. */
const WRITERS: Readonly<Record<OpName, Writer>> = {
  ...(Object.fromEntries(ELEMENTWISE_NAMES.map((name) => [name, writeElementwise])) as Record<
    ElementwiseName,
    Writer
  >),
  input: (_site, [{ call }]) => {
    const { name } = call.attrs as InputAttrs;
    return name === 'image' ? name : refuse(call.where, `the input "${name}" cannot be exported as ONNX`);
  },
  variable: (site, [node]) => site.variable(node),
  table: (site, [{ name, call }]) => {
    const { shape, values, dtype } = call.attrs as TableAttrs;
    const sizes = shape.map(({ size }) => size);
    const own = site.name(name, 'table');
    return elementOf(dtype, call.where) === 'float'
      ? site.model.floats(own, sizes, Float32Array.from(values))
      : site.model.doubles(own, sizes, Float64Array.from(values));
  },
  fill: not('a constant volume'),
  cast: (site, nodes) => {
    const { dtype } = nodes[0].call.attrs as CastAttrs;
    return site.as(readInput(site, nodes), elementOf(dtype, nodes[0].call.where)).name;
  },
  broadcast: (site, nodes) => {
    const [{ call, name, outputs }] = nodes;
    const dims = onnxDims(outputs[0].shape, site.space);
    const values = nodes.map((node) => node.outputs[0]);
    const shape = site.shape(
      call.where,
      dims.map((dim) => sizesOf(values, dim)),
    );
    return site.node('Expand', name, [site.aligned(readInput(site, nodes), dims), shape]);
  },
  reduce_sum: reduction('ReduceSum'),
  reduce_max: reduction('ReduceMax'),
  reduce_min: reduction('ReduceMin'),
  conv: writeConv,
  conv_transpose: writeConvTranspose,
  max_pool: writePool,
  avg_pool: writePool,
  einsum: (site, nodes) => {
    const [{ call, name, inputs, outputs }] = nodes;
    const type = elementOf(outputs[0].dtype, call.where);
    const read = inputs.map((_, n) => site.as(readInput(site, nodes, n), type));
    const all = [...new Set(read.flatMap(({ dims }) => dims))];
    if (all.length > 26)
      return refuse(call.where, 'a product of more than 26 dimensions cannot be exported as ONNX');
    const letters = (dims: readonly string[]) =>
      dims.map((dim) => String.fromCharCode(97 + all.indexOf(dim))).join('');
    const { output } = call.attrs as EinsumAttrs;
    const dims = onnxDims(outputs[0].shape, site.space);
    if (dims.length !== output.length) throw new Error(call.where);
    const equation = `${read.map((tensor) => letters(tensor.dims)).join()}->${letters(dims)}`;
    return site.node(
      'Einsum',
      name,
      read.map((tensor) => tensor.name),
      { equation },
    );
  },
  transpose: (site, nodes) =>
    site.ordered(readInput(site, nodes), onnxDims(nodes[0].outputs[0].shape, site.space)).name,
  reshape: writeReshape,
  concat: (site, nodes) => {
    const [{ call, name, inputs, outputs }] = nodes;
    const type = elementOf(outputs[0].dtype, call.where);
    const read = inputs.map((_, n) => site.as(readInput(site, nodes, n), type));
    const axis = read[0].dims.indexOf((call.attrs as ConcatAttrs).dim);
    return site.node(
      'Concat',
      name,
      read.map((tensor) => tensor.name),
      { axis },
    );
  },
  slice: writeSlice,
  pad: (site, nodes) => {
    const [{ call, name }] = nodes;
    const x = readInput(site, nodes);
    const { value } = call.attrs as PadAttrs;
    const side = (at: 0 | 1) =>
      x.dims.map((dim) => {
        const each = nodes.map((node) => (node.call.attrs as PadAttrs).padding[dim]?.[at] ?? 0);
        return isFixed(each)
          ? each[0]
          : refuse(call.where, 'margins that depend on the size of the image cannot be exported as ONNX');
      });
    const pads = site.wholes([...side(0), ...side(1)]);
    return site.node('Pad', name, [x.name, pads, site.number(value, x.type)]);
  },
  resize: writeResize,
  softmax: (site, nodes) => {
    const [{ call, name }] = nodes;
    const x = readInput(site, nodes);
    return site.node('Softmax', name, [x.name], { axis: x.dims.indexOf((call.attrs as AlongAttrs).dim) });
  },
  argmax: not('the position of the largest value'),
  random: not('a random number'),
  assign: not('a change of a variable'),
  conv_weight_grad: not('a gradient'),
  max_pool_grad: not('a gradient'),
  avg_pool_grad: not('a gradient'),
  resize_grad: not('a gradient'),
  cross_entropy: not('a loss'),
  cross_entropy_grad: not('a gradient'),
  class_sums: not('a loss'),
  class_sums_grad: not('a gradient'),
};

function reduction(type: 'ReduceSum' | 'ReduceMax' | 'ReduceMin'): Writer {
  return (site, nodes) => {
    const [{ name, call, outputs }] = nodes;
    const { over } = call.attrs as ReduceAttrs;
    site.countOver(input(nodes), over);
    const x = site.as(readInput(site, nodes), elementOf(outputs[0].dtype, call.where));
    const axes = over.map((dim) => x.dims.indexOf(dim));
    if (type === 'ReduceSum') return site.node(type, name, [x.name, site.wholes(axes)], { keepdims: 0 });
    return site.node(type, name, [x.name], { axes, keepdims: 0 });
  };
}

function writeReshape(site: Site, nodes: Each<Node>): string {
  const [{ call, name, inputs, outputs }] = nodes;
  const x = readInput(site, nodes);
  const values = nodes.map((node) => node.outputs[0]);
  const [from, to] = [inputs[0].shape, outputs[0].shape];
  const dims = onnxDims(to, site.space);
  const renamed =
    from.length === to.length &&
    nodes.every((node) =>
      node.inputs[0].shape.every(({ size }, n) => size === node.outputs[0].shape[n].size),
    );
  if (renamed) {
    // Nothing but names: the numbers stay where they are.
    const now = x.dims.map((dim) => to[dimIndex(from, dim)].name);
    return site.ordered({ ...x, dims: now }, dims).name;
  }
  // Numbers keep their row-major order.
  const natural = (shape: typeof from) => shape.map((dim) => dim.name);
  const flat = site.ordered(x, natural(from));
  const shape = site.shape(
    call.where,
    natural(to).map((dim) => sizesOf(values, dim)),
  );
  const reshaped = site.node('Reshape', name, [flat.name, shape]);
  return site.ordered({ ...x, name: reshaped, dims: natural(to) }, dims).name;
}

function writeSlice(site: Site, nodes: Each<Node>): string {
  const [{ call, name }] = nodes;
  const x = readInput(site, nodes);
  const dims = Object.keys((call.attrs as SliceAttrs).ranges);
  const ranges = (at: 0 | 1) =>
    dims.map((dim) => nodes.map((node) => (node.call.attrs as SliceAttrs).ranges[dim][at]));
  /** Ends that lie a fixed way before the end of the input count from there. */
  const ofEnd = (end: Sizes, dim: string): Sizes => {
    if (isFixed(end)) return end;
    const before = sizesOf(input(nodes), dim).map((size, n) => end[n] - size);
    return isFixed(before) && before[0] < 0 ? before : end;
  };
  return site.node('Slice', name, [
    x.name,
    site.shape(call.where, ranges(0)),
    site.shape(
      call.where,
      ranges(1).map((end, n) => ofEnd(end, dims[n])),
    ),
    site.wholes(dims.map((dim) => x.dims.indexOf(dim))),
  ]);
}

function writeResize(site: Site, nodes: Each<Node>): string {
  const [{ call, name }] = nodes;
  const x = readInput(site, nodes);
  const { kind, size } = call.attrs as ResizeAttrs;
  const sizes = (dim: string): Sizes =>
    sizesOf(
      nodes.map((node) => node.outputs[0]),
      dim,
    );
  if (kind === 'linear') {
    if (
      x.dims.length < 4 ||
      x.type !== 'float' ||
      Object.keys(size).some((axis) => !x.dims.slice(2).includes(axis))
    )
      return refuse(
        call.where,
        'linear interpolation of what is no image over two or three axes cannot be exported as ONNX',
      );
    const shape = site.shape(call.where, x.dims.map(sizes));
    const settings = { mode: 'linear', coordinate_transformation_mode: 'half_pixel' };
    return site.node('Resize', name, [x.name, '', '', shape], settings);
  }
  // The nearest of n inputs to output o of m is (2 o + 1) n / 2 m in whole numbers.
  const add = (type: string, inputs: readonly string[], attributes = {}) =>
    site.node(type, name, inputs, attributes);
  const whole = (number: number) => site.wholes([number]);
  return Object.keys(size).reduce((from, axis) => {
    const [n, m] = [sizesOf(input(nodes), axis), sizes(axis)].map((one) => site.size(call.where, one));
    const scalar = (one: string) => add('Squeeze', [one]);
    const outputs = add('Range', [scalar(whole(0)), scalar(m), scalar(whole(1))]);
    const odd = add('Add', [add('Mul', [outputs, whole(2)]), whole(1)]);
    const nearest = add('Div', [add('Mul', [odd, n]), add('Mul', [m, whole(2)])]);
    return add('Gather', [from, nearest], { axis: x.dims.indexOf(axis) });
  }, x.name);
}

/** Adds what a graph computes of `image` to a model; the name of the scores [batch, classes, space...]. */
export function addGraph(
  model: OnnxModel,
  weights: RunWeights['weights'],
  { nodes, scores, space }: Traced,
): string {
  const site = new Site(model, weights, space);
  for (const each of nodes) {
    const [{ op }] = each;
    // Constants and weights are made where they are read.
    if (op.role === 'constant' || op.role === 'variable') continue;
    site.put(each, WRITERS[op.name as OpName](site, each));
  }
  return site.as(site.read(scores), 'float').name;
}
