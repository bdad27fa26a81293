import { type Box, boxVolume, forEachIndex } from '../core/index.ts';
import type { HostArray } from '../machine/index.ts';

/** The last dimensions of a box whose numbers lie side by side in the whole: the first of them, and how many numbers they have. */
function sideBySide(
  box: Box,
  strides: readonly number[],
): { readonly first: number; readonly count: number } {
  let [first, count] = [box.length, 1];
  while (first > 0 && strides[first - 1] === count) {
    first--;
    count *= box[first].end - box[first].start;
  }
  return { first, count };
}

/** Rows of a box, as long as can be: calls `row(start of the row in the whole, start in the box, length)`. */
export function forEachRow(
  box: Box,
  strides: readonly number[],
  row: (whole: number, part: number, count: number) => void,
): void {
  const { first, count } = sideBySide(box, strides);
  let part = 0;
  const outer = box.map(({ start, end }, i) => ({ start, end: i < first ? end : Math.min(end, start + 1) }));
  forEachIndex(outer, (index) => {
    row(
      index.reduce((sum, x, i) => sum + x * strides[i], 0),
      part,
      count,
    );
    part += count;
  });
}

/** The part of a whole array that lies in `box`, where it is one row. */
export function onePiece(whole: HostArray, box: Box, strides: readonly number[]): HostArray | undefined {
  const { first, count } = sideBySide(box, strides);
  if (box.slice(0, first).some(({ start, end }) => end - start !== 1)) return undefined;
  const from = box.reduce((sum, { start }, i) => sum + start * strides[i], 0);
  return whole.subarray(from, from + count);
}

/** The part of a whole row-major array that lies in `box`. */
export function gather(whole: HostArray, box: Box, strides: readonly number[]): HostArray {
  const part = whole.slice(0, 0).constructor as new (length: number) => HostArray;
  const data = new part(boxVolume(box));
  forEachRow(box, strides, (from, to, count) => data.set(whole.subarray(from, from + count), to));
  return data;
}

/** Writes the numbers of `box` into a whole row-major array. */
export function scatter(data: HostArray, box: Box, whole: HostArray, strides: readonly number[]): void {
  forEachRow(box, strides, (to, from, count) => whole.set(data.subarray(from, from + count), to));
}
