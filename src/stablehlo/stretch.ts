import type { Box } from '../core/index.ts';
import type { LocalNode, LocalValue } from '../plan/index.ts';
import { Body } from './body.ts';
import type { Wide } from './lines.ts';
import { moduleText } from './module-text.ts';

/** A tensor of a rank that a function takes or gives: the value and the box that its memory holds. */
export interface StretchPort {
  readonly value: LocalValue;
  readonly box: Box;
}

/** What one rank does between two collectives. */
export interface Stretch {
  /** In an order in which every operation comes after its inputs; collectives are none of them. */
  readonly nodes: readonly LocalNode[];
  readonly rank: number;
  /** What stands in memory before, in the order of the arguments. */
  readonly takes: readonly StretchPort[];
  /** What is to stand there after, in the order of the results. Elements that no operation makes are zeros. */
  readonly gives: readonly StretchPort[];
  readonly wide?: Wide;
}

/** One function, `main`, over tensors of the boxes' sizes in row-major order. */
export function printStretch({ nodes, rank, takes, gives, wide }: Stretch): string {
  const body = new Body([rank], wide);
  const place = ({ value, box }: StretchPort) => ({ value, boxes: [box] });
  const taken = takes.map((port, i) => body.take(place(port), `%arg${i}`));
  for (const node of nodes) body.add(node);
  const given = gives.map((port) => body.give(place(port)));
  return moduleText({
    name: 'stretch',
    devices: 1,
    head: [],
    arguments: taken.map((tensor) => [tensor, '']),
    results: given.map((tensor) => [tensor, '']),
    lines: body.writer.lines,
  });
}
