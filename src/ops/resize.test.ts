import { describe, expect, it } from 'vitest';
import { Graph, range, shape } from '../core/index.ts';
import { type ResizeKind, resize, resizeReadBy, resizeReads, resizeTaps } from './resize.ts';
import { inputOf } from './source.ts';

const KINDS: readonly ResizeKind[] = ['nearest', 'linear'];
const SIZES = [1, 2, 3, 5, 7, 8, 12];
const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Every kind, input size n, output size m and range [a, b) of `of(n, m)` coordinates. */
function forAll(
  of: (n: number, m: number) => number,
  visit: (k: ResizeKind, n: number, m: number, a: number, b: number) => void,
) {
  for (const kind of KINDS)
    for (const n of SIZES)
      for (const m of SIZES)
        for (let a = 0; a < of(n, m); a++) for (let b = a + 1; b <= of(n, m); b++) visit(kind, n, m, a, b);
}

describe('read ranges of resizing', () => {
  it('take half-pixel centres', () => {
    // 3 to 7: centres at (o + 1/2) * 3/7
    expect(numbers(7).map((o) => resizeTaps('nearest', o, 3, 7).low)).toEqual([0, 0, 1, 1, 1, 2, 2]);
    expect(resizeTaps('linear', 0, 4, 8)).toEqual({ low: 0, high: 1, fraction: 0 });
    expect(resizeTaps('linear', 1, 4, 8)).toEqual({ low: 0, high: 1, fraction: 0.25 });
    expect(resizeTaps('linear', 7, 4, 8)).toEqual({ low: 3, high: 3, fraction: 0.25 });
  });

  it('are exact where floating point is not', () => {
    // (o + 1/2) * n/m is a whole number here; n/m itself is not a binary fraction.
    for (const m of [3, 7, 49, 441])
      for (const o of numbers(m)) {
        expect(resizeTaps('nearest', o, 5 * m, m).low).toBe(5 * o + 2);
        expect(resizeTaps('linear', o, 5 * m, m)).toEqual({ low: 5 * o + 2, high: 5 * o + 3, fraction: 0 });
      }
  });

  it('hold every input that is read, and no more', () => {
    forAll(
      (_n, m) => m,
      (kind, n, m, a, b) => {
        const read = numbers(m)
          .slice(a, b)
          .flatMap((o) => [resizeTaps(kind, o, n, m).low, resizeTaps(kind, o, n, m).high]);
        expect(resizeReads(kind, range(a, b), n, m)).toEqual(range(Math.min(...read), Math.max(...read) + 1));
      },
    );
  });

  it('of the gradient hold every output that reads the inputs, and no more', () => {
    forAll(
      (n) => n,
      (kind, n, m, a, b) => {
        const readers = numbers(m).filter((o) => {
          const { low, high } = resizeTaps(kind, o, n, m);
          return low < b && high >= a;
        });
        const found = resizeReadBy(kind, range(a, b), n, m);
        if (readers.length === 0) expect(found.end).toBe(found.start);
        else expect(found).toEqual(range(readers[0], readers[readers.length - 1] + 1));
      },
    );
  });

  it('of nothing are empty', () => {
    for (const kind of KINDS) {
      expect(resizeReads(kind, range(3, 3), 7, 5)).toEqual(range(0, 0));
      expect(resizeReadBy(kind, range(3, 3), 7, 5)).toEqual(range(0, 0));
    }
  });
});

describe('blocks of a resized axis', () => {
  const cuts = (n: number, m: number, of: readonly number[]) => {
    const graph = new Graph();
    const y = resize(inputOf(graph, 'x', shape({ width: n, channel: 1 })), 'linear', { width: m });
    return y.node.op.loops(y.node.call)[0].follows?.cuts(of);
  };

  it('begin where those of the input do', () => {
    expect(cuts(7, 14, [0, 3, 5, 7])).toEqual([0, 6, 10, 14]);
    expect(cuts(14, 7, [0, 5, 10, 14])).toEqual([0, 3, 5, 7]);
    expect(cuts(7, 2, [0, 1, 2, 3, 7])).toEqual([0, 0, 1, 1, 2]);
  });

  it('are the same where the size is', () => {
    expect(cuts(7, 7, [0, 3, 7])).toBeUndefined();
  });
});
