import { ImagingError } from '../../volume/errors.ts';
import { readError } from '../byte-reader.ts';
import { concatBytes, viewOf } from '../bytes.ts';
import type { ByteSource, ScanFiles } from '../scan-files.ts';

// Compressed pixels lie in a file as items: a table of offsets, which may be empty, and the fragments of all frames (DICOM PS3.5, A.4).

/** Bytes of a file. */
export interface Fragment {
  readonly offset: number;
  readonly length: number;
}

const pixelField = 'Pixel Data (7FE0,0010)';
const itemTag = 0xe000fffe;
const endTag = 0xe0ddfffe;
const itemBytes = 8;

/** Fragments that are looked at: thousands of frames of some each. */
const mostFragments = 1 << 16;

/**
 * Finds the fragments of each of `frames` frames, from the first item on. Reads the heads of items and the table of offsets, not the
 * pixels. Throws ImagingError where items are damaged or do not say where frames begin.
 */
export async function findFrames(
  files: ScanFiles,
  file: string,
  start: number,
  frames: number,
): Promise<readonly (readonly Fragment[])[]> {
  const source = await files.open(file);
  try {
    const { table, fragments } = await readItems(source, file, start);
    const firsts = await firstFragments(source, table, fragments, frames);
    if (firsts.length !== frames || firsts[0] !== 0) {
      const expected = `${frames} ${frames === 1 ? 'frame' : 'frames'}`;
      const found = `${fragments.length} fragments, of which ${firsts.length} begin a frame`;
      const hint = 'The file is damaged: copy it again.';
      throw new ImagingError({ file, field: pixelField, expected, found, hint });
    }
    return firsts.map((first, n) => fragments.slice(first, firsts[n + 1]));
  } catch (error) {
    throw readError(file, error);
  } finally {
    await source.close();
  }
}

/** The packed bytes of a frame. Throws ImagingError where it takes more than `most` bytes. */
export async function readFragments(
  files: ScanFiles,
  file: string,
  fragments: readonly Fragment[],
  most: number,
): Promise<Uint8Array> {
  const bytes = fragments.reduce((sum, { length }) => sum + length, 0);
  if (bytes > most) throw damaged(file, `at most ${most} packed bytes of a frame`, `${bytes}`);
  const source = await files.open(file);
  try {
    const parts: Uint8Array[] = [];
    for (const { offset, length } of fragments) parts.push(await source.read(offset, length));
    return concatBytes(parts);
  } catch (error) {
    throw readError(file, error);
  } finally {
    await source.close();
  }
}

/** The table of offsets and the fragments behind it. */
async function readItems(
  source: ByteSource,
  file: string,
  start: number,
): Promise<{ readonly table: Fragment; readonly fragments: readonly Fragment[] }> {
  const items: Fragment[] = [];
  let at = start;
  for (;;) {
    const head = await source.read(at, itemBytes);
    if (head.length < itemBytes) throw cutShort(file, at);
    const view = viewOf(head);
    const [tag, length] = [view.getUint32(0, true), view.getUint32(4, true)];
    if (tag === endTag) break;
    if (tag !== itemTag || items.length > mostFragments)
      throw damaged(file, 'an item of compressed pixels', `something else at byte ${at}`);
    const offset = at + itemBytes;
    at = offset + length;
    if (at > source.size) throw cutShort(file, source.size);
    items.push({ offset, length });
  }
  const [table, ...fragments] = items;
  if (fragments.length === 0) throw damaged(file, 'compressed pixels', 'none');
  return { table, fragments };
}

/** Numbers of the fragments with which frames begin. */
async function firstFragments(
  source: ByteSource,
  table: Fragment,
  fragments: readonly Fragment[],
  frames: number,
): Promise<readonly number[]> {
  if (frames === 1) return [0];
  if (fragments.length === frames) return fragments.map((_, n) => n);
  if (table.length === 4 * frames) {
    const view = viewOf(await source.read(table.offset, table.length));
    const from = fragments[0].offset;
    const places = new Map(fragments.map(({ offset }, n) => [offset - from, n]));
    const firsts = Array.from({ length: frames }, (_, n) => places.get(view.getUint32(4 * n, true)) ?? -1);
    return firsts.every((first, n) => first > (n === 0 ? -1 : firsts[n - 1])) ? firsts : [];
  }
  // Without a table frames begin with the first bytes of a JPEG image or a JPEG 2000 codestream.
  const firsts: number[] = [];
  for (const [n, { offset }] of fragments.entries()) {
    const [a, b] = await source.read(offset, 2);
    if (a === 0xff && (b === 0xd8 || b === 0x4f)) firsts.push(n);
  }
  return firsts;
}

const damaged = (file: string, expected: string, found: string): ImagingError =>
  new ImagingError({ file, field: pixelField, expected, found, hint: 'The file is damaged: copy it again.' });

const cutShort = (file: string, at: number): ImagingError =>
  new ImagingError({
    file,
    field: pixelField,
    expected: 'an end of the compressed pixels',
    found: `the end of the file at byte ${at}`,
    hint: 'The file is cut short: copy it again.',
  });
