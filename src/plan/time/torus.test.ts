import { expect, it } from 'vitest';
import { mesh, meshCoordinates } from '../../core/index.ts';
import { MeshOnTorus, type Sent } from './torus.ts';

const link = { bytesPerSecond: 1, latencySeconds: 0.5, messageSeconds: 0.25 };
const torusOf = (axes: number, ring = 4) => ({ axes, ring, hopSeconds: 0.125 });
const parts = mesh({ a: 4, b: 4, c: 2 });

/** Every rank sends so many bytes to its neighbours along each axis. */
function toNeighbours(bytes: Readonly<Record<string, number>>): Sent[] {
  const places = Array.from({ length: parts.size }, (_, rank) => meshCoordinates(parts, rank));
  return places.flatMap((here, from) =>
    places.flatMap((there, to) => {
      const apart = here.flatMap((at, i) => (at === there[i] ? [] : [i]));
      const [axis] = apart;
      const next = apart.length === 1 && Math.abs(here[axis] - there[axis]) === 1;
      return next ? [{ from, to, bytes: bytes[parts.axes[axis].name] }] : [];
    }),
  );
}

it('takes a link for each neighbour where every axis has its own', () => {
  const seconds = new MeshOnTorus(parts, torusOf(3), link).exchangeSeconds(
    toNeighbours({ a: 3, b: 7, c: 5 }),
  );
  // The first rank has three neighbours, one in the middle of a and b five.
  expect(seconds[0]).toBe(0.5 + 2 * 0.25 + 7);
  expect(seconds[10]).toBe(0.5 + 4 * 0.25 + 7);
});

it('loads links as a count of every message over every link does, where axes share one', () => {
  const bytes = { a: 3, b: 7, c: 5 };
  // c and a are 2 and 4: of equals the earlier axis shares with c, which lies within it.
  const place = (rank: number): [number, number] => {
    const [a, b, c] = meshCoordinates(parts, rank);
    return [2 * a + c, b];
  };
  const loads = new Map<string, number>();
  for (const { from, to, bytes: each } of toNeighbours(bytes)) {
    const at = place(from);
    const end = place(to);
    for (const axis of [0, 1])
      while (at[axis] !== end[axis]) {
        const step = Math.sign(end[axis] - at[axis]);
        const key = `${at} ${axis} ${step}`;
        loads.set(key, (loads.get(key) ?? 0) + each);
        at[axis] += step;
      }
  }
  const seconds = new MeshOnTorus(parts, torusOf(2), link).exchangeSeconds(toNeighbours(bytes));
  expect(Math.max(...seconds)).toBe(0.5 + 4 * 0.25 + 0.125 + Math.max(...loads.values()));
});

it('reduces along rings, both ways around where the ends are joined', () => {
  const along = (axes: number, names: string[], ring = 4): number =>
    new MeshOnTorus(parts, torusOf(axes, ring), link).reduceSeconds(names, 64);
  expect(along(3, ['a'])).toBe(0.5 + 2 * (3 * 0.125 + (64 * 3) / 4 / 2));
  expect(along(3, ['a'], 16)).toBe(0.5 + 2 * (3 * 0.125 + (64 * 3) / 4));
  expect(along(3, ['c'])).toBe(0.5 + 2 * (0.125 + 32));
  // The second axis has a quarter of the bytes left.
  expect(along(3, ['a', 'b'])).toBe(0.5 + 2 * (3 * 0.125 + 24) + 2 * (3 * 0.125 + 6));
  // a and c lie along one axis of eight: together a ring, a alone with two links from rank to rank.
  expect(along(2, ['a', 'c'])).toBe(0.5 + 2 * (7 * 0.125 + (64 * 7) / 8 / 2));
  expect(along(2, ['a'])).toBe(0.5 + 2 * (6 * 0.125 + (64 * 3 * 2) / 4 / 2));
});
