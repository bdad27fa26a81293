import type { DType } from '../../core/index.ts';
import type { Five } from '../formats/index.ts';
import { EINSUM_OPERAND, INSTRUCTION, OPERAND, PROGRAM, SOURCE, VIEW } from './layout.ts';
import { type Address, after, type Kernels } from './library.ts';

// Writes the structs of native/halomesh.h into native memory. Kernels are prepared once and launched many times, so their
// arguments are laid down once.

export const DTYPE_CODES: Readonly<Record<DType, number>> = { f32: 0, bf16: 1, f64: 2, u8: 3, i32: 4 };

/** hm_view. */
export interface View {
  readonly data: Address;
  readonly dtype: DType;
  readonly block: number;
  readonly start: Five;
  readonly size: Five;
  readonly global: Five;
  readonly stride: Five;
}

/** hm_operand: a view and which of the five dimensions it has (0, 1, or 2 for some blocks of channels). */
export interface Operand {
  readonly view: View;
  readonly present: readonly number[];
}

/** hm_instr; unused registers are -1. */
export interface Instruction {
  readonly op: number;
  readonly dst: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly operand: number;
  readonly key0: number;
  readonly key1: number;
  readonly imm: number;
}

/** hm_program. */
export interface Program {
  readonly instructions: readonly Instruction[];
  readonly operands: readonly Operand[];
  readonly registers: number;
  readonly wide: boolean;
  readonly input: number;
  readonly result: number;
  readonly global: Five;
}

export interface Source {
  readonly load: Program;
  readonly box: View;
}

/** hm_window. */
export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly pad: readonly number[];
}

/** hm_einsum_operand. */
export interface EinsumOperand {
  readonly data: Address;
  readonly dtype: DType;
  /** The loop of the channels that lie in blocks; -1 for none. */
  readonly blockedLoop: number;
  readonly block: number;
  readonly blockStride: number;
  readonly stride: readonly number[];
}

const CHUNK = 1 << 18;

/** Native memory for arguments; grows by chunks and is given back as a whole. */
export class Arguments {
  private readonly library: Kernels;
  private readonly chunks: { readonly at: Address; readonly bytes: number }[] = [];
  private writer: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
  /** Bytes of the last chunk. */
  private size = 0;
  private base = 0 as Address;
  private used = 0;

  constructor(library: Kernels) {
    this.library = library;
  }

  /** Zeroed native memory of `bytes`, and a writer positioned on it. */
  private reserve(bytes: number): { at: Address; offset: number } {
    const rounded = Math.ceil(bytes / 16) * 16;
    if (this.used + rounded > this.size) {
      this.size = Math.max(CHUNK, rounded);
      this.base = this.library.allocate(this.size);
      this.chunks.push({ at: this.base, bytes: this.size });
      this.writer = this.look();
      this.used = 0;
    }
    const offset = this.used;
    this.used += rounded;
    return { at: after(this.base, offset), offset };
  }

  free(): void {
    for (const { at, bytes } of this.chunks) this.library.free(at, bytes);
    this.chunks.length = 0;
    this.writer = new DataView(new ArrayBuffer(0));
    this.size = 0;
    this.used = 0;
  }

  private look(): DataView<ArrayBufferLike> {
    const { buffer, byteOffset, byteLength } = this.library.view(this.base, this.size);
    return new DataView(buffer, byteOffset, byteLength);
  }

  /** Writes to the last chunk; looked at anew where the memory has moved, which leaves a buffer of no bytes. */
  private get view(): DataView<ArrayBufferLike> {
    if (this.writer.buffer.byteLength === 0) this.writer = this.look();
    return this.writer;
  }

  longs(values: readonly number[]): Address {
    const { at, offset } = this.reserve(values.length * 8);
    this.putLongs(offset, values);
    return at;
  }

  ints(values: readonly number[]): Address {
    const { at, offset } = this.reserve(values.length * 4);
    this.putInts(offset, values);
    return at;
  }

  doubles(values: readonly number[]): Address {
    const { at, offset } = this.reserve(values.length * 8);
    for (const [i, value] of values.entries()) this.view.setFloat64(offset + i * 8, value, true);
    return at;
  }

  viewAt(view: View): Address {
    const { at, offset } = this.reserve(VIEW);
    this.putView(offset, view);
    return at;
  }

  window(w: Window): Address {
    return this.longs([...w.kernel, ...w.stride, ...w.dilation, ...w.pad]);
  }

  program(program: Program): Address {
    const parts = this.programParts(program);
    const { at, offset } = this.reserve(PROGRAM);
    this.putProgram(offset, program, parts);
    return at;
  }

  /** An array of hm_source. */
  sources(sources: readonly Source[]): Address {
    const parts = sources.map((source) => this.programParts(source.load));
    const { at, offset } = this.reserve(SOURCE * sources.length);
    sources.forEach((source, i) => {
      this.putProgram(offset + i * SOURCE, source.load, parts[i]);
      this.putView(offset + i * SOURCE + PROGRAM, source.box);
    });
    return at;
  }

  /** An array of hm_einsum_operand. */
  einsumOperands(list: readonly EinsumOperand[]): Address {
    const { at, offset } = this.reserve(EINSUM_OPERAND * list.length);
    list.forEach((operand, i) => {
      const o = offset + i * EINSUM_OPERAND;
      this.long(o, operand.data);
      this.view.setInt32(o + 8, DTYPE_CODES[operand.dtype], true);
      this.view.setInt32(o + 12, operand.blockedLoop, true);
      this.long(o + 16, operand.block);
      this.long(o + 24, operand.blockStride);
      this.putLongs(o + 32, operand.stride);
    });
    return at;
  }

  private programParts(program: Program): { instructions: Address; operands: Address } {
    const code = this.reserve(INSTRUCTION * Math.max(program.instructions.length, 1));
    program.instructions.forEach((instruction, i) => {
      const o = code.offset + i * INSTRUCTION;
      const { op, dst, a, b, c, operand } = instruction;
      this.putInts(o, [op, dst, a, b, c, operand]);
      this.view.setUint32(o + 24, instruction.key0, true);
      this.view.setUint32(o + 28, instruction.key1, true);
      this.view.setFloat64(o + 32, instruction.imm, true);
    });
    const list = this.reserve(OPERAND * Math.max(program.operands.length, 1));
    program.operands.forEach((operand, i) => {
      const o = list.offset + i * OPERAND;
      this.putView(o, operand.view);
      this.putInts(o + VIEW, operand.present);
    });
    return { instructions: code.at, operands: list.at };
  }

  private putProgram(o: number, program: Program, parts: { instructions: Address; operands: Address }): void {
    this.long(o, parts.instructions);
    this.long(o + 8, parts.operands);
    const { instructions, operands, registers, wide, input, result } = program;
    this.putInts(o + 16, [instructions.length, operands.length, registers, wide ? 1 : 0, input, result]);
    this.putLongs(o + 40, program.global);
  }

  private putView(o: number, view: View): void {
    this.long(o, view.data);
    this.view.setInt32(o + 8, DTYPE_CODES[view.dtype], true);
    this.view.setInt32(o + 12, view.block, true);
    this.putLongs(o + 16, [...view.start, ...view.size, ...view.global, ...view.stride]);
  }

  private putLongs(offset: number, values: readonly number[]): void {
    for (const [i, value] of values.entries()) this.long(offset + i * 8, value);
  }

  private putInts(offset: number, values: readonly number[]): void {
    for (const [i, value] of values.entries()) this.view.setInt32(offset + i * 4, value, true);
  }

  private long(offset: number, value: number): void {
    this.view.setBigInt64(offset, BigInt(value), true);
  }
}
