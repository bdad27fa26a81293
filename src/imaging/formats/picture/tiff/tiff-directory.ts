import { ImagingError } from '../../../volume/errors.ts';
import { viewOf } from '../../bytes.ts';
import type { ReopenedFile } from '../reopened-file.ts';

// Directories of TIFF (revision 6.0, section 2) and BigTIFF: lists of tags with their values, which say how a picture lies in the file.

/** Bytes of a value by the type of its tag: BYTE, ASCII, SHORT, LONG, RATIONAL and so on, those of BigTIFF from 16 on. */
const typeBytes: Readonly<Record<number, number>> = {
  ...{ 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4 },
  ...{ 16: 8, 17: 8, 18: 8 },
};

/** Tags of a directory that are looked at at most: writers use some dozens. */
const mostTags = 1000;

interface Tag {
  readonly type: number;
  readonly count: number;
  /** Where its values lie. */
  readonly at: number;
}

/** A file of TIFF: how its numbers lie, and where its first directory is. */
export interface TiffFile {
  readonly file: string;
  readonly source: ReopenedFile;
  readonly little: boolean;
  readonly big: boolean;
}

/** Reads the header. Throws ImagingError where it is none of TIFF. */
export async function tiffHeader(
  file: string,
  source: ReopenedFile,
): Promise<TiffFile & { readonly first: number }> {
  const bytes = await bytesAt({ file, source }, 0, Math.min(16, source.size), 'header');
  const little = bytes[0] === 0x49;
  const view = viewOf(bytes);
  const big = bytes.length >= 4 && view.getUint16(2, little) === 43;
  if (bytes.length < (big ? 16 : 8))
    throw new ImagingError({
      file,
      field: 'header',
      expected: 'a header of TIFF',
      found: 'a file cut short',
    });
  const first = big ? Number(view.getBigUint64(8, little)) : view.getUint32(4, little);
  return { file, source, little, big, first };
}

/** Bytes of a file. Throws ImagingError that names `what` where the file ends before. */
export async function bytesAt(
  { file, source }: Pick<TiffFile, 'file' | 'source'>,
  at: number,
  count: number,
  what: string,
): Promise<Uint8Array> {
  if (at + count > source.size)
    throw new ImagingError({
      file,
      field: what,
      expected: `${count} bytes from byte ${at} on`,
      found: `a file of ${source.size} bytes`,
      hint: 'The file is cut short or damaged: copy or download it again.',
    });
  const bytes = await source.read(at, count);
  if (bytes.length === count) return bytes;
  throw new ImagingError({
    file,
    field: what,
    expected: `${count} bytes`,
    found: `${bytes.length}: the file has become shorter`,
  });
}

/** One directory: the tags of one picture. */
export class TiffDirectory {
  readonly tiff: TiffFile;
  /** Where the next directory of the file lies; 0 where there is none. */
  readonly next: number;
  private readonly tags: ReadonlyMap<number, Tag>;

  private constructor(tiff: TiffFile, next: number, tags: ReadonlyMap<number, Tag>) {
    this.tiff = tiff;
    this.next = next;
    this.tags = tags;
  }

  /** Reads the directory at a place of the file. */
  static async read(tiff: TiffFile, at: number): Promise<TiffDirectory> {
    const { little, big, file } = tiff;
    const what = `directory at byte ${at}`;
    const head = viewOf(await bytesAt(tiff, at, big ? 8 : 2, what));
    const count = big ? Number(head.getBigUint64(0, little)) : head.getUint16(0, little);
    if (count === 0 || count > mostTags)
      throw new ImagingError({
        file,
        field: what,
        expected: `1 to ${mostTags} tags`,
        found: `${count}`,
        hint: 'The file is damaged: copy or download it again.',
      });
    const [start, bytes, inline] = big ? [at + 8, 20, 8] : [at + 2, 12, 4];
    const view = viewOf(await bytesAt(tiff, start, count * bytes + inline, what));
    const placeAt = (offset: number): number =>
      big ? Number(view.getBigUint64(offset, little)) : view.getUint32(offset, little);
    const tags = new Map<number, Tag>();
    for (let n = 0; n < count; n++) {
      const offset = n * bytes;
      const type = view.getUint16(offset + 2, little);
      const values = placeAt(offset + 4);
      const size = (typeBytes[type] ?? 0) * values;
      const place = offset + bytes - inline;
      tags.set(view.getUint16(offset, little), {
        type,
        count: values,
        at: size <= inline ? start + place : placeAt(place),
      });
    }
    return new TiffDirectory(tiff, placeAt(count * bytes), tags);
  }

  /** How many values a tag has; 0 where it is missing. */
  count(tag: number): number {
    return this.tags.get(tag)?.count ?? 0;
  }

  /** The numbers of a tag, at most so many; none where it is missing. Throws ImagingError for values of another kind. */
  async numbers(tag: number, most: number): Promise<Float64Array> {
    const found = this.tags.get(tag);
    if (found === undefined) return new Float64Array(0);
    const { type, at } = found;
    const count = Math.min(found.count, most);
    const bytes = typeBytes[type];
    if (bytes === undefined || type === 2)
      throw new ImagingError({
        file: this.tiff.file,
        field: `tag ${tag}`,
        expected: 'numbers',
        found: `values of type ${type}`,
      });
    const view = viewOf(await bytesAt(this.tiff, at, count * bytes, `tag ${tag}`));
    return Float64Array.from({ length: count }, (_, n) => this.valueAt(view, n * bytes, type));
  }

  private valueAt(view: DataView, at: number, type: number): number {
    const { little } = this.tiff;
    switch (type) {
      case 3:
        return view.getUint16(at, little);
      case 4:
      case 13:
        return view.getUint32(at, little);
      case 5:
        return view.getUint32(at, little) / view.getUint32(at + 4, little);
      case 6:
        return view.getInt8(at);
      case 8:
        return view.getInt16(at, little);
      case 9:
        return view.getInt32(at, little);
      case 10:
        return view.getInt32(at, little) / view.getInt32(at + 4, little);
      case 11:
        return view.getFloat32(at, little);
      case 12:
        return view.getFloat64(at, little);
      case 16:
      case 18:
        return Number(view.getBigUint64(at, little));
      case 17:
        return Number(view.getBigInt64(at, little));
      default:
        return view.getUint8(at);
    }
  }

  /** The one number of a tag, or `otherwise` where it is missing. */
  async number(tag: number, otherwise: number): Promise<number> {
    return (await this.numbers(tag, 1))[0] ?? otherwise;
  }

  /** The bytes of a tag, at most so many. */
  async bytes(tag: number, most: number): Promise<Uint8Array> {
    const found = this.tags.get(tag);
    if (found === undefined) return new Uint8Array(0);
    const count = Math.min(found.count * (typeBytes[found.type] ?? 1), most);
    return bytesAt(this.tiff, found.at, count, `tag ${tag}`);
  }

  /** The text of a tag up to its first null, at most so many bytes of it. */
  async text(tag: number, most = 2 ** 24): Promise<string> {
    const text = new TextDecoder().decode(await this.bytes(tag, most));
    const end = text.indexOf('\0');
    return end < 0 ? text : text.slice(0, end);
  }
}
