import type { Block } from './block.ts';
import type { Box } from './box.ts';
import type { DType } from './dtype.ts';
import { fail, HalomeshError } from './errors.ts';
import { checkShape, type Shape } from './shape.ts';

// What a graph is made of: operations and their contract, values, nodes. It knows no operation and no device.

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
  /**
   * For a sum: ranks' parts begin at multiples of this, because float32 partial sums over such cells must not be cut. Parts
   * then differ a little from what the ranks own, and the rest is fetched.
   */
  readonly cell?: number;
  /** For a window that changes the size: cuts of this loop from the cuts of the input dimension `from`. */
  readonly follows?: { readonly size: number; readonly cuts: (cuts: readonly number[]) => readonly number[] };
}

/** Floating-point operations of a box of work. A multiply-add counts two. */
export interface Cost {
  readonly flops: number;
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
 * What an operation is to the program around it:
 * - `input` and `variable`: their values come from outside of a run; `assign`: it changes a variable when all else has read it;
 * - `constant`: one number everywhere, so that it can be evaluated in any iteration;
 * - `addition`: the sum of its inputs; `conversion`: its input in another element type;
 * - `compute`: all else.
 */
export type Role = 'input' | 'variable' | 'assign' | 'constant' | 'addition' | 'conversion' | 'compute';

/** Numbers of the inputs that are images, and whether the output is one whose channels need not be those of any input. */
export interface Images {
  readonly inputs: readonly number[];
  readonly output: boolean;
}

/** Of operations that take no tensor for an image. */
export const NO_IMAGES: Images = { inputs: [], output: false };

/** Operations whose values come from outside of a run. */
export const isSource = ({ role }: Pick<Op, 'role'>): boolean => role === 'input' || role === 'variable';

/**
 * Everything that is true of an operation, in one value. Every rank runs an operation over a *loop box*: a range per loop.
 * From it follow the boxes that it reads and writes; the part of a read that the rank does not own is fetched first.
 */
export interface Op<A extends Attrs = Attrs> {
  readonly name: string;
  /** Formula, dimensions, source. */
  readonly doc: string;
  /**
   * What fusion may do with it. `pointwise`: output element i depends on element i of each input alone (inputs may lack
   * dimensions); `view`: output elements are input elements at coordinates moved by an offset. Both have one output, are
   * evaluated where they are read rather than stored where that can be done, and are recomputed in margins. `kernel`: all else.
   */
  readonly form: 'pointwise' | 'view' | 'kernel';
  readonly role: Role;
  /** Which of its tensors are images, with channels in the last dimension: devices may keep these in blocks of channels. */
  readonly images: Images;
  /** Which of its tensors is the weight of a contraction, [taps..., channels in, channels out]. */
  readonly weight: 'none' | { readonly input: number } | { readonly output: number };
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

/** A tensor of the graph: global shape, no device, no data. */
export interface Value extends TensorType {
  readonly id: number;
  readonly graph: Graph;
  readonly node: Node;
  /** Which output of `node`. */
  readonly index: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** One use of an operation in a graph. */
export interface Node<A extends Attrs = Attrs> {
  readonly id: number;
  readonly op: Op<A>;
  readonly call: Call<A>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Scope path given by the model, for messages and traces; may be empty. */
  readonly name: string;
}

/**
 * Operations over values with global named shapes, in an order in which every operation comes after its inputs. Models build
 * it, `gradients` extends it, `partition` reads it. It knows nothing of devices.
 */
export class Graph {
  readonly nodes: Node[] = [];
  /** Values to read after a run, by name. */
  readonly outputs = new Map<string, Value>();
  private nextValue = 0;
  private readonly scopes: string[] = [];

  /** Adds an operation and returns its outputs. Raises the operation's own error when the inputs do not fit. */
  add<A extends Attrs>(op: Op<A>, attrs: A, inputs: readonly Value[]): readonly Value[] {
    const name = this.scopes.join('/');
    const where = name === '' ? op.name : `${op.name} "${name}"`;
    for (const input of inputs)
      if (input.graph !== this)
        fail({ where, problem: 'an input belongs to another graph', hint: 'Build both with the same graph' });
    const outputTypes = op.infer(inputs, attrs, where);
    for (const type of outputTypes) checkShape(type.shape, where);
    const call: Call<A> = {
      attrs,
      inputs: inputs.map(({ shape, dtype }) => ({ shape, dtype })),
      outputs: outputTypes,
      where,
    };
    const outputs: Value[] = [];
    const node: Node<A> = { id: this.nodes.length, op, call, inputs, outputs, name };
    // A graph holds operations with different attribute types; each node keeps op and call of one type together.
    const stored = node as unknown as Node;
    outputTypes.forEach((type, index) => {
      outputs.push({
        id: this.nextValue++,
        graph: this,
        node: stored,
        index,
        shape: type.shape,
        dtype: type.dtype,
      });
    });
    this.nodes.push(stored);
    return outputs;
  }

  /** Runs `build` with `name` added to the scope path of the operations made in it. */
  scope<T>(name: string, build: () => T): T {
    this.scopes.push(name);
    try {
      return build();
    } finally {
      this.scopes.pop();
    }
  }

  /** Marks a value to be read after a run. */
  output(name: string, value: Value): void {
    if (this.outputs.has(name))
      throw new HalomeshError({ where: 'graph', problem: `two outputs are named "${name}"` });
    this.outputs.set(name, value);
  }
}
