import type { Vector3 } from '../../volume/affine.ts';
import { ImagingError } from '../../volume/errors.ts';
import type { Attributes } from './dicom-attributes.ts';

// Functional groups: attributes of the frames of a multi-frame file, each by itself or shared by all (PS3.3, C.7.6.16).

/** Sequences of functional groups, as tags and as names for messages. */
export const groups = {
  position: ['x00209113', 'Plane Position Sequence (0020,9113)'],
  orientation: ['x00209116', 'Plane Orientation Sequence (0020,9116)'],
  measures: ['x00289110', 'Pixel Measures Sequence (0028,9110)'],
  values: ['x00289145', 'Pixel Value Transformation Sequence (0028,9145)'],
  content: ['x00209111', 'Frame Content Sequence (0020,9111)'],
  segment: ['x0062000a', 'Segment Identification Sequence (0062,000A)'],
} as const;

export type Group = keyof typeof groups;

/** A tag as messages write it. */
export const written = (tag: string): string => `(${tag.slice(1, 5)},${tag.slice(5)})`.toUpperCase();

/** Frames that a file may have: more is damage. */
const mostFrames = 1 << 17;

/** The functional groups of a file's frames. */
export class FrameGroups {
  readonly frames: number;
  readonly #file: string;
  readonly #shared: Attributes | undefined;
  readonly #own: readonly Attributes[];

  /** Throws ImagingError where frames and their groups are not as many. */
  constructor(file: string, data: Attributes) {
    this.#file = file;
    [this.#shared] = data.items('x52009229');
    this.#own = data.items('x52009230');
    this.frames = data.decimal('x00280008') ?? 1;
    if (Number.isInteger(this.frames) && this.frames > 0 && this.frames <= mostFrames) {
      if (this.#own.length === this.frames) return;
      const found = `groups of ${this.#own.length}`;
      this.fail('Per-Frame Functional Groups Sequence (5200,9230)', `groups of ${this.frames} frames`, found);
    }
    this.fail('Number of Frames', `1 to ${mostFrames}`, data.all('x00280008').slice(0, 40) || 'nothing');
  }

  /** A group of frame n, counted from 0: its own, else the shared one; undefined where there is none. */
  find(group: Group, n: number): Attributes | undefined {
    const [tag] = groups[group];
    return this.#own[n].items(tag)[0] ?? this.#shared?.items(tag)[0];
  }

  /** The groups of frame n alone. */
  own(n: number): Attributes {
    return this.#own[n];
  }

  /** All groups of frame n, those that it shares with all others too: items by tag. */
  all(n: number): readonly Attributes[] {
    return this.#shared === undefined ? [this.#own[n]] : [this.#shared, this.#own[n]];
  }

  /** As find. Throws ImagingError where there is none. */
  need(group: Group, n: number): Attributes {
    return this.find(group, n) ?? this.fail(groups[group][1], `one for frame ${n + 1}`, 'none');
  }

  private fail(field: string, expected: string, found: string): never {
    const hint = 'Copy the file again, or convert it to NIfTI, for example with dcm2niix.';
    throw new ImagingError({ file: this.#file, field, expected, found, hint });
  }
}

/** Where a slice or frame lies, in LPS mm. */
export interface Plane {
  /** Of the centre of its first pixel (Image Position). */
  readonly position: Vector3;
  /** Unit vectors along a row, so from column to column, and along a column (Image Orientation). */
  readonly alongRow: Vector3;
  readonly alongColumn: Vector3;
  /** mm from row to row, and from column to column. */
  readonly rowSpacing: number;
  readonly columnSpacing: number;
}

/** Reads a plane, of frame `frame` of several. Throws ImagingError for what is missing or makes no sense. */
export function planeOf(
  file: string,
  position: Attributes,
  orientation: Attributes,
  measures: Attributes,
  frame?: number,
): Plane {
  const fail = (name: string, expected: string, found: string): never => {
    const field = frame === undefined ? name : `${name} of frame ${frame}`;
    throw new ImagingError({ file, field, expected, found: found.slice(0, 120) });
  };
  const numbers = (data: Attributes, tag: string, name: string, count: number): number[] => {
    const values = Array.from({ length: count }, (_, n) => data.decimal(tag, n) ?? Number.NaN);
    if (values.every(Number.isFinite)) return values;
    return fail(name, `${count} numbers`, data.all(tag) || 'nothing');
  };
  const [x, y, z] = numbers(position, 'x00200032', 'Image Position (Patient)', 3);
  const o = numbers(orientation, 'x00200037', 'Image Orientation (Patient)', 6);
  const [alongRow, alongColumn]: [Vector3, Vector3] = [
    [o[0], o[1], o[2]],
    [o[3], o[4], o[5]],
  ];
  const unit = (v: Vector3) => Math.abs(Math.hypot(...v) - 1) < 0.01;
  const cosine = o[0] * o[3] + o[1] * o[4] + o[2] * o[5];
  if (!unit(alongRow) || !unit(alongColumn) || Math.abs(cosine) > 0.01)
    fail('Image Orientation (Patient)', 'two perpendicular unit vectors', o.join(', '));
  const [rowSpacing, columnSpacing] = numbers(measures, 'x00280030', 'Pixel Spacing', 2);
  if (!(rowSpacing > 0 && columnSpacing > 0))
    fail('Pixel Spacing', 'two positive numbers of mm', `${rowSpacing}, ${columnSpacing}`);
  return { position: [x, y, z], alongRow, alongColumn, rowSpacing, columnSpacing };
}
