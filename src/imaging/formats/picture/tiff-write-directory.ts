// The head of a TIFF file: its header and the directory of each level of a pyramid, one after the other, before all tiles. A file
// whose end lies below 4 GiB is classic TIFF (TIFF 6.0, 1992), a larger one BigTIFF, whose offsets have 8 bytes.

/** What a level of a pyramid is, and where its tiles lie. */
export interface TiffLevel {
  readonly height: number;
  readonly width: number;
  /** Rows and columns of a tile. */
  readonly tile: number;
  readonly samples: 1 | 3;
  readonly bits: 8 | 16;
  /** Whether it is a smaller copy of the level before it. */
  readonly reduced: boolean;
  /** Microns from pixel to pixel, down and to the right; absent where nobody knows. */
  readonly microns?: readonly [row: number, column: number];
  /** Red, green and blue (0 to 255) of the values 0 to 255. */
  readonly colours?: readonly (readonly [number, number, number])[];
  readonly description?: string;
  /** Packed bytes of each tile, row by row. */
  readonly counts: Uint32Array;
}

/** Types of entries: their numbers in files, and bytes of a value. */
const TYPES = {
  ascii: [2, 1],
  short: [3, 2],
  long: [4, 4],
  rational: [5, 8],
  long8: [16, 8],
} as const;

interface Entry {
  readonly tag: number;
  readonly type: keyof typeof TYPES;
  /** Of a rational two numbers each. */
  readonly values: ArrayLike<number>;
}

const DEFLATE = 8;
const CENTIMETRE = 3;

/** Bytes of the head of a file, and where each tile of each level lies in it. */
export interface TiffHead {
  readonly bytes: Uint8Array;
  readonly big: boolean;
  readonly offsets: readonly Float64Array[];
  /** Bytes of the whole file. */
  readonly end: number;
}

/** The head of a file whose tiles follow it, level by level and row by row. `most`: bytes of the largest classic file. */
export function tiffHead(levels: readonly TiffLevel[], most = 2 ** 32 - 1): TiffHead {
  const classic = laidOut(levels, false);
  return classic.end <= most ? classic : laidOut(levels, true);
}

function laidOut(levels: readonly TiffLevel[], big: boolean): TiffHead {
  const start = big ? 16 : 8;
  const length = levels.reduce((sum, level) => {
    return sum + directoryBytes(entriesOf(level, new Float64Array(level.counts.length), big), big);
  }, start);
  let end = length;
  const offsets = levels.map(({ counts }) =>
    Float64Array.from(counts, (count) => {
      const at = end;
      end += count;
      return at;
    }),
  );
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49]);
  view.setUint16(2, big ? 43 : 42, true);
  if (big) view.setUint16(4, 8, true);
  putOffset(view, big ? 8 : 4, start, big);
  let at = start;
  for (const [n, level] of levels.entries()) {
    const entries = entriesOf(level, offsets[n], big);
    const next = at + directoryBytes(entries, big);
    putDirectory(view, at, entries, { big, next: n === levels.length - 1 ? 0 : next });
    at = next;
  }
  return { bytes, big, offsets, end };
}

function entriesOf(level: TiffLevel, offsets: Float64Array, big: boolean): Entry[] {
  const { height, width, tile, samples, bits, reduced, microns, colours, description, counts } = level;
  const each = (value: number): number[] => Array.from({ length: samples }, () => value);
  const photometric = samples === 3 ? 2 : colours ? 3 : 1;
  const entries: Entry[] = [
    { tag: 254, type: 'long', values: [reduced ? 1 : 0] },
    { tag: 256, type: 'long', values: [width] },
    { tag: 257, type: 'long', values: [height] },
    { tag: 258, type: 'short', values: each(bits) },
    { tag: 259, type: 'short', values: [DEFLATE] },
    { tag: 262, type: 'short', values: [photometric] },
    { tag: 277, type: 'short', values: [samples] },
    { tag: 284, type: 'short', values: [1] },
    { tag: 317, type: 'short', values: [1] },
    { tag: 322, type: 'long', values: [tile] },
    { tag: 323, type: 'long', values: [tile] },
    { tag: 324, type: big ? 'long8' : 'long', values: offsets },
    { tag: 325, type: 'long', values: counts },
    { tag: 339, type: 'short', values: each(1) },
  ];
  if (description !== undefined)
    entries.push({ tag: 270, type: 'ascii', values: new TextEncoder().encode(`${description}\0`) });
  if (microns !== undefined) {
    const [row, column] = microns;
    entries.push(
      { tag: 282, type: 'rational', values: fraction(1e4 / column) },
      { tag: 283, type: 'rational', values: fraction(1e4 / row) },
      { tag: 296, type: 'short', values: [CENTIMETRE] },
    );
  }
  if (colours !== undefined) {
    // All reds, then all greens, then all blues, as 16 bits.
    const values = [0, 1, 2].flatMap((channel) =>
      Array.from({ length: 256 }, (_, value) => 257 * (colours[value]?.[channel] ?? 0)),
    );
    entries.push({ tag: 320, type: 'short', values });
  }
  return entries.sort((a, b) => a.tag - b.tag);
}

const countOf = ({ type, values }: Entry): number => values.length / (type === 'rational' ? 2 : 1);
const sizeOf = (entry: Entry): number => countOf(entry) * TYPES[entry.type][1];
/** Values that do not fit into their entry lie behind the directory, at even places. */
const roomOf = (entry: Entry, big: boolean): number => {
  const size = sizeOf(entry);
  return size <= (big ? 8 : 4) ? 0 : size + (size % 2);
};

function directoryBytes(entries: readonly Entry[], big: boolean): number {
  const table = big ? 16 + 20 * entries.length : 6 + 12 * entries.length;
  return table + entries.reduce((sum, entry) => sum + roomOf(entry, big), 0);
}

function putDirectory(
  view: DataView,
  at: number,
  entries: readonly Entry[],
  { big, next }: { readonly big: boolean; readonly next: number },
): void {
  if (big) view.setBigUint64(at, BigInt(entries.length), true);
  else view.setUint16(at, entries.length, true);
  let entryAt = at + (big ? 8 : 2);
  let room = entryAt + (big ? 20 : 12) * entries.length + (big ? 8 : 4);
  for (const entry of entries) {
    view.setUint16(entryAt, entry.tag, true);
    view.setUint16(entryAt + 2, TYPES[entry.type][0], true);
    putOffset(view, entryAt + 4, countOf(entry), big);
    const inside = entryAt + (big ? 12 : 8);
    const outside = roomOf(entry, big);
    if (outside > 0) putOffset(view, inside, room, big);
    putValues(view, outside > 0 ? room : inside, entry);
    room += outside;
    entryAt += big ? 20 : 12;
  }
  putOffset(view, entryAt, next, big);
}

function putValues(view: DataView, at: number, { type, values }: Entry): void {
  for (let n = 0; n < values.length; n++) {
    const value = values[n];
    if (type === 'ascii') view.setUint8(at + n, value);
    else if (type === 'short') view.setUint16(at + 2 * n, value, true);
    else if (type === 'long8') view.setBigUint64(at + 8 * n, BigInt(value), true);
    else view.setUint32(at + 4 * n, value, true);
  }
}

function putOffset(view: DataView, at: number, value: number, big: boolean): void {
  if (big) view.setBigUint64(at, BigInt(value), true);
  else view.setUint32(at, value, true);
}

/**
 * The nearest fraction of two 32-bit numbers, by continued fractions: a number of microns with a few digits comes back as it was.
 */
function fraction(value: number): [numerator: number, denominator: number] {
  let [above, below, lastAbove, lastBelow] = [Math.floor(value), 1, 1, 0];
  let rest = value - above;
  while (above / below !== value && rest > 0) {
    const turned = 1 / rest;
    const whole = Math.floor(turned);
    const [nextAbove, nextBelow] = [whole * above + lastAbove, whole * below + lastBelow];
    if (nextAbove >= 2 ** 32 || nextBelow >= 2 ** 32) break;
    [above, below, lastAbove, lastBelow] = [nextAbove, nextBelow, above, below];
    rest = turned - whole;
  }
  return [above, below];
}
