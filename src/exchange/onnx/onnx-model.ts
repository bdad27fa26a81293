import { Message } from '../../files/index.ts';

// A model in the ONNX format (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), put together node by node. Numbers of fields
// are those of its messages.

/** Version of the format, and of the operators, that files ask for. */
const IR_VERSION = 8;
export const OPSET = 17;

/** Element types, by the numbers that the format has for them. */
export const ELEMENT = { float: 1, int64: 7, double: 11 } as const;
const { float: FLOAT, int64: INT64, double: DOUBLE } = ELEMENT;

/** Of an operator: whole numbers, a list of them, { float } or a text. */
export type Attribute = number | readonly number[] | { readonly float: number } | string;

/** A size that is known, or the name of one that each call gives. */
export type Size = number | string;

/** Builds a graph. Values are known by their names. */
export class OnnxModel {
  private readonly nodes: Message[] = [];
  private readonly constants: Message[] = [];
  private readonly inputs: Message[] = [];
  private readonly outputs: Message[] = [];

  /** An input of float32. */
  input(name: string, sizes: readonly Size[]): string {
    this.inputs.push(valueInfo(name, sizes));
    return name;
  }

  /** Makes a value an output. */
  output(name: string, sizes: readonly Size[]): void {
    this.outputs.push(valueInfo(name, sizes));
  }

  /** Adds an operator; its one output has the node's name. */
  node(
    type: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const node = new Message();
    for (const input of inputs) node.text(1, input);
    node.text(2, name).text(3, name).text(4, type);
    for (const [key, value] of Object.entries(attributes)) node.message(5, attribute(key, value));
    this.nodes.push(node);
    return name;
  }

  /** A constant of float32. */
  floats(name: string, sizes: readonly number[], data: Float32Array): string {
    return this.constant(name, FLOAT, sizes, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /** A constant of float64. */
  doubles(name: string, sizes: readonly number[], data: Float64Array): string {
    return this.constant(name, DOUBLE, sizes, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /** A constant list of whole numbers. */
  wholes(name: string, values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.constant(name, INT64, [values.length], new Uint8Array(data.buffer));
  }

  private constant(name: string, type: number, sizes: readonly number[], data: Uint8Array): string {
    const tensor = new Message();
    for (const size of sizes) tensor.whole(1, size);
    this.constants.push(tensor.whole(2, type).text(8, name).data(9, data));
    return name;
  }

  /** The whole file. `metadata`: texts by key. */
  finish(name: string, metadata: Readonly<Record<string, string>>): Message {
    const graph = new Message();
    for (const node of this.nodes) graph.message(1, node);
    graph.text(2, name);
    for (const constant of this.constants) graph.message(5, constant);
    for (const input of this.inputs) graph.message(11, input);
    for (const output of this.outputs) graph.message(12, output);
    const model = new Message().whole(1, IR_VERSION).text(2, 'halomesh').message(7, graph);
    model.message(8, new Message().text(1, '').whole(2, OPSET));
    for (const [key, value] of Object.entries(metadata))
      model.message(14, new Message().text(1, key).text(2, value));
    return model;
  }
}

function attribute(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.whole(3, value).whole(20, 2);
  if (typeof value === 'string') return message.text(4, value).whole(20, 3);
  if ('float' in value) return message.float(2, value.float).whole(20, 1);
  for (const one of value) message.whole(8, one);
  return message.whole(20, 7);
}

function valueInfo(name: string, sizes: readonly Size[]): Message {
  const shape = new Message();
  for (const size of sizes) {
    const dim = new Message();
    shape.message(1, typeof size === 'number' ? dim.whole(1, size) : dim.text(2, size));
  }
  const tensor = new Message().whole(1, FLOAT).message(2, shape);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}
