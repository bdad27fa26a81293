import { type Box, isEmpty, type Mesh } from '../core/index.ts';
import type { LocalNode, LocalValue } from '../plan/index.ts';
import { printAllReduce, printExchange } from './collectives.ts';
import { Frames, frameOf, type Held } from './frames.ts';
import type { Wide } from './lines.ts';
import { ruleOf } from './ops/rules.ts';
import { Site } from './ops/site.ts';
import type { Tensor } from './types.ts';
import { Writer } from './writer.ts';

const NEUTRAL = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY };

/** A value over boxes, one for each rank, as an argument or a result of a function has it. */
export interface Place {
  readonly value: LocalValue;
  readonly boxes: readonly Box[];
}

/** The operations of a function: those of local nodes, for some of their ranks. */
export class Body {
  readonly writer: Writer;
  private readonly frames: Frames;
  /** Ranks of the local program that run the function, in the order of its devices. */
  private readonly ranks: readonly number[];
  private readonly held = new Map<LocalValue, Held>();

  constructor(ranks: readonly number[], wide?: Wide) {
    this.writer = new Writer(wide);
    this.frames = new Frames(this.writer, ranks.length);
    this.ranks = ranks;
  }

  private mine<T>(all: readonly T[]): T[] {
    return this.ranks.map((rank) => all[rank]);
  }

  /** Sizes of a place, the same on all ranks. */
  sizes({ boxes }: Place): readonly number[] {
    return frameOf(boxes).sizes;
  }

  /** Takes a value in as an argument called `id`. Zeros stand outside of its boxes. */
  take({ value, boxes }: Place, id: string): Tensor {
    const frame = frameOf(boxes);
    const tensor = { id, element: this.writer.elementOf(value.dtype), sizes: frame.sizes };
    const { shape, dtype } = value;
    this.held.set(value, { tensor, shape, dtype, ...frame, boxes, outside: 0 });
    return tensor;
  }

  /** A value as a result of the function. */
  give({ value, boxes }: Place): Tensor {
    const held = this.held.get(value)!;
    const kept = boxes.map((box, rank) => {
      const inner = held.boxes[rank];
      return box.map((r, i) => ({
        start: Math.max(r.start, inner[i].start),
        end: Math.max(Math.min(r.end, inner[i].end), r.start, inner[i].start),
      }));
    });
    return this.frames.fetch(held, { frame: frameOf(boxes), boxes: kept, fill: 0 });
  }

  /** Adds an operation; `mesh`: that of the ranks, for what crosses them. */
  add(node: LocalNode, mesh?: Mesh): void {
    const { collective, inputs, outputs } = node;
    const given = inputs.map((value) => this.held.get(value)!);
    if (collective && mesh) {
      const made =
        collective.kind === 'exchange'
          ? printExchange(this.frames, node, mesh, given[0])
          : printAllReduce(this.frames, collective, given[0]);
      this.held.set(outputs[0], made);
      return;
    }
    const { call, op } = node;
    const rule = ruleOf(op.name);
    if (rule === undefined) return;
    this.writer.scope(node.name);
    const loops = this.mine(node.loops);
    const writes = loops.map((loop) => op.writes(call, loop));
    const boxes = outputs.map((_, o) => writes.map((all) => all[o]));
    const frames = outputs.map((value, o) => frameOf(boxes[o], this.mine(value.own)));
    const tensors = loops.every(isEmpty)
      ? outputs.map(({ dtype }, o) =>
          this.writer.constant(this.writer.elementOf(dtype), NEUTRAL[op.combine], frames[o].sizes),
        )
      : rule(
          new Site({
            frames: this.frames,
            call,
            inputs: given,
            loops,
            reads: inputs.map((_, i) => loops.map((loop) => readBy(node, loop, i))),
            outputs: frames,
          }),
        );
    outputs.forEach((value, o) => {
      const { shape, dtype } = value;
      const tensor = tensors[o];
      this.held.set(value, { tensor, shape, dtype, ...frames[o], boxes: boxes[o], outside: 'anything' });
    });
  }
}

/** What a loop box reads of an input: nothing where it is empty. */
function readBy({ call, op }: LocalNode, loop: Box, input: number): Box {
  const box = op.reads(call, loop)[input];
  return isEmpty(loop) ? box.map(({ start }) => ({ start, end: start })) : box;
}
