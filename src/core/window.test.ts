import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, forEachIndex, hull, intersect, isEmpty, range, subtract } from './box.ts';
import { CutTable, evenCuts } from './layout.ts';
import { mesh, meshGroups } from './mesh.ts';
import {
  cutsDown,
  cutsUp,
  groupReads,
  type Window,
  windowOutput,
  windowReadBy,
  windowReads,
} from './window.ts';

const windows = fc.record({
  kernel: fc.integer({ min: 1, max: 7 }),
  stride: fc.integer({ min: 1, max: 4 }),
  dilation: fc.integer({ min: 1, max: 3 }),
  padLow: fc.integer({ min: 0, max: 6 }),
  padHigh: fc.integer({ min: 0, max: 6 }),
});
const fits = (w: Window, size: number): boolean =>
  size + w.padLow + w.padHigh >= w.dilation * (w.kernel - 1) + 1;

describe('windows', () => {
  it('reads exactly from the first to the last input that any tap touches, and is read back', () => {
    fc.assert(
      fc.property(windows, fc.integer({ min: 1, max: 40 }), fc.nat(40), fc.nat(40), (w, size, a, b) => {
        fc.pre(fits(w, size));
        const count = windowOutput(w, size, 'test', 'depth');
        const outputs = range(Math.min(a, count), Math.min(Math.max(a, b), count));
        const touched: number[] = [];
        for (let o = outputs.start; o < outputs.end; o++)
          for (let k = 0; k < w.kernel; k++) {
            const i = o * w.stride - w.padLow + w.dilation * k;
            if (i < 0 || i >= size) continue;
            touched.push(i);
            const back = windowReadBy(w, range(i, i + 1), count);
            expect(o >= back.start && o < back.end).toBe(true);
          }
        const reads = windowReads(w, outputs, size);
        for (const i of touched) expect(i >= reads.start && i < reads.end).toBe(true);
        // Holes between taps or windows may lie at the edge; without holes the range is tight.
        if (w.dilation === 1 && w.stride <= w.kernel && touched.length > 0)
          expect([reads.start, reads.end]).toEqual([Math.min(...touched), Math.max(...touched) + 1]);
      }),
    );
  });

  it("reads for outputs in groups of four what each of them takes: five of its group's six inputs", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 1, max: 30 }),
        fc.nat(30),
        fc.nat(30),
        (pad, size, a, b) => {
          const outputs = range(Math.min(a, b), Math.max(a, b));
          const touched: number[] = [];
          for (let o = outputs.start; o < outputs.end; o++)
            for (let i = 0; i < 6; i++) {
              if ((i === 0 && o % 4 > 0) || (i === 5 && o % 4 < 3)) continue;
              const at = o - (o % 4) - pad + i;
              if (at >= 0 && at < size) touched.push(at);
            }
          const { start, end } = groupReads(-pad, outputs, size);
          if (touched.length === 0) expect(start).toBe(end);
          else expect([start, end]).toEqual([Math.min(...touched), Math.max(...touched) + 1]);
        },
      ),
    );
  });

  it('follows cuts down and up', () => {
    const pool = { kernel: 2, stride: 2, dilation: 1, padLow: 0, padHigh: 0 };
    expect(cutsDown(pool, [0, 97, 194, 290, 386, 482], 241)).toEqual([0, 49, 97, 145, 193, 241]);
    expect(cutsUp(pool, [0, 49, 97, 145, 193, 241], 482)).toEqual([0, 98, 194, 290, 386, 482]);
  });

  it('says which axis a window does not fit', () => {
    const w = { kernel: 5, stride: 1, dilation: 1, padLow: 0, padHigh: 0 };
    expect(() => windowOutput(w, 3, 'conv "a"', 'height')).toThrow(
      /conv "a".*"height".*at least 5.*3 \+ 0 \+ 0/,
    );
  });
});

describe('cuts', () => {
  it('are even and may be empty', () => {
    expect(evenCuts(482, 5)).toEqual([0, 97, 194, 290, 386, 482]);
    expect(evenCuts(2, 3)).toEqual([0, 1, 2, 2]);
  });

  it('give boxes that cover a tensor once', () => {
    const table = new CutTable(mesh({ rows: 3, cols: 2 }), { depth: 'rows', width: 'cols' });
    const dims = [
      { name: 'depth', size: 7 },
      { name: 'height', size: 2 },
      { name: 'width', size: 5 },
    ];
    const seen = new Map<string, number>();
    for (let rank = 0; rank < 6; rank++)
      forEachIndex(table.box(dims, rank), (index) => seen.set(`${index}`, (seen.get(`${index}`) ?? 0) + 1));
    expect(seen.size).toBe(70);
    expect(new Set(seen.values())).toEqual(new Set([1]));
  });

  it.each([
    [{ depth: 'cols', width: 'cols' }, /"depth" and "width" are both laid on mesh axis "cols"/],
    [{ depth: 'planes' }, /mesh axis "planes", which the mesh lacks; expected rows, cols/],
  ])('refuse layout %j', (layout, message) => {
    expect(() => new CutTable(mesh({ rows: 2, cols: 2 }), layout)).toThrow(message);
  });
});

it('groups of a mesh differ along the given axes alone', () => {
  expect(meshGroups(mesh({ a: 2, b: 3 }), ['a'])).toEqual([
    [0, 3],
    [1, 4],
    [2, 5],
  ]);
});

it('a box minus another is disjoint boxes that cover the rest', () => {
  const side = fc.tuple(fc.nat(5), fc.nat(5)).map(([a, b]) => range(Math.min(a, b), Math.max(a, b)));
  const boxes = fc.tuple(side, side, side);
  fc.assert(
    fc.property(boxes, boxes, (box, inner) => {
      const rest = subtract(box, inner);
      let volume = 0;
      for (const [i, part] of rest.entries()) {
        expect(contains(box, part)).toBe(true);
        expect(isEmpty(intersect(part, inner))).toBe(true);
        for (const other of rest.slice(i + 1)) expect(isEmpty(intersect(part, other))).toBe(true);
        forEachIndex(part, () => volume++);
      }
      forEachIndex(intersect(box, inner), () => volume++);
      let whole = 0;
      forEachIndex(box, () => whole++);
      expect(volume).toBe(whole);
      expect(contains(hull(box, inner), box)).toBe(true);
    }),
  );
});
