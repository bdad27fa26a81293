import { type Attrs, type Box, type Call, dimIndex, type Shape } from '../../core/index.ts';
import type { Frame, Frames, Held } from '../frames.ts';
import { type Element, isFloat, type Tensor } from '../types.ts';
import type { Padded, Writer } from '../writer.ts';

/** One use of an operation by all ranks, to be printed. */
export interface SiteParts<A extends Attrs = Attrs> {
  readonly frames: Frames;
  readonly call: Call<A>;
  readonly inputs: readonly Held[];
  /** Loop box of each rank. */
  readonly loops: readonly Box[];
  /** What is read of each input, then by rank; empty where a rank has nothing to do. */
  readonly reads: readonly (readonly Box[])[];
  /** Where each output is to lie. */
  readonly outputs: readonly Frame[];
}

/** Gives the outputs of one use of an operation, in their frames and element types. */
export type Rule<A extends Attrs = Attrs> = (site: Site<A>) => readonly Tensor[];

/** What rules ask for: inputs in frames, numbers in types. */
export class Site<A extends Attrs = Attrs> {
  readonly frames: Frames;
  readonly writer: Writer;
  readonly call: Call<A>;
  readonly inputs: readonly Held[];
  readonly loops: readonly Box[];
  readonly reads: readonly (readonly Box[])[];
  readonly outputs: readonly Frame[];

  constructor(parts: SiteParts<A>) {
    this.frames = parts.frames;
    this.writer = parts.frames.writer;
    this.call = parts.call;
    this.inputs = parts.inputs;
    this.loops = parts.loops;
    this.reads = parts.reads;
    this.outputs = parts.outputs;
  }

  get attrs(): A {
    return this.call.attrs;
  }

  /** Where output 0 lies. */
  get frame(): Frame {
    return this.outputs[0];
  }

  get shape(): Shape {
    return this.call.outputs[0].shape;
  }

  /** An input in a frame: true over what is read of it, and `fill` elsewhere where it is given. */
  input(i: number, frame: Frame, fill?: number): Tensor {
    return this.frames.fetch(this.numbers(i, fill), { frame, boxes: this.reads[i], fill });
  }

  /** The same for an operation that puts `fill` around its operand itself. */
  openInput(i: number, frame: Frame, fill: number): Padded {
    return this.frames.fetchOpen(this.numbers(i, fill), { frame, boxes: this.reads[i], fill });
  }

  /** An input of a type that has a number: whole ones have no infinity. */
  private numbers(i: number, fill = 0): Held {
    const held = this.inputs[i];
    if (Number.isFinite(fill) || isFloat(held.tensor.element)) return held;
    return { ...held, tensor: this.writer.convert(held.tensor, this.arithmetic) };
  }

  /** The dimensions of an input as those of a frame over dimensions `of`. */
  projected(i: number, frame: Frame, of: Shape): Frame {
    const at = this.inputs[i].shape.map((dim) => dimIndex(of, dim.name));
    return {
      starts: frame.starts.map((start) => at.map((k) => start[k])),
      sizes: at.map((k) => frame.sizes[k]),
    };
  }

  /** An input over a frame of dimensions `of` that may be more than it has, repeated along the others. */
  spread(i: number, frame: Frame, of: Shape, element?: Element): Tensor {
    const { shape } = this.inputs[i];
    const x = this.input(i, this.projected(i, frame, of));
    const y = element === undefined ? x : this.writer.convert(x, element);
    return this.writer.broadcast(
      y,
      frame.sizes,
      shape.map((dim) => dimIndex(of, dim.name)),
    );
  }

  /** In the element type of an output. */
  asOutput(x: Tensor, output = 0): Tensor {
    return this.writer.convert(x, this.writer.elementOf(this.call.outputs[output].dtype));
  }

  /** The type in which numbers of these types are computed: float64 where one is, or holds whole numbers that float32 does not. */
  floatOf(elements: readonly Element[]): 'f32' | 'f64' {
    return elements.some((e) => e === 'f64' || (!isFloat(e) && e !== 'u8')) ? this.writer.wide : 'f32';
  }

  /** The type in which the inputs are computed with. */
  get arithmetic(): 'f32' | 'f64' {
    return this.floatOf(this.inputs.map(({ tensor }) => tensor.element));
  }
}
