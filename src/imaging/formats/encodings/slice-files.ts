import type { HeaderFields } from '../text-header.ts';

// Voxels in several files, one for each slice or for several: a list of their names, or a pattern that counts.

/** Whether a header names several files. */
export const namesSlices = (text: string): boolean => /^LIST\b/i.test(text) || text.includes('%');

/** More files than any scan has slices. */
const mostFiles = 1 << 16;

/**
 * Names of the files that hold the voxels: `LIST` or `LIST 2`, with the names in the lines behind the field, or
 * `slice%03d.raw 1 100 1 [2]`: first, last, step. The number behind is that of the dimensions of a file: 2 (one slice each) or 3
 * (all as many slices). Throws ImagingError where they are not as many as that takes.
 */
export function sliceNames(
  fields: HeaderFields,
  field: string,
  text: string,
  following: readonly string[],
  depth: number,
): string[] {
  const { names, dimensions } = /^LIST\b/i.test(text)
    ? listed(fields, field, text, following)
    : counted(fields, field, text);
  const fits = dimensions === 3 ? names.length > 0 && depth % names.length === 0 : names.length === depth;
  if (fits) return names;
  const expected =
    dimensions === 3 ? `files that divide ${depth} slices` : `${depth} files, one for each slice`;
  return fields.fail(field, expected, `${names.length}`);
}

interface Named {
  readonly names: string[];
  readonly dimensions: 2 | 3;
}

function dimensionsOf(fields: HeaderFields, field: string, text: string | undefined): 2 | 3 {
  if (text === undefined || text === '2') return 2;
  return text === '3' ? 3 : fields.fail(field, 'files of 2 or 3 dimensions', text);
}

function listed(fields: HeaderFields, field: string, text: string, following: readonly string[]): Named {
  const [, dimensions, ...more] = text.split(/\s+/);
  if (more.length > 0) fields.fail(field, 'LIST, or LIST and the dimensions of a file', text);
  const names = following.map((line) => line.trim()).filter((line) => line !== '');
  return { names, dimensions: dimensionsOf(fields, field, dimensions) };
}

function counted(fields: HeaderFields, field: string, text: string): Named {
  const expected = 'a name with one %d or %03d, then first, last and step';
  const found = /^(.*?)%(0?)(\d{0,2})[diu]([^%]*?)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)(?:\s+(\d+))?$/.exec(text);
  if (found === null || found[1].includes('%')) return fields.fail(field, expected, text);
  const [, before, zeros, width, behind, first, last, step, dimensions] = found;
  const [from, to, by] = [first, last, step].map(Number);
  const count = by === 0 ? 0 : Math.floor((to - from) / by) + 1;
  if (!(count >= 1 && count <= mostFiles)) return fields.fail(field, expected, text);
  const names = Array.from({ length: count }, (_, n) => {
    const number = `${from + n * by}`.padStart(Number(width), zeros === '' ? ' ' : '0');
    return `${before}${number}${behind}`;
  });
  return { names, dimensions: dimensionsOf(fields, field, dimensions) };
}
