import { printable } from '../../../core/index.ts';
import { ImagingError } from '../../volume/errors.ts';
import type { SeriesStack } from '../dicom/dicom-series.ts';
import type { Segment } from './segments.ts';

/** Characters of a name (LO). */
const longestName = 64;

const utf8 = 'ISO_IR 192';
const latin1 = 'ISO_IR 100';

/** The character set of a segmentation: that of its series, whose texts are copied, and UTF-8 where that names none. */
export function characterSet({ first }: SeriesStack): string {
  return first.data.all('x00080005').trim() || utf8;
}

/** A text in the character set; undefined where that has not all its characters. */
export function encodeText(text: string, set: string): Uint8Array | undefined {
  const points = Array.from(text, (character) => character.codePointAt(0)!);
  if (set === utf8) return new TextEncoder().encode(text);
  const most = set === latin1 ? 0xff : 0x7e;
  return points.every((point) => point <= most) ? Uint8Array.from(points) : undefined;
}

/** Refuses names of classes that a segmentation cannot hold, before anything is written. */
export function checkTexts(file: string, series: SeriesStack, segments: readonly Segment[]): void {
  const set = characterSet(series);
  for (const { name } of segments) {
    const why =
      name.length > longestName
        ? `${name.length} characters`
        : name.includes('\\')
          ? 'a backslash, which separates values'
          : encodeText(name, set) === undefined
            ? `characters that are not in the series' character set ${printable(set)}`
            : undefined;
    if (why === undefined) continue;
    throw new ImagingError({
      file,
      field: `class "${printable(name)}"`,
      expected: `a name of at most ${longestName} characters that DICOM can hold`,
      found: why,
      hint: 'Write another format, such as .seg.nrrd.',
    });
  }
}
