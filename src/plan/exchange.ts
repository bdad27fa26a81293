import {
  type Box,
  fail,
  intersect,
  isEmpty,
  type Mesh,
  meshCoordinates,
  showBox,
  subtract,
} from '../core/index.ts';
import type { Transfer } from './program.ts';

/**
 * Who sends what so that every rank comes to hold `need`. What a rank already holds (`have`) is not sent; of several owners of
 * a part the one nearest on the mesh sends it. Without `inPlace` a rank also copies what it has itself (from = to).
 */
export function planTransfers(
  m: Mesh,
  own: readonly Box[],
  have: readonly Box[],
  need: readonly Box[],
  inPlace: boolean,
): Transfer[] {
  const transfers: Transfer[] = [];
  const at = need.map((_, rank) => meshCoordinates(m, rank));
  for (let to = 0; to < need.length; to++) {
    if (!inPlace) {
      const kept = intersect(have[to], need[to]);
      if (!isEmpty(kept)) transfers.push({ from: to, to, box: kept });
    }
    let missing = subtract(need[to], have[to]);
    if (missing.length === 0) continue;
    for (const from of nearest(at, to)) {
      const rest: Box[] = [];
      for (const box of missing) {
        const part = intersect(box, own[from]);
        if (isEmpty(part)) {
          rest.push(box);
          continue;
        }
        transfers.push({ from, to, box: part });
        rest.push(...subtract(box, part));
      }
      missing = rest;
      if (missing.length === 0) break;
    }
    if (missing.length > 0)
      fail({
        where: 'exchange',
        problem: `nobody owns ${missing.map(showBox).join(' ')} that rank ${to} needs`,
        hint: 'The write rule of the operation that makes this tensor is wrong',
      });
  }
  return transfers;
}

/** Other ranks by the number of mesh axes on which they differ, then by rank. */
function nearest(at: readonly (readonly number[])[], to: number): number[] {
  const distance = (rank: number): number => at[rank].filter((c, i) => c !== at[to][i]).length;
  return at
    .map((_, rank) => rank)
    .filter((rank) => rank !== to)
    .sort((a, b) => distance(a) - distance(b) || a - b);
}
