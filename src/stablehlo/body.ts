import type { Box, Mesh } from '../core/index.ts';
import type { LocalNode, LocalValue } from '../plan/index.ts';
import { printAllReduce, printExchange } from './collectives.ts';
import { Frames, frameOf, type Held } from './frames.ts';
import type { Wide } from './lines.ts';
import { printNode } from './node.ts';
import type { Tensor } from './types.ts';
import { Writer } from './writer.ts';

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
    printNode(this.frames, node, this.ranks, given).forEach((held, o) => {
      this.held.set(outputs[o], held);
    });
  }
}
