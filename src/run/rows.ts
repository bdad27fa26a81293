import { type Box, boxVolume, forEachIndex } from '../core/index.ts';
import type { HostArray } from '../machine/index.ts';

/** Rows of a box: calls `row(start of the row in the whole, start in the box, length)`. */
export function forEachRow(
  box: Box,
  strides: readonly number[],
  row: (whole: number, part: number, count: number) => void,
): void {
  const count = box.length === 0 ? 1 : box[box.length - 1].end - box[box.length - 1].start;
  let part = 0;
  const outer = box.map((r, i) =>
    i === box.length - 1 ? { start: r.start, end: Math.min(r.end, r.start + 1) } : r,
  );
  forEachIndex(outer, (index) => {
    row(
      index.reduce((sum, x, i) => sum + x * strides[i], 0),
      part,
      count,
    );
    part += count;
  });
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
