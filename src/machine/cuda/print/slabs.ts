import type { Source } from '../../calls/index.ts';
import { boxBySlots, type Region, SLOT_C } from '../../formats/index.ts';
import type { Maker } from '../maker.ts';
import { channelsOf, storedTensor } from './tile.ts';

// Contractions whose sources are finished first are done in slabs along d, so that what is finished takes little memory.

/** The slot of d. */
const SLOT_D = 1;

/** Planes of an image, from `begin` to `end`. */
export interface Planes {
  readonly begin: number;
  readonly end: number;
}

export function planesOf({ shape, box, slots }: Region): Planes {
  const { start, size } = boxBySlots(shape, box, slots);
  return { begin: start[SLOT_D], end: start[SLOT_D] + size[SLOT_D] };
}

/** The part of a region that lies in some planes; empty where none does. */
export function withPlanes(region: Region, { begin, end }: Planes): Region {
  const { shape, box, slots } = region;
  const within = box.map((range, i) => {
    if (slots.get(shape[i].name) !== SLOT_D) return range;
    const start = Math.max(range.start, begin);
    return { start, end: Math.max(start, Math.min(range.end, end)) };
  });
  return { ...region, box: within };
}

/** Slabs of a region for which `sources` are finished, which begin at multiples of `cell` planes. */
export function slabsOf(region: Region, sources: readonly Source[], cell: number, make: Maker): Planes[] {
  const { begin, end } = planesOf(region);
  const ready = sources.length === 1 && storedTensor(sources[0], make.tensorOf) !== undefined;
  const bytes = sources.reduce((sum, source) => {
    const { size } = boxBySlots(source.region.shape, source.region.box, source.region.slots);
    return (
      sum +
      (ready
        ? 0
        : 2 *
          channelsOf(source) *
          size.reduce((x, length, i) => (i === SLOT_D || i === SLOT_C ? x : x * length), 1))
    );
  }, 0);
  const most = Math.max(make.slabs.planes, Math.floor(make.slabs.bytes / Math.max(bytes, 1)));
  const planes = Math.max(cell, Math.floor(most / cell) * cell);
  const slabs: Planes[] = [];
  for (let at = begin; at < end; at = slabs[slabs.length - 1].end)
    slabs.push({ begin: at, end: Math.min(end, Math.floor(at / planes) * planes + planes) });
  return slabs;
}
