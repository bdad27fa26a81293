import { type DType, dimIndex, fail, type Node, type Shape, type Value } from '../../../core/index.ts';
import { BATCH } from '../../../nn/index.ts';
import type { VariableAttrs } from '../../../ops/index.ts';
import type { RunWeights } from '../../weights/run-weights.ts';
import { plainName } from '../../weights/weights.ts';
import { ELEMENT, type OnnxModel } from '../onnx-model.ts';
import { type Each, isFixed, type Sizes } from './traced.ts';

/** A value in the model. */
export interface Tensor {
  readonly name: string;
  /** Names of its dimensions in the order of ONNX. */
  readonly dims: readonly string[];
  readonly type: 'float' | 'double';
}

/** The order of a shape's dimensions in ONNX: of images and what is like them the channels come after the batch. */
export function onnxDims(shape: Shape, space: readonly string[]): string[] {
  const names = shape.map(({ name }) => name);
  const last = names[names.length - 1];
  if (names.length < 3 || names[0] !== BATCH || space.includes(last)) return names;
  return [names[0], last, ...names.slice(1, -1)];
}

/** Float32 and what is rounded from it are float32 in the model; whole numbers it has none of. */
export function elementOf(dtype: DType, where: string): 'float' | 'double' {
  if (dtype === 'f32' || dtype === 'bf16') return 'float';
  if (dtype === 'f64') return 'double';
  return fail({
    where,
    problem: `values of ${dtype} cannot be exported as ONNX`,
    expected: 'float32, bfloat16 or float64',
    hint: 'Export the weights as .safetensors',
  });
}

/** A number of elements that sums run over. */
interface Count {
  readonly from: Tensor;
  readonly axes: readonly number[];
  readonly sizes: Sizes;
}

/** What operators are added to: the model, the values that are in it, and where each size is found. */
export class Site {
  readonly model: OnnxModel;
  readonly weights: RunWeights['weights'];
  readonly space: readonly string[];
  private readonly tensors = new Map<number, Tensor>();
  private readonly known = new Map<string, { readonly tensor: string; readonly axis: number }>();
  private readonly counts: Count[] = [];
  private readonly made = new Map<string, string>();
  private names = 0;

  constructor(model: OnnxModel, weights: RunWeights['weights'], space: readonly string[]) {
    this.model = model;
    this.weights = weights;
    this.space = space;
  }

  /** A name that no other value has. */
  name(path: string, what: string): string {
    return `${path === '' ? 'network' : path}/${what}_${this.names++}`;
  }

  /** Adds an operator under a name of its own. */
  node(type: string, path: string, inputs: readonly string[], attributes = {}): string {
    return this.model.node(type, this.name(path, type.toLowerCase()), inputs, attributes);
  }

  /** A constant list of whole numbers. */
  wholes(values: readonly number[]): string {
    return this.once(`wholes ${values.join()}`, () =>
      this.model.wholes(this.name('constant', 'sizes'), values),
    );
  }

  /** A number as a constant. */
  number(value: number, type: Tensor['type']): string {
    return this.once(`${type} ${value}`, () => {
      const name = this.name('constant', 'number');
      return type === 'float'
        ? this.model.floats(name, [], Float32Array.of(value))
        : this.model.doubles(name, [], Float64Array.of(value));
    });
  }

  private once(key: string, make: () => string): string {
    const found = this.made.get(key);
    if (found !== undefined) return found;
    const name = make();
    this.made.set(key, name);
    return name;
  }

  /** Enters the first output of a node. */
  put(nodes: Each<Node>, name: string): Tensor {
    const values = nodes.map((node) => node.outputs[0]);
    const [value] = values;
    const tensor = {
      name,
      dims: onnxDims(value.shape, this.space),
      type: elementOf(value.dtype, value.node.call.where),
    };
    this.tensors.set(value.id, tensor);
    for (const [axis, dim] of tensor.dims.entries()) {
      const sizes = sizesOf(values, dim);
      if (!isFixed(sizes) && !this.known.has(sizes.join()))
        this.known.set(sizes.join(), { tensor: name, axis });
    }
    return tensor;
  }

  /** A value that an operation reads. */
  read(values: Each<Value>): Tensor {
    const [value] = values;
    const found = this.tensors.get(value.id);
    if (found !== undefined) return found;
    if (value.node.op.role === 'variable')
      return this.put(
        values.map(({ node }) => node),
        this.variable(value.node),
      );
    // Numbers are made where they are read: those that depend on sizes follow the sums that tell them.
    const numbers = values.map(({ node }) => (node.call.attrs as { value?: number }).value);
    if (value.node.op.role !== 'constant' || numbers.some((number) => number === undefined))
      throw new Error(`${value.node.call.where} was not entered`);
    const type = elementOf(value.dtype, value.node.call.where);
    const scalar = this.numberOf(value.node.call.where, numbers as number[], type);
    if (value.shape.length === 0) return { name: scalar, dims: [], type };
    const dims = onnxDims(value.shape, this.space);
    const shape = this.shape(
      value.node.call.where,
      dims.map((dim) => sizesOf(values, dim)),
    );
    return { name: this.node('Expand', value.node.name, [scalar, shape]), dims, type };
  }

  /** A number that may depend on sizes: a constant over, or times, the number of elements of a sum. */
  private numberOf(where: string, values: Each<number>, type: Tensor['type']): string {
    const same = (numbers: readonly number[]) =>
      numbers.every((number) => Math.abs(number - numbers[0]) <= 1e-12 * Math.abs(numbers[0]));
    if (values.every((value) => Object.is(value, values[0]))) return this.number(values[0], type);
    for (const { from, axes, sizes } of this.counts) {
      const over = values.map((value, n) => value * sizes[n]);
      const times = values.map((value, n) => value / sizes[n]);
      if (!same(over) && !same(times)) continue;
      const shape = this.node('Shape', from.name, [from.name]);
      const picked = this.node('Gather', from.name, [shape, this.wholes(axes)]);
      const count = this.node('ReduceProd', from.name, [picked], { keepdims: 0 });
      const wide = this.node('Cast', from.name, [count], { to: ELEMENT[type] });
      if (same(over)) return this.node('Div', from.name, [this.number(over[0], type), wide]);
      return this.node('Mul', from.name, [this.number(times[0], type), wide]);
    }
    return refuse(where, 'a number that depends on the size of the image cannot be exported as ONNX');
  }

  /** A variable as a constant. */
  variable(node: Node): string {
    const { shape, data } = this.weightOf(node);
    return this.model.floats(this.name(node.name, 'variable'), shape, data);
  }

  /** Numbers of a variable; shapes are the same for every image. */
  weightOf({ call }: Node): { readonly shape: readonly number[]; readonly data: Float32Array } {
    const { name } = call.attrs as VariableAttrs;
    const found = this.weights.get(plainName(name));
    if (found === undefined) return refuse(call.where, `the checkpoint has no numbers of "${name}"`);
    return found;
  }

  /** Remembers how many elements a sum runs over. */
  countOver(values: Each<Value>, over: readonly string[]): void {
    const from = this.read(values);
    const sizes = values.map(({ shape }) =>
      over.reduce((count, dim) => count * shape[dimIndex(shape, dim)].size, 1),
    );
    this.counts.push({ from, axes: over.map((dim) => from.dims.indexOf(dim)), sizes });
  }

  /** A size as a list of one whole number: a constant, or that of a value that has it. */
  size(where: string, sizes: Sizes): string {
    if (isFixed(sizes)) return this.wholes([sizes[0]]);
    const key = sizes.join();
    const known = this.known.get(key);
    if (known === undefined)
      return refuse(where, 'a size that no value before it has cannot be exported as ONNX');
    const { tensor, axis } = known;
    return this.once(`size ${key}`, () =>
      this.node('Shape', tensor, [tensor], { start: axis, end: axis + 1 }),
    );
  }

  /** Sizes as one list. */
  shape(where: string, sizes: readonly Sizes[]): string {
    if (sizes.every(isFixed)) return this.wholes(sizes.map(([size]) => size));
    return this.node(
      'Concat',
      where,
      sizes.map((one) => this.size(where, one)),
      { axis: 0 },
    );
  }

  /** A value in another element type. */
  as(tensor: Tensor, type: Tensor['type']): Tensor {
    if (tensor.type === type) return tensor;
    return { ...tensor, type, name: this.node('Cast', tensor.name, [tensor.name], { to: ELEMENT[type] }) };
  }

  /** A value with its dimensions in another order. */
  ordered(tensor: Tensor, dims: readonly string[]): Tensor {
    if (dims.join() === tensor.dims.join()) return tensor;
    const perm = dims.map((dim) => tensor.dims.indexOf(dim));
    return { ...tensor, dims, name: this.node('Transpose', tensor.name, [tensor.name], { perm }) };
  }

  /** The name of a value that meets others of the dimensions `dims` element by element. */
  aligned(tensor: Tensor, dims: readonly string[]): string {
    const has = dims.filter((dim) => tensor.dims.includes(dim));
    const { name } = this.ordered(tensor, has);
    // Dimensions that are missing in front are added by the operators themselves.
    const first = dims.findIndex((dim) => has.includes(dim));
    const missing = dims.flatMap((dim, n) =>
      n > first && first >= 0 && !has.includes(dim) ? [n - first] : [],
    );
    if (missing.length === 0) return name;
    return this.node('Unsqueeze', tensor.name, [name, this.wholes(missing)]);
  }
}

/** Sizes of a dimension for every image. */
export const sizesOf = (values: Each<Value>, dim: string): Sizes =>
  values.map(({ shape }) => shape[dimIndex(shape, dim)].size);

export function refuse(where: string, problem: string): never {
  return fail({ where, problem, hint: 'Export the weights as .safetensors' });
}
