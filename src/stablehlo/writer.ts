import { type Join, Lines } from './lines.ts';
import { type Element, isFloat, list, sameNumbers, type Tensor, typeOf, typeText } from './types.ts';

/** Names of element-wise operations of StableHLO that take one tensor and give one of its type. */
export type Unary =
  | 'abs'
  | 'cosine'
  | 'exponential'
  | 'floor'
  | 'log'
  | 'logistic'
  | 'negate'
  | 'not'
  | 'rsqrt'
  | 'sign'
  | 'sqrt'
  | 'tanh';

/** Those that take two of one type and give one of it. */
export type Binary =
  | 'add'
  | 'and'
  | 'divide'
  | 'maximum'
  | 'minimum'
  | 'multiply'
  | 'or'
  | 'power'
  | 'remainder'
  | 'shift_right_logical'
  | 'subtract'
  | 'xor';

/** Axes of a window, one for each dimension of the tensor. */
export interface WindowAxes {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

/** A tensor and how much is put around it. */
export interface Padded {
  readonly tensor: Tensor;
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** Sizes, padding and labels of a convolution; lists run over its spatial dimensions. */
export interface Convolution {
  /** Labels of the dimensions of image, kernel and result: `b`, `f`, `i`, `o` or the number of a spatial dimension. */
  readonly labels: readonly [image: readonly string[], kernel: readonly string[], result: readonly string[]];
  readonly strides: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  /** Steps between the image's elements, with zeros between them. */
  readonly spread: readonly number[];
  readonly dilation: readonly number[];
}

/** Writes operations: every method adds one and returns its result, but for those that would change nothing. */
export class Writer extends Lines {
  /** The coordinate along a dimension. */
  iota(element: Element, sizes: readonly number[], dim: number): Tensor {
    return this.emit(element, sizes, `stablehlo.iota dim = ${dim} : ${typeText(element, sizes)}`);
  }

  unary(name: Unary, x: Tensor): Tensor {
    return this.emit(x.element, x.sizes, `stablehlo.${name} ${x.id} : ${typeOf(x)}`);
  }

  binary(name: Binary, a: Tensor, b: Tensor): Tensor {
    return this.emit(a.element, a.sizes, `stablehlo.${name} ${a.id}, ${b.id} : ${typeOf(a)}`);
  }

  /** `x` with a number on its right. */
  with(name: Binary, x: Tensor, value: number): Tensor {
    return this.binary(name, x, this.constant(x.element, value, x.sizes));
  }

  /** Truth values. */
  compare(how: 'EQ' | 'NE' | 'GE' | 'GT' | 'LE' | 'LT', a: Tensor, b: Tensor): Tensor {
    const kind = isFloat(a.element) ? 'FLOAT' : a.element === 'i32' ? 'SIGNED' : 'UNSIGNED';
    return this.made('i1', a.sizes, `stablehlo.compare ${how}, ${a.id}, ${b.id}, ${kind}`, [a, b]);
  }

  select(condition: Tensor, a: Tensor, b: Tensor): Tensor {
    const text = `stablehlo.select ${condition.id}, ${a.id}, ${b.id}`;
    return this.emit(a.element, a.sizes, `${text} : ${typeOf(condition)}, ${typeOf(a)}`);
  }

  /** In another element type: floats to whole numbers towards zero. */
  convert(x: Tensor, element: Element): Tensor {
    if (x.element === element) return x;
    return this.made(element, x.sizes, `stablehlo.convert ${x.id}`, [x]);
  }

  /** x over more dimensions: its dimension i becomes `dims[i]`. */
  broadcast(x: Tensor, sizes: readonly number[], dims: readonly number[]): Tensor {
    if (sameNumbers(x.sizes, sizes) && dims.every((dim, i) => dim === i)) return x;
    return this.made(x.element, sizes, `stablehlo.broadcast_in_dim ${x.id}, dims = ${list(dims)}`, [x]);
  }

  reshape(x: Tensor, sizes: readonly number[]): Tensor {
    if (sameNumbers(x.sizes, sizes)) return x;
    return this.made(x.element, sizes, `stablehlo.reshape ${x.id}`, [x]);
  }

  /** Dimension i of the result is dimension `order[i]` of x. */
  transpose(x: Tensor, order: readonly number[]): Tensor {
    if (order.every((dim, i) => dim === i)) return x;
    const sizes = order.map((dim) => x.sizes[dim]);
    return this.made(x.element, sizes, `stablehlo.transpose ${x.id}, dims = ${list(order)}`, [x]);
  }

  /** With dimensions run through backwards. */
  reverse(x: Tensor, dims: readonly number[]): Tensor {
    const real = dims.filter((dim) => x.sizes[dim] > 1);
    if (real.length === 0) return x;
    return this.emit(x.element, x.sizes, `stablehlo.reverse ${x.id}, dims = ${list(real)} : ${typeOf(x)}`);
  }

  /** Elements from, from + step, ... below to. */
  slice(x: Tensor, from: readonly number[], to: readonly number[], step = from.map(() => 1)): Tensor {
    const sizes = from.map((at, i) => Math.ceil((to[i] - at) / step[i]));
    if (sameNumbers(sizes, x.sizes)) return x;
    const ranges = from.map((at, i) => (step[i] === 1 ? `${at}:${to[i]}` : `${at}:${to[i]}:${step[i]}`));
    return this.made(x.element, sizes, `stablehlo.slice ${x.id} ${list(ranges)}`, [x]);
  }

  /** A part that begins where scalars of i32 say. */
  dynamicSlice(x: Tensor, from: readonly Tensor[], sizes: readonly number[]): Tensor {
    const operands = [x, ...from];
    const text = `stablehlo.dynamic_slice ${operands.map(({ id }) => id).join(', ')}, sizes = ${list(sizes)}`;
    return this.made(x.element, sizes, text, operands);
  }

  /** x with a part that begins where scalars of i32 say put in place of its own. */
  dynamicUpdate(x: Tensor, part: Tensor, from: readonly Tensor[]): Tensor {
    const operands = [x, part, ...from];
    const text = `stablehlo.dynamic_update_slice ${operands.map(({ id }) => id).join(', ')}`;
    return this.made(x.element, x.sizes, text, operands);
  }

  /** x with `value` before, after and between its elements. */
  pad(
    x: Tensor,
    value: number,
    low: readonly number[],
    high: readonly number[],
    between: readonly number[] = low.map(() => 0),
  ): Tensor {
    if ([...low, ...high, ...between].every((n) => n === 0)) return x;
    const sizes = x.sizes.map((size, i) => low[i] + high[i] + size + Math.max(0, size - 1) * between[i]);
    const fill = this.constant(x.element, value);
    const text = `stablehlo.pad ${x.id}, ${fill.id}, low = ${list(low)}, high = ${list(high)}, interior = ${list(between)}`;
    return this.made(x.element, sizes, text, [x, fill]);
  }

  concatenate(parts: readonly Tensor[], dim: number): Tensor {
    const [first] = parts;
    if (parts.length === 1) return first;
    const along = parts.reduce((sum, { sizes }) => sum + sizes[dim], 0);
    const sizes = first.sizes.map((size, i) => (i === dim ? along : size));
    const text = `stablehlo.concatenate ${parts.map(({ id }) => id).join(', ')}, dim = ${dim}`;
    return this.made(first.element, sizes, text, parts);
  }

  reduce(x: Tensor, join: Join, from: number, dims: readonly number[]): Tensor {
    if (dims.length === 0) return x;
    const start = this.constant(x.element, from);
    const sizes = x.sizes.filter((_, i) => !dims.includes(i));
    const text = `stablehlo.reduce(${x.id} init: ${start.id}) applies stablehlo.${join} across dimensions = ${list(dims)}`;
    return this.made(x.element, sizes, text, [x, start]);
  }

  /** Every window of a tensor and what is put around it joined to one number; `from`, which changes none, is what is put there. */
  reduceWindow(x: Padded, join: Join, from: number, { sizes, strides, dilations }: WindowAxes): Tensor {
    const { tensor, low, high } = x;
    const start = this.constant(tensor.element, from);
    const array = (items: readonly number[]): string => `array<i64: ${items.join(', ')}>`;
    const pairs = list(low.map((before, i) => list([before, high[i]])));
    const attributes = [
      `padding = dense<${pairs}> : tensor<${low.length}x2xi64>`,
      `window_dilations = ${array(dilations)}`,
      `window_dimensions = ${array(sizes)}`,
      `window_strides = ${array(strides)}`,
    ];
    const reach = (i: number): number => dilations[i] * (sizes[i] - 1) + 1;
    const out = tensor.sizes.map(
      (size, i) => Math.floor((low[i] + size + high[i] - reach(i)) / strides[i]) + 1,
    );
    const made = this.fresh(tensor.element, out);
    const head = `"stablehlo.reduce_window"(${tensor.id}, ${start.id}) <{${attributes.join(', ')}}>`;
    this.joining(`${made.id} = ${head}`, tensor.element, join);
    this.lines.push(`}) : (${typeOf(tensor)}, ${typeOf(start)}) -> ${typeOf(made)}`);
    return made;
  }

  /** Sums of products; the result has the batching dimensions, then the free ones of a, then those of b. */
  dot(
    a: Tensor,
    b: Tensor,
    batching: readonly (readonly [number, number])[],
    contracting: readonly (readonly [number, number])[],
    element: Element,
  ): Tensor {
    const pair = (pairs: typeof batching): string =>
      `${list(pairs.map(([i]) => i))} x ${list(pairs.map(([, k]) => k))}`;
    const met = [...batching, ...contracting];
    const sizes = [
      ...batching.map(([i]) => a.sizes[i]),
      ...a.sizes.filter((_, i) => !met.some(([x]) => x === i)),
      ...b.sizes.filter((_, k) => !met.some(([, y]) => y === k)),
    ];
    const groups = batching.length === 0 ? '' : `batching_dims = ${pair(batching)}, `;
    const text = `stablehlo.dot_general ${a.id}, ${b.id}, ${groups}contracting_dims = ${pair(contracting)}, precision = ${precision(a)}`;
    return this.made(element, sizes, text, [a, b]);
  }

  /** Sums of products over windows; the sizes of the result are given. */
  convolution(
    image: Tensor,
    kernel: Tensor,
    about: Convolution,
    element: Element,
    sizes: readonly number[],
  ): Tensor {
    const [x, k, y] = about.labels.map((labels) => list(labels));
    const window = [
      `stride = ${list(about.strides)}`,
      `pad = ${list(about.padding.map(list))}`,
      `lhs_dilate = ${list(about.spread)}`,
      `rhs_dilate = ${list(about.dilation)}`,
    ];
    const attributes = `batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = ${named(precision(image))}`;
    const text = `stablehlo.convolution(${image.id}, ${kernel.id}) dim_numbers = ${x}x${k}->${y}, window = {${window.join(', ')}} {${attributes}}`;
    return this.made(element, sizes, text, [image, kernel]);
  }

  /** The number of the device that runs the program, as i32. */
  partition(): Tensor {
    return this.convert(this.emit('u32', [], 'stablehlo.partition_id : tensor<ui32>'), 'i32');
  }

  /** What another device sends; zeros where none does. */
  permute(x: Tensor, pairs: readonly (readonly [from: number, to: number])[]): Tensor {
    const table = `dense<${list(pairs.map(list))}> : tensor<${pairs.length}x2xi64>`;
    const text = `"stablehlo.collective_permute"(${x.id}) <{${this.channel()}, source_target_pairs = ${table}}>`;
    return this.made(x.element, x.sizes, text, [x]);
  }

  /** Joins the tensors of each group of devices; all of a group get the result. */
  allReduce(x: Tensor, join: Join, groups: readonly (readonly number[])[]): Tensor {
    const table = `dense<${list(groups.map(list))}> : tensor<${groups.length}x${groups[0].length}xi64>`;
    const attributes = `${this.channel()}, replica_groups = ${table}, use_global_device_ids`;
    const made = this.fresh(x.element, x.sizes);
    this.joining(`${made.id} = "stablehlo.all_reduce"(${x.id}) <{${attributes}}>`, x.element, join);
    this.lines.push(`}) : (${typeOf(x)}) -> ${typeOf(made)}`);
    return made;
  }
}

/** Float32 is multiplied as float32, where a device would round it to bfloat16 first. */
const precision = ({ element }: Tensor): string => {
  const each = element === 'bf16' ? 'DEFAULT' : 'HIGHEST';
  return list([each, each]);
};
const named = (precisions: string): string => precisions.replaceAll(/[A-Z]+/g, '#stablehlo<precision $&>');
