import { type Box, fail, length } from '../../core/index.ts';
import type { LocalValue } from '../../plan/index.ts';
import type { Source, Stored, StoredBox } from '../calls/index.ts';
import type { Tensor } from '../device.ts';
import { five, plainFormat, type Region, type Slots } from '../formats/index.ts';
import { ROW_CODES, type Row, type RowOperand } from '../rows/index.ts';
import { prepareCopy } from './copy.ts';
import { type Address, after, type ConvAlgorithm, type Kernels } from './library.ts';
import { scratchBytes } from './scratch.ts';
import {
  boxView,
  type KernelTensor,
  kernelTensor,
  operandOf,
  partOperandOf,
  subView,
  vectorOperand,
  viewOf,
} from './storage.ts';
import type { Arguments, Operand, Program, View } from './structs.ts';

/** Lays the arguments of calls down in native memory. */
export class Binder {
  readonly library: Kernels;
  readonly args: Arguments;
  readonly conv: ConvAlgorithm;
  private readonly stored: (value: LocalValue) => Tensor;
  private readonly room: KernelTensor | undefined;
  private taken = 0;

  constructor(
    library: Kernels,
    args: Arguments,
    tensorOf: (value: LocalValue) => Tensor,
    conv: ConvAlgorithm,
    room?: KernelTensor,
  ) {
    this.room = room;
    this.library = library;
    this.args = args;
    this.stored = tensorOf;
    this.conv = conv;
  }

  tensorOf(value: LocalValue): KernelTensor {
    return this.stored(value) as KernelTensor;
  }

  /** hm_program of a row. */
  row(row: Row): Address {
    return this.args.program(this.program(row));
  }

  /** hm_source. */
  source(source: Source): Address {
    return this.sources([source])[0];
  }

  /** Array of hm_source, and its length. */
  sources(sources: readonly Source[]): readonly [Address, number] {
    const list = sources.map(({ row, region }) => ({ load: this.program(row), box: boxView(region) }));
    return [this.args.sources(list), list.length];
  }

  /** hm_view of a region of an iteration, without data. */
  region(region: Region): Address {
    return this.args.viewAt(boxView(region));
  }

  /** hm_view of a stored tensor. */
  view({ value, slots }: Stored): Address {
    return this.args.viewAt(viewOf(this.tensorOf(value), slots));
  }

  /**
   * The box of a stored tensor as a plain view, and what to run first: nothing where the tensor is plain, else a copy into
   * memory of its own.
   */
  plain({ value, box, slots }: StoredBox): { readonly view: View; readonly before: () => void } {
    const tensor = this.tensorOf(value);
    if (tensor.block === 1) return { view: subView(tensor, slots, box), before: () => undefined };
    const copy = this.scratch(tensor, box);
    return { view: subView(copy, slots, box), before: this.copy(copy, tensor, box) };
  }

  /** As `plain`, for a result: what to run afterwards. */
  plainResult({ value, box, slots }: StoredBox): { readonly view: View; readonly after: () => void } {
    const tensor = this.tensorOf(value);
    if (tensor.block === 1) return { view: subView(tensor, slots, box), after: () => undefined };
    const copy = this.scratch(tensor, box);
    return { view: subView(copy, slots, box), after: this.copy(tensor, copy, box) };
  }

  /** Plain memory for a box of a tensor of this type, while the launch runs: of the scratch that the plan gives it. */
  scratch({ shape, dtype }: Pick<KernelTensor, 'shape' | 'dtype'>, box: Box): KernelTensor {
    const type = { shape, dtype, format: plainFormat({ shape, dtype }) };
    const { address = 0 as Address, box: room = [{ start: 0, end: 0 }] } = this.room ?? {};
    const at = this.taken;
    this.taken += scratchBytes(type.format.bytes(box));
    if (this.taken > length(room[0]))
      fail({
        where: this.library.where,
        problem: 'a launch takes more scratch than its plan gives it',
        expected: `at most ${length(room[0])} bytes`,
        found: `${this.taken}`,
      });
    return kernelTensor(after(address, at), type, box);
  }

  /** See {@link prepareCopy}. */
  copy(
    to: KernelTensor,
    from: KernelTensor,
    box: Box,
    moved?: { readonly perm: readonly number[]; readonly shift: readonly number[] },
  ): () => void {
    return prepareCopy(this.library, this.args, to, from, box, moved);
  }

  private program({ shape, slots, instructions, operands, registers, wide, input, result }: Row): Program {
    return {
      instructions: instructions.map(({ op, dst, src, operand, imm, keys: [key0, key1] }) => {
        const [a = -1, b = -1, c = -1] = src;
        return { op: ROW_CODES[op], dst, a, b, c, operand, key0, key1, imm };
      }),
      operands: operands.map((operand) => this.operand(operand, shape, slots)),
      ...{ registers, wide, input, result },
      global: five(shape, slots, (i) => shape[i].size, 1),
    };
  }

  private operand(operand: RowOperand, shape: Row['shape'], slots: Slots): Operand {
    switch (operand.kind) {
      case 'tensor':
        return operandOf(this.tensorOf(operand.value), slots);
      case 'part':
        return partOperandOf(this.tensorOf(operand.value), shape, slots, operand.ranges);
      case 'vector':
        return vectorOperand(this.args.doubles(operand.values), operand.values.length);
      default:
        return operand satisfies never;
    }
  }
}
