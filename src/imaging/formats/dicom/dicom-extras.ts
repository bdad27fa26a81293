import { baseName } from '../scan-files.ts';
import { readSlice } from './dicom-pixels.ts';
import type { DicomSlice } from './dicom-slice.ts';
import { areAlike, dot, minus, normalOf, sameMm } from './dicom-stack.ts';

// Files of a series that are no slices of its stack: scouts, and copies of slices.

/** The slices that are left, and what was left out, in sentences. */
export interface Sifted {
  readonly slices: readonly DicomSlice[];
  readonly notes: readonly string[];
}

/** So many images of another kind may be scouts, where the scan has at least so many times as many. */
const mostScouts = 3;
const leastRatio = 3;

/** Whether so few images beside so many may be scouts. */
export const areFew = (few: number, many: number): boolean => few <= mostScouts && many >= leastRatio * few;

/**
 * Leaves out scouts: few images of another orientation or size than all others, which do not continue the stack of these. Where
 * that is not clear all slices are left, which then do not form a stack.
 */
export function withoutScouts(slices: readonly DicomSlice[]): Sifted {
  const kinds: DicomSlice[][] = [];
  for (const slice of slices) {
    const kind = kinds.find(([first]) => areAlike(slice, first));
    if (kind === undefined) kinds.push([slice]);
    else kind.push(slice);
  }
  const [main, ...others] = kinds.toSorted((a, b) => b.length - a.length);
  const scouts = others.flat();
  if (scouts.length === 0 || !areFew(scouts.length, main.length)) return { slices, notes: [] };
  if (scouts.some((scout) => continues(scout, main))) return { slices, notes: [] };
  const found = `of another orientation or size than the other ${main.length} left out as a scout`;
  return { slices: main, notes: [`${counted(scouts, 'image')} ${found}`] };
}

/** Whether a slice lies in the planes of a stack, at most two of its steps beyond its ends: then it may be one of its slices. */
function continues(slice: DicomSlice, stack: readonly DicomSlice[]): boolean {
  const normal = normalOf(stack[0]);
  if (Math.abs(dot(normalOf(slice), normal)) < 0.99) return false;
  const places = stack.map(({ position }) => dot(position, normal)).sort((a, b) => a - b);
  const [first, last] = [places[0], places[places.length - 1]];
  const step = (last - first) / (places.length - 1);
  const place = dot(slice.position, normal);
  return place > first - 2.5 * step && place < last + 2.5 * step;
}

/**
 * Leaves out slices that lie where another one lies and have the same values. Other slices at one place are left: they are
 * phases, and which of them is meant is not known.
 */
export async function withoutCopies(slices: readonly DicomSlice[]): Promise<Sifted> {
  const normal = normalOf(slices[0]);
  const ordered = slices.toSorted(
    (a, b) => dot(a.position, normal) - dot(b.position, normal) || (a.file < b.file ? -1 : 1),
  );
  const kept: DicomSlice[] = [];
  const copies: DicomSlice[] = [];
  for (const slice of ordered) {
    const last = kept.at(-1);
    if (last === undefined || !(await isCopy(slice, last))) kept.push(slice);
    else copies.push(slice);
  }
  if (copies.length === 0) return { slices, notes: [] };
  return { slices: kept, notes: [`${counted(copies, 'identical copy', 'identical copies')} left out`] };
}

async function isCopy(slice: DicomSlice, other: DicomSlice): Promise<boolean> {
  if (Math.hypot(...minus(slice.position, other.position)) >= sameMm || !areAlike(slice, other)) return false;
  const [a, b] = await Promise.all([slice, other].map(valuesOf));
  return a.every((value, n) => Object.is(value, b[n]));
}

async function valuesOf(slice: DicomSlice): Promise<Float64Array> {
  const out = new Float64Array(slice.rows * slice.columns);
  await readSlice(slice, out, false);
  return out;
}

/** `2 images (a.dcm, b.dcm)` */
export function counted(
  files: readonly { readonly file: string; readonly frame?: number }[],
  one: string,
  several = `${one}s`,
): string {
  const names = files
    .slice(0, 3)
    .map(({ file, frame }) => (frame === undefined ? '' : `frame ${frame} of `) + baseName(file));
  const more = files.length > 3 ? ', ...' : '';
  return `${files.length} ${files.length === 1 ? one : several} (${names.join(', ')}${more})`;
}
