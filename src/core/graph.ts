import { fail, HalomeshError } from './errors.ts';
import type { Attrs, Call, Op, TensorType } from './op.ts';
import { checkShape, type Shape } from './shape.ts';
import type { DType } from './dtype.ts';

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
      outputs.push({ id: this.nextValue++, graph: this, node: stored, index, shape: type.shape, dtype: type.dtype });
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
