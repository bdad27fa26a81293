import type { Shape } from './shape.ts';

/** Half-open range [start, end) of coordinates of a whole (global) tensor. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A range per dimension: what one rank owns, reads or computes of a tensor. */
export type Box = readonly Range[];

export function range(start: number, end: number): Range {
  return { start, end: Math.max(start, end) };
}

/** The box that covers a whole tensor. */
export function wholeBox(dims: Shape): Box {
  return dims.map((dim) => range(0, dim.size));
}

export function length(r: Range): number {
  return r.end - r.start;
}

export function boxVolume(box: Box): number {
  return box.reduce((product, r) => product * (r.end - r.start), 1);
}

export function isEmpty(box: Box): boolean {
  return box.some((r) => r.end <= r.start);
}

export function intersectRange(a: Range, b: Range): Range {
  return range(Math.max(a.start, b.start), Math.min(a.end, b.end));
}

export function intersect(a: Box, b: Box): Box {
  return a.map((r, i) => intersectRange(r, b[i]));
}

/** True when every coordinate of `inner` lies in `outer`; an empty box lies in every box. */
export function contains(outer: Box, inner: Box): boolean {
  return isEmpty(inner) || inner.every((r, i) => r.start >= outer[i].start && r.end <= outer[i].end);
}

/** Smallest box that holds both; an empty box adds nothing. */
export function hull(a: Box, b: Box): Box {
  if (isEmpty(a)) return b;
  if (isEmpty(b)) return a;
  return a.map((r, i) => range(Math.min(r.start, b[i].start), Math.max(r.end, b[i].end)));
}

export function sameRange(a: Range, b: Range): boolean {
  return a.start === b.start && a.end === b.end;
}

export function sameBox(a: Box, b: Box): boolean {
  return a.length === b.length && a.every((r, i) => sameRange(r, b[i]));
}

/**
 * The part of `box` outside `inner`, as disjoint boxes: for each dimension in turn the slabs before and after `inner`.
 * At most two boxes a dimension.
 */
export function subtract(box: Box, inner: Box): Box[] {
  const common = intersect(box, inner);
  if (isEmpty(common)) return isEmpty(box) ? [] : [box];
  const rest: Box[] = [];
  const core: Range[] = [...box];
  for (let i = 0; i < box.length; i++) {
    const before = core.map((r, k) => (k === i ? range(box[i].start, common[i].start) : r));
    const after = core.map((r, k) => (k === i ? range(common[i].end, box[i].end) : r));
    if (!isEmpty(before)) rest.push(before);
    if (!isEmpty(after)) rest.push(after);
    core[i] = common[i];
  }
  return rest;
}

/**
 * A box in pieces of at most `most` elements, in row-major order: cut along its outermost dimension that has an extent, and again
 * where one layer has more.
 */
export function piecesOf(box: Box, most: number): Box[] {
  if (isEmpty(box)) return [];
  const along = box.findIndex((r) => length(r) > 1);
  if (boxVolume(box) <= most || along < 0) return [box];
  const { start, end } = box[along];
  const layers = Math.max(1, Math.floor((most * (end - start)) / boxVolume(box)));
  const pieces: Box[] = [];
  for (let at = start; at < end; at += layers) {
    const piece = box.map((r, i) => (i === along ? range(at, Math.min(at + layers, end)) : r));
    // A piece of one layer may be too large still.
    for (const part of piecesOf(piece, most)) pieces.push(part);
  }
  return pieces;
}

/** `[0:97 0:512]` */
export function showBox(box: Box): string {
  return `[${box.map((r) => `${r.start}:${r.end}`).join(' ')}]`;
}

/** Calls `visit` with every coordinate of the box, last dimension fastest. The array is reused: copy it to keep it. */
export function forEachIndex(box: Box, visit: (index: readonly number[]) => void): void {
  if (isEmpty(box)) return;
  const index = box.map((r) => r.start);
  for (;;) {
    visit(index);
    let i = box.length - 1;
    while (i >= 0 && ++index[i] === box[i].end) index[i] = box[i--].start;
    if (i < 0) return;
  }
}
