import type { Source } from '../../calls/index.ts';
import { boxBySlots } from '../../formats/index.ts';
import { type Printer, THREADS } from './printer.ts';
import { channelsOf, isLarge, product } from './tile.ts';
import { printSource } from './window.ts';

/** Float32 numbers of a source in shared memory: [channel][position]. */
export interface FloatTile {
  readonly into: string;
  /** Positions along d, h, w. */
  readonly shape: readonly [number, number, number];
  /** The place of its first position, which need not be inside of the source. */
  readonly from: readonly [string, string, string];
  /** The first channel, counted from the source's own, and how many; those that are not there are zeros. */
  readonly channel: string;
  readonly channels: number;
  /** Numbers from one channel to the next. */
  readonly slab: number;
  readonly threads?: number;
}

/** Prints a source once; gives what prints the statements that load a tile of it, at the batch `n`, by threads number `thread`. */
export function loadFloats(to: Printer, one: Source): (tile: FloatTile) => string {
  const channels = channelsOf(one);
  const lanes = channels % 4 === 0 ? (isLarge(one.row) ? 2 : 4) : 1;
  const source = printSource(to, one, lanes);
  const region = boxBySlots(one.region.shape, one.region.box, one.region.slots);
  const first = `a.${to.longs('first', region.start.slice(1, 4))}`;
  const held = `a.${to.longs('held', region.size.slice(1, 4))}`;
  const from = `(int)a.${to.long('from', source.start)}`;
  const end = `(int)a.${to.long('end', source.start + channels)}`;
  const fixed = to.fresh('f');
  const inside = ['id', 'ih', 'iw']
    .map((x, i) => `${x} >= ${first}[${i}] && ${x} < ${first}[${i}] + ${held}[${i}]`)
    .join(' && ');
  return ({ into, shape, from: [d, h, w], channel, channels: count, slab, threads = THREADS }) =>
    `#pragma unroll 1
for (int j = 0; j < ${count}; j += ${lanes}) {
  const bool there = ${from} + ${channel} + j < ${end};
  const int ci = there ? ${from} + ${channel} + j : ${from};
  ${source.begin(fixed, 'ci')}
#pragma unroll 1
  for (int v = thread; v < ${product(shape)}; v += ${threads}) {
    const int iw = ${w} + v % ${shape[2]}, ih = ${h} + v / ${shape[2]} % ${shape[1]}, id = ${d} + v / ${shape[2] * shape[1]};
    float y[${lanes}];
    HM_LANES(${lanes}) y[l] = 0;
    if (there && ${inside}) { ${source.load(fixed, 'id, ih, iw', 'ci', 'y')} }
    HM_LANES(${lanes}) ${into}[(j + l) * ${slab} + v] = y[l];
  }
}
`;
}
