import { describe, expect, it } from 'vitest';
import { type Box, piecesOf } from './box.ts';

const box = (...ranges: readonly (readonly [number, number])[]): Box =>
  ranges.map(([start, end]) => ({ start, end }));

describe('piecesOf', () => {
  it('cuts a box into pieces of at most so many numbers, outermost dimension first', () => {
    const whole = box([0, 1], [2, 5], [3, 10], [0, 9]);
    expect(piecesOf(whole, 130)).toEqual([
      box([0, 1], [2, 4], [3, 10], [0, 9]),
      box([0, 1], [4, 5], [3, 10], [0, 9]),
    ]);
    const pieces = piecesOf(whole, 40);
    expect(pieces.slice(0, 3)).toEqual([
      box([0, 1], [2, 3], [3, 7], [0, 9]),
      box([0, 1], [2, 3], [7, 10], [0, 9]),
      box([0, 1], [3, 4], [3, 7], [0, 9]),
    ]);
    expect(pieces.length).toBe(6);
    // With or without a last dimension of size 1.
    expect(piecesOf([...whole, { start: 0, end: 1 }], 40).map((piece) => piece.slice(0, 4))).toEqual(pieces);
    expect(piecesOf(whole, 1000)).toEqual([whole]);
    expect(piecesOf(box([0, 5]), 2)).toEqual([box([0, 2]), box([2, 4]), box([4, 5])]);
    expect(piecesOf(box([0, 1]), 0)).toEqual([box([0, 1])]);
    expect(piecesOf(box([2, 2], [0, 4]), 1)).toEqual([]);
    expect(piecesOf([], 1)).toEqual([[]]);
  });
});
