import {
  type Attrs,
  type DType,
  Graph,
  type Layout,
  type Loop,
  type Mesh,
  mesh,
  type Node,
  type Op,
  type Shape,
  shape,
  type Value,
  volume,
} from '../../src/core/index.ts';
import { type Feeds, inputOf } from '../../src/ops/index.ts';

// A sample is one use of an operation with numbers: what every law over operations, partitions and devices is tried on.

/** A tensor that a sample feeds. All numbers are exact in float32. */
export interface Tensor {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: Float64Array;
}

/** A sample built into a graph. */
export interface Built {
  /** The operation under test. */
  readonly node: Node;
  /** Its inputs, in order. */
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** Dimensions to split, with the number of parts: `{ depth: 3 }`. */
export type Parts = Readonly<Record<string, number>>;

export interface Sample {
  /** What is special about it. */
  readonly name: string;
  /** Adds the inputs and the operation to a graph. */
  readonly build: (graph: Graph) => Built;
  readonly tensors: readonly Tensor[];
  /** The values of `tensors` by name. */
  readonly feeds: Feeds;
  /** Names of the tensors that the outputs depend on smoothly here. */
  readonly differentiable: readonly string[];
  /** Shapes of the outputs as text, worked out by hand. */
  readonly gives: readonly string[];
  /** Splits worth trying on meshes of 2, 3, 4 and 8 ranks. */
  readonly parts: readonly Parts[];
}

/** `count` distinct numbers strictly between low and high, in shuffled order, none of them 0 for a range around 0. */
export function spread(count: number, low = -1, high = 1, seed = 1): Float64Array {
  const order = Array.from({ length: count }, (_, i) => i);
  let state = seed * 2654435761 + 12345;
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const k = state % (i + 1);
    [order[i], order[k]] = [order[k], order[i]];
  }
  return Float64Array.from(order, (at) => Math.fround(low + ((high - low) * (at + 0.37)) / count));
}

/** Whole numbers 0..classes-1, all of them present where there is room. */
export function labels(count: number, classes: number, seed = 1): Float64Array {
  return spread(count, 0, classes, seed).map(Math.floor);
}

/** A float32 tensor of spread numbers in [low, high]. */
export function tensor(name: string, sizes: Readonly<Record<string, number>>, low = -1, high = 1): Tensor {
  const dims = shape(sizes);
  const seed = name.charCodeAt(0) + name.length;
  return { name, shape: dims, dtype: 'f32', values: spread(volume(dims), low, high, seed) };
}

/** A tensor of whole numbers 0..classes-1. */
export function labelTensor(
  name: string,
  sizes: Readonly<Record<string, number>>,
  classes: number,
  dtype: DType = 'u8',
): Tensor {
  const dims = shape(sizes);
  return { name, shape: dims, dtype, values: labels(volume(dims), classes) };
}

export interface SampleParts<A extends Attrs> {
  readonly name: string;
  readonly op: Op<A>;
  readonly attrs: A;
  readonly tensors: readonly Tensor[];
  readonly gives: string | readonly string[];
  /** All float tensors unless given. */
  readonly differentiable?: readonly string[];
  /** How a tensor enters the graph; as an input of the graph unless given. */
  readonly enter?: (graph: Graph, tensor: Tensor) => Value;
}

/** Makes a sample of an operation over fed tensors. */
export function sample<A extends Attrs>(parts: SampleParts<A>): Sample {
  const { name, op, attrs, tensors } = parts;
  const enter = parts.enter ?? ((graph, t) => inputOf(graph, t.name, t.shape, t.dtype));
  return sampleOf({
    ...parts,
    name,
    build(graph) {
      const inputs = tensors.map((t) => enter(graph, t));
      const before = graph.nodes.length;
      const outputs = graph.add(op, attrs, inputs);
      return { node: graph.nodes[before], inputs, outputs };
    },
  });
}

/** Makes a sample from its own way to build. */
export function sampleOf({
  name,
  build,
  tensors,
  gives,
  differentiable,
}: Pick<Sample, 'name' | 'build' | 'tensors'> & {
  readonly gives: string | readonly string[];
  readonly differentiable?: readonly string[];
}): Sample {
  const floats = tensors.filter((t) => t.dtype !== 'u8' && t.dtype !== 'i32').map((t) => t.name);
  const { node } = build(new Graph());
  return {
    name,
    build,
    tensors,
    feeds: Object.fromEntries(tensors.map((t) => [t.name, t.values])),
    differentiable: differentiable ?? floats,
    gives: typeof gives === 'string' ? [gives] : gives,
    parts: partsOf(node.op.loops(node.call)),
  };
}

/** Each splittable dimension in 2 and in 3, then the first two and the first three that can be split together in 2 each. */
function partsOf(loops: readonly Loop[]): Parts[] {
  const free = loops.filter((l) => l.split !== 'whole');
  const dims = [...new Set(free.map((l) => l.dim))];
  const wide = dims.filter((dim) => free.some((l) => l.dim === dim && l.size > 1));
  const together = [2, 3]
    .filter((n) => wide.length >= n)
    .map((n): Parts => Object.fromEntries(wide.slice(0, n).map((dim) => [dim, 2])));
  return [...dims.flatMap((dim): Parts[] => [{ [dim]: 2 }, { [dim]: 3 }]), ...together];
}

/** A mesh with one axis per split dimension, and the layout that puts the dimensions on them. */
export function meshFor(parts: Parts): { readonly mesh: Mesh; readonly layout: Layout } {
  const axes = Object.entries(parts).map(([dim, n]) => [`by_${dim}`, n] as const);
  const layout = Object.keys(parts).map((dim) => [dim, `by_${dim}`] as const);
  return { mesh: mesh(Object.fromEntries(axes)), layout: Object.fromEntries(layout) };
}
