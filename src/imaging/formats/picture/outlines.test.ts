import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Outlined, OutlineTracer, type Ring, twiceArea } from './outlines.ts';

function outlinesOf(values: ArrayLike<number>, width: number): Outlined[] {
  const found: Outlined[] = [];
  const tracer = new OutlineTracer(width, (part) => found.push(part));
  tracer.rows(Uint8Array.from(values));
  tracer.end();
  return found;
}

/** Numbers of the parts of a map, from 1 on, found by flooding each. */
function partsOf(values: ArrayLike<number>, width: number): number[] {
  const parts = new Array<number>(values.length).fill(0);
  let last = 0;
  for (let n = 0; n < values.length; n++) {
    if (values[n] === 0 || parts[n] !== 0) continue;
    parts[n] = ++last;
    for (const stack = [n]; stack.length > 0; ) {
      const at = stack.pop()!;
      const x = at % width;
      for (const to of [x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1, at - width, at + width])
        if (to >= 0 && to < values.length && parts[to] === 0 && values[to] === values[at]) {
          parts[to] = last;
          stack.push(to);
        }
    }
  }
  return parts;
}

/** Whether the middle of a pixel lies in a ring: how often a line to the right crosses it. */
function inside(ring: Ring, x: number, y: number): boolean {
  let crossings = 0;
  for (let n = 0; n < ring.length; n += 2) {
    const next = (n + 2) % ring.length;
    const [y0, y1] = [ring[n + 1], ring[next + 1]];
    if (Math.min(y0, y1) <= y && y < Math.max(y0, y1) && ring[n] > x) crossings++;
  }
  return crossings % 2 === 1;
}

const points = (ring: Ring): string[] =>
  Array.from({ length: ring.length / 2 }, (_, n) => `${ring[2 * n]},${ring[2 * n + 1]}`);

describe('outlines', () => {
  it('run around a part and its hole on the corners of pixels', () => {
    const found = outlinesOf([2, 2, 2, 0, 2, 0, 2, 1, 2, 2, 2, 1], 4);
    expect(found.map(({ value }) => value)).toEqual([2, 1]);
    const [{ outer, holes }, other] = found;
    expect(points(outer).sort()).toEqual(['0,0', '0,3', '3,0', '3,3']);
    expect(holes.map((ring) => points(ring).sort())).toEqual([['1,1', '1,2', '2,1', '2,2']]);
    expect([twiceArea(outer), twiceArea(holes[0])]).toEqual([18, -2]);
    expect(twiceArea(other.outer)).toBe(4);
  });

  it('touch in a corner where a hole does, and pass no corner twice', () => {
    const [part, ...others] = outlinesOf([1, 1, 1, 1, 0, 1, 1, 1, 0], 3);
    expect(others).toEqual([]);
    expect(points(part.outer).sort()).toEqual(['0,0', '0,3', '2,2', '2,3', '3,0', '3,2']);
    expect(part.holes.map((ring) => points(ring).sort())).toEqual([['1,1', '1,2', '2,1', '2,2']]);
  });

  it('are those of the parts of any map', () => {
    const maps = fc.integer({ min: 1, max: 12 }).chain((width) =>
      fc.record({
        width: fc.constant(width),
        values: fc
          .array(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: width, maxLength: width }), {
            minLength: 1,
            maxLength: 12,
          })
          .map((rows) => rows.flat()),
      }),
    );
    fc.assert(
      fc.property(maps, ({ width, values }) => {
        const found = outlinesOf(values, width);
        const parts = partsOf(values, width);
        expect(found.length).toBe(Math.max(0, ...parts));
        const left = new Set(parts);
        left.delete(0);
        for (const { value, outer, holes } of found) {
          const covered = parts.map((_, n) => {
            const [x, y] = [n % width, Math.floor(n / width)];
            return inside(outer, x, y) && !holes.some((ring) => inside(ring, x, y));
          });
          const part = parts[covered.indexOf(true)];
          expect(left.delete(part)).toBe(true);
          expect(covered).toEqual(parts.map((other) => other === part));
          expect(values[covered.indexOf(true)]).toBe(value);
          let area = 0;
          for (const ring of [outer, ...holes]) {
            const corners = points(ring);
            expect(new Set(corners).size).toBe(corners.length);
            area += twiceArea(ring);
          }
          expect(area).toBe(2 * covered.filter(Boolean).length);
        }
        expect(left.size).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  it('are the same however many rows come at once', () => {
    const values = Uint8Array.from({ length: 900 }, (_, n) => ((n * n) >> 5) % 3);
    const found: Outlined[] = [];
    const tracer = new OutlineTracer(30, (part) => found.push(part));
    for (let row = 0; row < 30; row += 7)
      tracer.rows(values.subarray(row * 30, Math.min(900, (row + 7) * 30)));
    tracer.end();
    expect(found).toEqual(outlinesOf(values, 30));
  });
});
