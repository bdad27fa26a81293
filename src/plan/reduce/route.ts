import { type Branch, reduceTree } from './tree.ts';

// How the ranks of a group pass on what they combine. The result has the same bits whatever the way: every number is combined by one
// rank, of the parts of all, in the order of the group.

/** Bytes of a part of which the ranks share the work. */
const SHARED = 2 ** 15;
/** Bytes of all parts together that one rank combines, and of one part where there are too many ranks for that. */
const [GATHERED, LEAST] = [2 ** 20, 2 ** 10];
/** Ranks of a group that have messages with all others, in the most. */
const DIRECT = 256;

/**
 * By a tree all parts come to one rank, which combines them (tree.ts). In slices every rank combines a slice of its own, in the
 * order of the group: parts travel along rows of a grid of ranks, then along columns, the results the other way. A grid of one row
 * is how all send to all.
 */
export type Route =
  | { readonly kind: 'tree'; readonly tree: readonly Branch[] }
  | { readonly kind: 'slices'; readonly rows: number; readonly columns: number };

/** `machines`: ranks of the group on each machine. `bytes`: of the part of one rank. */
export function routeOf(machines: readonly number[], bytes: number): Route {
  const ranks = machines.reduce((a, b) => a + b, 0);
  const small = bytes < SHARED && bytes <= Math.max(LEAST, GATHERED / ranks);
  return small ? { kind: 'tree', tree: reduceTree(machines) } : { kind: 'slices', ...gridOf(ranks) };
}

/** Bytes that all ranks of a group send for an all-reduce of `bytes` bytes. */
export function routeBytes(route: Route, bytes: number): number {
  if (route.kind === 'tree') {
    const up = route.tree.reduce((sum, { end }, at) => sum + (at === 0 ? 0 : end - at), 0);
    return bytes * (up + route.tree.length - 1);
  }
  const { rows, columns } = route;
  // Every rank sends the numbers of other columns along its row, and its slice of the results of its column; along a column travel
  // the parts of a whole row for each other row, and one result back.
  return bytes * (2 * rows * (columns - 1) + (rows - 1) * (columns + 1));
}

/** Messages of an all-reduce of `count` numbers, those of all ranks of a group together. */
export function routeMessages(route: Route, count: number): number {
  if (count === 0) return 0;
  if (route.kind === 'tree') return 2 * (route.tree.length - 1);
  const { rows, columns } = route;
  const cut = sliceCut(rows * columns, count);
  let messages = 0;
  for (let column = 0; column < columns; column++) {
    if (cut(column * rows) < cut((column + 1) * rows)) messages += 2 * rows * (columns - 1);
    for (let slice = column * rows; slice < (column + 1) * rows; slice++)
      if (cut(slice) < cut(slice + 1)) messages += 2 * (rows - 1);
  }
  return messages;
}

/** Bytes for messages of the rank at a place of the tree; where slices are combined, of any rank. */
export function routeRooms(route: Route, bytes: number, place: number): number {
  if (route.kind === 'slices') return (route.rows === 1 ? 2 : 4) * bytes;
  // Parts of the branch, and the result beside them.
  return (route.tree[place].end - place + (place === 0 ? 0 : 1)) * bytes;
}

/** Where the slice of a rank begins among `count` numbers; slices of one column lie beside each other. */
export const sliceCut =
  (ranks: number, count: number) =>
  (slice: number): number =>
    Math.floor((slice * count) / ranks);

/** The grid of ranks with the fewest messages a rank; a single row for few ranks. */
function gridOf(ranks: number): { readonly rows: number; readonly columns: number } {
  let columns = ranks;
  if (ranks > DIRECT) for (let n = 1; n * n <= ranks; n++) if (ranks % n === 0) columns = ranks / n;
  return { rows: ranks / columns, columns };
}
