import type { Box } from './box.ts';
import type { DType } from './dtype.ts';
import type { Value } from './graph.ts';
import type { Shape } from './shape.ts';

/** Shape and element type of a tensor. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** One use of an operation: its attributes and the global types of what goes in and out. */
export interface Call<A> {
  readonly attrs: A;
  readonly inputs: readonly TensorType[];
  readonly outputs: readonly TensorType[];
  /** Name for messages, e.g. `conv "down0/conv1"`. */
  readonly where: string;
}

/**
 * How a loop of an operation may be split over ranks:
 * - `pass`: a rank computes its range of the output and reads the same range of the inputs that have the dimension;
 * - `sum`: the dimension is summed over (or reduced with the operation's `combine`); partial results of the ranks are
 *   combined by an all-reduce;
 * - `window`: a rank computes its range of the output and reads the range that `reads` tells, fetched if need be;
 * - `whole`: every rank runs over all of it.
 */
export type Split = 'pass' | 'sum' | 'window' | 'whole';

/** One loop of an operation. Loops are the dimensions of the first output in its order, then those that are summed over. */
export interface Loop {
  /** Dimension whose layout and cuts the loop follows. */
  readonly dim: string;
  readonly size: number;
  readonly split: Split;
  /** For a window that changes the size: cuts of this loop from the cuts of the input dimension `from`. */
  readonly follows?: { readonly size: number; readonly cuts: (cuts: readonly number[]) => readonly number[] };
}

/** Floating-point operations of a box of work. A multiply-add counts two. */
export interface Cost {
  readonly flops: number;
}

/** A block of a tensor held as float64, row-major over `box`: what reference implementations work on. */
export interface Block {
  readonly shape: Shape;
  readonly box: Box;
  readonly data: Float64Array;
}

/** A gradient rule: gradients of the outputs in (undefined where none arrives), gradients of the inputs out. */
export type GradRule<A> = (
  call: Call<A> & { readonly inputValues: readonly Value[]; readonly outputValues: readonly Value[] },
  outputGrads: readonly (Value | undefined)[],
) => readonly (Value | undefined)[];

/** Says why an operation has no gradient. */
export interface NotDifferentiable {
  readonly notDifferentiable: string;
}

/** Attributes are plain data: they print, compare and serialise. */
export type Attrs = Readonly<Record<string, unknown>>;

/**
 * Everything that is true of an operation, in one value. Every rank runs an operation over a *loop box*: a range per loop.
 * From it follow the boxes that it reads and writes; the part of a read that the rank does not own is fetched first.
 */
export interface Op<A extends Attrs = Attrs> {
  readonly name: string;
  /** Formula, dimensions, source. */
  readonly doc: string;
  /**
   * True when output element i depends on element i of each input alone (inputs may lack dimensions) and there is one
   * output: such operations are fused into the kernels beside them and may be recomputed in margins.
   */
  readonly pointwise: boolean;
  /** Operation by which partial results over split `sum` loops are combined. */
  readonly combine: 'sum' | 'max' | 'min';
  /** Global types of the outputs, or a clear error. */
  infer(inputs: readonly TensorType[], attrs: A, where: string): readonly TensorType[];
  readonly grad: GradRule<A> | NotDifferentiable;
  loops(call: Call<A>): readonly Loop[];
  /** What a loop box reads of each input, clipped to the tensor. */
  reads(call: Call<A>, loop: Box): readonly Box[];
  /** What a loop box writes of each output. */
  writes(call: Call<A>, loop: Box): readonly Box[];
  cost(call: Call<A>, loop: Box): Cost;
  /**
   * Slow and obvious, float64. Inputs hold at least the boxes of `reads`; outputs arrive allocated and zeroed with the boxes
   * of `writes`. Coordinates are global.
   */
  reference(call: Call<A>, loop: Box, inputs: readonly Block[], outputs: readonly Block[]): void;
}

/** Checks the type of an operation without losing its attribute type. */
export function defineOp<A extends Attrs>(op: Op<A>): Op<A> {
  return op;
}
