import {
  type Box,
  fail,
  intersect,
  isEmpty,
  type Mesh,
  meshCoordinates,
  showBox,
  subtract,
} from '../../core/index.ts';
import type { Transfer } from '../program.ts';

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
  for (let to = 0; to < need.length; to++) {
    if (!inPlace) {
      const kept = intersect(have[to], need[to]);
      if (!isEmpty(kept)) transfers.push({ from: to, to, box: kept });
    }
    let missing = subtract(need[to], have[to]);
    if (missing.length === 0) continue;
    for (const from of nearest(m, to)) {
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

/** Other ranks by the number of mesh axes on which they differ, then by rank; the same for all tensors of a mesh. */
function nearest(m: Mesh, to: number): readonly number[] {
  const known = neighbours.get(m) ?? [];
  neighbours.set(m, known);
  known[to] ??= byDistance(m, to);
  return known[to];
}

const neighbours = new WeakMap<Mesh, (readonly number[])[]>();

function byDistance(m: Mesh, to: number): readonly number[] {
  const here = meshCoordinates(m, to);
  const at = (rank: number): number => meshCoordinates(m, rank).filter((c, i) => c !== here[i]).length;
  const groups: number[][] = m.axes.map(() => []);
  for (let rank = 0; rank < m.size; rank++) if (rank !== to) groups[at(rank) - 1].push(rank);
  return groups.flat();
}
