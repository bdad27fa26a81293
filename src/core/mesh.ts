import { fail } from './errors.ts';
import { shortened, shownValue } from './printable.ts';

export interface MeshAxis {
  readonly name: string;
  readonly size: number;
}

/** A grid of ranks. Rank numbers run over the axes in row-major order (last axis fastest). */
export interface Mesh {
  readonly axes: readonly MeshAxis[];
  /** Number of ranks: product of the axis sizes. */
  readonly size: number;
}

/** Ranks of a mesh at most: plans grow with them. */
export const MOST_RANKS = 4096;

/**
 * `mesh({ rows: 2, cols: 3 })`: six ranks. `mesh({})` is a single rank. `where` is what errors call the sizes: the flag or the key of a
 * file that they come from.
 */
export function mesh(axes: Readonly<Record<string, number>>, where = 'mesh'): Mesh {
  const list = Object.entries(axes).map(([name, size]) => ({ name, size }));
  for (const { name, size } of list)
    if (!Number.isSafeInteger(size) || size < 1)
      fail({
        where,
        problem: `axis ${shownValue(name)} has an impossible size`,
        expected: 'a whole number of at least 1',
        found: String(size),
      });
  const size = list.reduce((product, axis) => product * axis.size, 1);
  if (size > MOST_RANKS)
    fail({
      where,
      problem: 'too many ranks',
      expected: `at most ${MOST_RANKS} ranks, the product of all parts`,
      found: shortened(`${size} (${list.map((axis) => `${axis.name}=${axis.size}`).join(', ')})`, 200),
      hint: 'Cut into fewer parts',
    });
  return { axes: list, size };
}

/** Coordinates of a rank, one per axis. */
export function meshCoordinates(m: Mesh, rank: number): number[] {
  const coordinates = new Array<number>(m.axes.length);
  let rest = rank;
  for (let i = m.axes.length - 1; i >= 0; i--) {
    coordinates[i] = rest % m.axes[i].size;
    rest = Math.floor(rest / m.axes[i].size);
  }
  return coordinates;
}

/** Groups of ranks that differ only along `axes`: the ranks that one all-reduce over these axes joins, each ascending. */
export function meshGroups(m: Mesh, axes: readonly string[]): number[][] {
  const groups = new Map<string, number[]>();
  for (let rank = 0; rank < m.size; rank++) {
    const key = meshCoordinates(m, rank)
      .map((c, i) => (axes.includes(m.axes[i].name) ? '*' : c))
      .join(',');
    const group = groups.get(key);
    if (group) group.push(rank);
    else groups.set(key, [rank]);
  }
  return [...groups.values()];
}

/** `rows=2 cols=3`, or `1 rank`. */
export function showMesh(m: Mesh): string {
  return m.axes.length === 0 ? '1 rank' : m.axes.map((a) => `${a.name}=${a.size}`).join(' ');
}
