import type { Box, Shape } from '../../core/index.ts';
import type { Kernel, LocalNode, LocalValue } from '../../plan/index.ts';
import type { Region, Slots } from '../formats/index.ts';
import { attrsOf, leavesLanes, leftByLanes, type Row, RowBuilder } from '../rows/index.ts';
import type { Source } from './call.ts';

/** A kernel on one rank: what calls are made from. */
export class Site {
  readonly kernel: Kernel;
  readonly rank: number;
  private readonly homeOf: (value: LocalValue) => object;
  private readonly nodes: ReadonlySet<LocalNode>;

  /** `homeOf`: the same for values that lie in the same memory. */
  constructor(kernel: Kernel, rank: number, homeOf: (value: LocalValue) => object) {
    this.kernel = kernel;
    this.rank = rank;
    this.homeOf = homeOf;
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

  /** What the anchor computes of its result. */
  out(slots: Slots): Region {
    return { shape: this.anchor.outputs[0].shape, box: this.writes(), slots };
  }

  /** Input `i`: its element-wise expression over the box that is read. */
  source(i: number, slots: Slots): Source {
    return this.sourceOf(this.anchor.inputs[i], this.reads(i), slots);
  }

  /** Input `i`: the parts of a concat that is read in place, else one. */
  sources(i: number, slots: Slots): readonly Source[] {
    const value = this.anchor.inputs[i];
    const { producer } = value;
    if (producer.op.form !== 'view' || !this.nodes.has(producer)) return [this.source(i, slots)];
    const outer = this.reads(i).slice(0, -1);
    return producer.inputs.map((part) => {
      const { size } = part.shape[part.shape.length - 1];
      return this.sourceOf(part, [...outer, { start: 0, end: size }], slots);
    });
  }

  private sourceOf(value: LocalValue, box: Box, slots: Slots): Source {
    return { row: this.rows(value.shape, slots).build(value), region: { shape: value.shape, box, slots } };
  }

  /** The row that stores the anchor's result and what is fused after it. */
  epilogue(slots: Slots): Row {
    const [result] = this.anchor.outputs;
    const row = this.rows(result.shape, slots);
    row.bindInput(...this.versionsOf(result));
    for (const value of this.kernel.writes) this.leave(row, value);
    return row.build();
  }

  /** Ends a row with the store or the sum that a written value asks for. */
  leave(row: RowBuilder, value: LocalValue): void {
    const { op, inputs } = value.producer;
    if (value.producer === this.kernel.anchor) row.store(value);
    else if (leavesLanes(value.producer)) {
      const { register, how } = leftByLanes(row, value);
      if (how === 'sum') row.sumRegister(register, value);
      else row.storeRegister(register, value);
    } else if (op.name === 'reduce_sum') row.sum(inputs[0], value);
    else if (op.name === 'slice') row.storePart(inputs[0], value, attrsOf<'slice'>(value.producer).ranges);
    else row.store(value);
  }

  rows(shape: Shape, slots: Slots, wide = false): RowBuilder {
    return new RowBuilder({ shape, slots, nodes: this.nodes, homeOf: this.homeOf, wide });
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
