import { type Box, isEmpty, type Shape } from '../../core/index.ts';
import type { Kernel, LocalNode, LocalValue } from '../../plan/index.ts';
import type { Tensor } from '../device.ts';
import { attrsOf } from './attrs.ts';
import { leavesLanes, leftByLanes } from './class-rows.ts';
import type { ConvAlgorithm } from './exact-conv.ts';
import type { Address, Library } from './library.ts';
import { RowProgram } from './row-program.ts';
import { boxView, type CpuTensor, cpuTensor, type Slots, storageBytes, subView, viewOf } from './storage.ts';
import type { Arguments, Source, View } from './structs.ts';

/** What the preparation of one kernel for one rank works with. */
export class Launch {
  readonly library: Library;
  readonly args: Arguments;
  readonly kernel: Kernel;
  readonly rank: number;
  readonly conv: ConvAlgorithm;
  private readonly stored: (value: LocalValue) => Tensor;
  private readonly nodes: ReadonlySet<LocalNode>;

  constructor(
    library: Library,
    args: Arguments,
    kernel: Kernel,
    rank: number,
    tensorOf: (value: LocalValue) => Tensor,
    conv: ConvAlgorithm,
  ) {
    this.library = library;
    this.args = args;
    this.kernel = kernel;
    this.rank = rank;
    this.conv = conv;
    this.stored = tensorOf;
    this.nodes = new Set(kernel.nodes.filter((node) => node !== kernel.anchor));
  }

  get anchor(): LocalNode {
    return this.kernel.anchor!;
  }

  /** Loop box of this rank. */
  get loop(): Box {
    return this.anchor.loops[this.rank];
  }

  /** What the anchor reads of input `i` here. */
  reads(i: number): Box {
    return this.anchor.op.reads(this.anchor.call, this.loop)[i];
  }

  writes(o = 0): Box {
    return this.anchor.op.writes(this.anchor.call, this.loop)[o];
  }

  tensorOf(value: LocalValue): CpuTensor {
    return this.stored(value) as CpuTensor;
  }

  /** Stored tensor of input `i` of the anchor. */
  input(i: number): CpuTensor {
    return this.tensorOf(this.anchor.inputs[i]);
  }

  output(o = 0): CpuTensor {
    return this.tensorOf(this.anchor.outputs[o]);
  }

  /** hm_source of input `i`: its element-wise expression over the box that is read. */
  source(i: number, slots: Slots): Address {
    return this.args.sources([this.sourceOf(this.anchor.inputs[i], this.reads(i), slots)]);
  }

  /** Array of hm_source of input `i`, and its length: the parts of a concat that is read in place, else one. */
  sources(i: number, slots: Slots): readonly [Address, number] {
    const value = this.anchor.inputs[i];
    const { producer } = value;
    if (producer.op.form !== 'view' || !this.nodes.has(producer)) return [this.source(i, slots), 1];
    const outer = this.reads(i).slice(0, -1);
    const parts = producer.inputs.map((part) => {
      const { size } = part.shape[part.shape.length - 1];
      return this.sourceOf(part, [...outer, { start: 0, end: size }], slots);
    });
    return [this.args.sources(parts), parts.length];
  }

  private sourceOf(value: LocalValue, box: Box, slots: Slots): Source {
    return { load: this.rows(value.shape, slots).build(value), box: boxView(value.shape, box, slots) };
  }

  /** hm_program that stores the anchor's result and what is fused after it. */
  epilogue(slots: Slots): Address {
    const [result] = this.anchor.outputs;
    const program = this.rows(result.shape, slots);
    program.bindInput(...this.versionsOf(result));
    for (const value of this.kernel.writes) this.leave(program, value);
    return this.args.program(program.build());
  }

  /** Ends a program with the store or the sum that a written value asks for. */
  leave(program: RowProgram, value: LocalValue): void {
    const { op, inputs } = value.producer;
    if (value.producer === this.kernel.anchor) program.store(value);
    else if (leavesLanes(value.producer)) {
      const { register, how } = leftByLanes(program, value);
      if (how === 'sum') program.sumRegister(register, value);
      else program.storeRegister(register, value);
    } else if (op.name === 'reduce_sum') program.sum(inputs[0], value);
    else if (op.name === 'slice')
      program.storePart(inputs[0], value, attrsOf<'slice'>(value.producer).ranges);
    else program.store(value);
  }

  rows(shape: Shape, slots: Slots, wide = false): RowProgram {
    return new RowProgram({
      shape,
      slots,
      nodes: this.nodes,
      tensorOf: (value) => this.stored(value),
      constants: (values) => this.args.doubles(values),
      wide,
    });
  }

  /** View of a box of an iteration. */
  box(shape: Shape, box: Box, slots: Slots): Address {
    return this.args.viewAt(boxView(shape, box, slots));
  }

  view(tensor: CpuTensor, slots: Slots): Address {
    return this.args.viewAt(viewOf(tensor, slots));
  }

  /**
   * The part `box` of a stored tensor as a plain view, and what to run first: nothing where the tensor is plain, else a copy
   * into memory of its own.
   */
  plain(tensor: CpuTensor, box: Box, slots: Slots): { readonly view: View; readonly before: () => void } {
    if (tensor.block === 1) return { view: subView(tensor, slots, box), before: () => undefined };
    const type = { shape: tensor.shape, dtype: tensor.dtype, plain: true };
    const copy = cpuTensor(this.args.scratch(storageBytes(type, box)), type, box);
    return { view: subView(copy, slots, box), before: this.copy(copy, tensor, box) };
  }

  /** Plain memory for the output, and what to run afterwards: nothing where the output is plain itself. */
  plainOutput(): { readonly tensor: CpuTensor; readonly after: () => void } {
    const output = this.output();
    if (output.block === 1) return { tensor: output, after: () => undefined };
    const type = { shape: output.shape, dtype: output.dtype, plain: true };
    const tensor = cpuTensor(this.args.scratch(storageBytes(type, this.writes())), type, this.writes());
    return { tensor, after: this.copy(output, tensor, this.writes()) };
  }

  /** A copy of `box` (coordinates of `to`) whose dimension i of `from` is dimension `perm[i]` of `to`, moved by `shift`. */
  copy(
    to: CpuTensor,
    from: CpuTensor,
    box: Box,
    moved?: { perm: readonly number[]; shift: readonly number[] },
  ): () => void {
    return prepareCopy(this.library, this.args, to, from, box, moved);
  }

  /** Values that are the anchor's result: itself, and itself with margins. */
  private versionsOf(result: LocalValue): LocalValue[] {
    const versions = new Set([result]);
    for (const node of this.nodes)
      for (const input of node.inputs) {
        const { collective, inputs } = input.producer;
        if (collective?.kind === 'exchange' && inputs[0] === result) versions.add(input);
      }
    return [...versions];
  }
}

/** See {@link Launch.copy}. Dimensions are those of the tensors; both have at most five. */
export function prepareCopy(
  library: Library,
  args: Arguments,
  to: CpuTensor,
  from: CpuTensor,
  box: Box,
  moved: { readonly perm: readonly number[]; readonly shift: readonly number[] } = {
    perm: box.map((_, i) => i),
    shift: box.map(() => 0),
  },
): () => void {
  if (isEmpty(box)) return () => undefined;
  const toSlot = rightAligned(to.shape);
  const fromSlot = rightAligned(from.shape);
  const perm = [0, 1, 2, 3, 4];
  const shift = [0, 0, 0, 0, 0];
  // Slots that no dimension takes pair up in order.
  const takenTo = new Set(to.shape.map((dim) => toSlot.get(dim.name)!));
  const takenFrom = new Set(from.shape.map((dim) => fromSlot.get(dim.name)!));
  const spare = [0, 1, 2, 3, 4].filter((slot) => !takenTo.has(slot));
  for (const slot of [0, 1, 2, 3, 4]) if (!takenFrom.has(slot)) perm[slot] = spare.shift()!;
  moved.perm.forEach((target, i) => {
    const slot = fromSlot.get(from.shape[i].name)!;
    perm[slot] = toSlot.get(to.shape[target].name)!;
    shift[slot] = moved.shift[i];
  });
  const region = boxView(to.shape, box, toSlot);
  const list = [
    args.viewAt(viewOf(to, toSlot)),
    args.viewAt(viewOf(from, fromSlot)),
    args.longs(region.start),
    args.longs(region.size),
    args.ints(perm),
    args.longs(shift),
  ];
  return () => library.call('hm_copy', ...list);
}

/** Last dimension to c, the one before to w, and so on: an order that all ranks up to five share. */
export function rightAligned(shape: Shape): Slots {
  return new Map(shape.map((dim, i) => [dim.name, 5 - shape.length + i]));
}
