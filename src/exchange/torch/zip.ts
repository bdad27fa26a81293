import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { fail } from '../../core/index.ts';
import { readAll } from '../../files/index.ts';

// The container of PyTorch's files is a zip archive (PKWARE APPNOTE 6.3) whose entries are stored as they are, over 4 GiB with the
// 64-bit fields of ZIP64. All numbers are little-endian.
//
//   entries     local header, name, extra, bytes
//   directory   for each entry: method, sum, sizes, place of the local header, name, extra
//   end         place and size of the directory; where they do not fit, those of the ZIP64 end before it

/** Bytes of a file under a name. */
export interface ZipEntry {
  readonly name: string;
  /** Place of its local header. */
  readonly header: number;
  readonly size: number;
  /** CRC-32 of its bytes; 0 where the writer left it out. */
  readonly sum: number;
}

/** An archive that is open for reading. */
export interface Archive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** All bytes of an entry. Throws HalomeshError where the file ends before, or they are not those that were written. */
  read(entry: ZipEntry): Promise<Buffer>;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const DIRECTORY = 0x02014b50;
const LOCAL = 0x04034b50;
/** Bytes of the end without its comment, and the longest comment. */
const END_BYTES = 22;
const MOST_COMMENT = 0xffff;
/** A directory above this is a sign that the file is something else. */
const MOST_DIRECTORY = 2 ** 28;
/** Bytes of an entry at most: what one array of bytes holds on every system. */
const MOST_ENTRY = 2 ** 32 - 1;
const HINT = 'Was it cut off or changed when it was copied?';

/** Reads the directory of an archive of so many bytes. Throws HalomeshError that names the file where there is none. */
export async function openArchive(file: string, handle: FileHandle, size: number): Promise<Archive> {
  const reader = new Reader(file, handle, size);
  const { start, length, count } = await reader.end();
  const directory = await reader.bytes(start, length, 'the list of entries');
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let n = 0; n < count; n++) {
    const [entry, bytes] = reader.entry(directory, at);
    if (entries.has(entry.name)) reader.damaged(`one entry "${entry.name}"`, 'two');
    entries.set(entry.name, entry);
    at += bytes;
  }
  return { entries, read: (entry) => reader.read(entry, start) };
}

class Reader {
  private readonly file: string;
  private readonly handle: FileHandle;
  private readonly size: number;

  constructor(file: string, handle: FileHandle, size: number) {
    this.file = file;
    this.handle = handle;
    this.size = size;
  }

  damaged(expected: string, found: string): never {
    return fail({ where: this.file, problem: 'is no whole zip archive', expected, found, hint: HINT });
  }

  /** Bytes of the file; `what` they are, for the message. */
  async bytes(from: number, length: number, what: string): Promise<Buffer> {
    if (!Number.isSafeInteger(from + length) || from + length > this.size)
      this.damaged(`${what} within ${this.size} bytes`, `bytes ${from} to ${from + length}`);
    const bytes = Buffer.alloc(length);
    if (!(await readAll(this.handle, bytes, from))) this.damaged(what, 'the end of the file');
    return bytes;
  }

  /** Where the directory lies, and of how many entries. */
  async end(): Promise<{ start: number; length: number; count: number }> {
    const from = Math.max(0, this.size - END_BYTES - MOST_COMMENT);
    const tail = await this.bytes(from, this.size - from, 'the end of the archive');
    let at = tail.length - END_BYTES;
    while (at >= 0 && tail.readUInt32LE(at) !== END) at--;
    if (at < 0) this.damaged('the end of the archive', 'none');
    const short = {
      count: tail.readUInt16LE(at + 10),
      length: tail.readUInt32LE(at + 12),
      start: tail.readUInt32LE(at + 16),
    };
    const wide = short.count === 0xffff || short.length === 0xffffffff || short.start === 0xffffffff;
    const { start, length, count } = wide ? await this.end64(from + at) : short;
    if (length > MOST_DIRECTORY || count > length)
      this.damaged(`a list of at most ${MOST_DIRECTORY} bytes`, `${length} bytes for ${count} entries`);
    return { start, length, count };
  }

  private async end64(endAt: number): Promise<{ start: number; length: number; count: number }> {
    if (endAt < 20) this.damaged('the 64-bit end of the archive', 'none');
    const locator = await this.bytes(endAt - 20, 20, 'the place of the 64-bit end');
    if (locator.readUInt32LE(0) !== LOCATOR_64) this.damaged('the place of the 64-bit end', 'none');
    const end = await this.bytes(this.long(locator, 8), 56, 'the 64-bit end of the archive');
    if (end.readUInt32LE(0) !== END_64) this.damaged('the 64-bit end of the archive', 'other bytes');
    return { count: this.long(end, 32), length: this.long(end, 40), start: this.long(end, 48) };
  }

  /** A 64-bit number that a place or a size can be. */
  private long(bytes: Buffer, at: number): number {
    const value = bytes.readBigUInt64LE(at);
    return value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : this.damaged(`a place or size within ${this.size} bytes`, `${value}`);
  }

  /** An entry of the directory, and how many bytes it takes there. */
  entry(directory: Buffer, at: number): [entry: ZipEntry, bytes: number] {
    const whole = (bytes: number) => at + bytes <= directory.length;
    if (!whole(46) || directory.readUInt32LE(at) !== DIRECTORY)
      this.damaged('an entry of the archive', 'other bytes');
    const u16 = (offset: number) => directory.readUInt16LE(at + offset);
    const u32 = (offset: number) => directory.readUInt32LE(at + offset);
    const bytes = 46 + u16(28) + u16(30) + u16(32);
    if (!whole(bytes)) this.damaged('an entry of the archive', 'the end of the list');
    const name = directory.toString('utf8', at + 46, at + 46 + u16(28));
    const extra = directory.subarray(at + 46 + u16(28), at + 46 + u16(28) + u16(30));
    const [size, packed, header] = this.places(extra, [u32(24), u32(20), u32(42)], name);
    if ((u16(8) & 1) !== 0 || u16(10) !== 0 || packed !== size)
      fail({
        where: this.file,
        problem: `entry "${name}" is packed or encrypted`,
        expected: 'entries that are stored as they are',
        found: `method ${u16(10)}`,
        hint: 'Load the file in PyTorch and save it again with torch.save',
      });
    return [{ name, header, size, sum: u32(16) }, bytes];
  }

  /** Sizes and place of an entry, those that do not fit 32 bits from its extra field. */
  private places(extra: Buffer, short: readonly number[], name: string): number[] {
    if (short.every((value) => value !== 0xffffffff)) return [...short];
    let wide: Buffer = Buffer.alloc(0);
    for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
      if (extra.readUInt16LE(at) === 1) wide = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    let at = 0;
    return short.map((value) => {
      if (value !== 0xffffffff) return value;
      if (at + 8 > wide.length) this.damaged(`64-bit sizes of entry "${name}"`, 'none');
      at += 8;
      return this.long(wide, at - 8);
    });
  }

  /** Bytes of an entry, which lies before the directory. */
  async read({ name, header, size, sum }: ZipEntry, directory: number): Promise<Buffer> {
    const local = await this.bytes(header, 30, `the header of entry "${name}"`);
    if (local.readUInt32LE(0) !== LOCAL) this.damaged(`the header of entry "${name}"`, 'other bytes');
    const from = header + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
    if (from + size > directory)
      this.damaged(`entry "${name}" up to byte ${directory}`, `${size} bytes from ${from}`);
    if (size > MOST_ENTRY)
      fail({
        where: this.file,
        problem: `entry "${name}" is too large`,
        expected: `at most ${MOST_ENTRY} bytes`,
        found: `${size}`,
        hint: 'Save the tensors that share this storage each as a copy: tensor.clone()',
      });
    const bytes = await this.bytes(from, size, `entry "${name}"`);
    if (sum !== 0 && crc32(bytes) !== sum)
      fail({
        where: this.file,
        problem: `entry "${name}" is damaged: its bytes are not those that were written`,
        hint: HINT,
      });
    return bytes;
  }
}
