/** Something that takes bytes from its birth to its death, both included. */
export interface Item {
  readonly bytes: number;
  readonly birth: number;
  readonly death: number;
}

/**
 * Offsets at which items that live at one time never overlap: first fit over time and space, largest first. What is placed is
 * kept sorted by offset, so that the lowest gap is found in one walk.
 */
export function packArena(items: readonly Item[]): { offsets: number[]; total: number } {
  const order = items
    .map((_, i) => i)
    .sort((a, b) => items[b].bytes - items[a].bytes || items[a].birth - items[b].birth);
  const offsets = new Array<number>(items.length).fill(0);
  const placed: number[] = [];
  let total = 0;
  for (const i of order) {
    const item = items[i];
    if (item.bytes === 0) continue;
    let at = 0;
    for (const k of placed) {
      if (items[k].birth > item.death || item.birth > items[k].death) continue;
      if (at + item.bytes <= offsets[k]) break;
      at = Math.max(at, offsets[k] + items[k].bytes);
    }
    offsets[i] = at;
    total = Math.max(total, at + item.bytes);
    placed.splice(firstAbove(placed, offsets, at), 0, i);
  }
  return { offsets, total };
}

/** Where an item at an offset belongs in a list sorted by offset. */
function firstAbove(placed: readonly number[], offsets: readonly number[], at: number): number {
  let low = 0;
  let high = placed.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsets[placed[middle]] <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
