import { mkdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import type { PictureBox } from '../../imaging/index.ts';
import type { PyramidLevel, SlideSource } from './slide-source.ts';

const [pack, unpack] = [promisify(deflate), promisify(inflate)];

/** Pixels of a tile along each side. */
export const TILE = 512;
/** A tile is read from a level of the file that is at most so many times finer, and else made of tiles of the level below. */
const MOST_FINER = 4;
/** How much finer or coarser a level of a file may be than a half, a quarter..., as sizes are rounded. */
const ROUNDED = 1.02;
/** Tiles that are read from the file at a time. */
const AT_ONCE = 2;
/** Bytes of tiles that stay in memory. */
const KEPT = 2 ** 24;

/** A tile: its samples, interleaved. */
export interface Tile extends PyramidLevel {
  readonly samples: Uint8Array;
}

/**
 * The levels of a slide, each half as large as the one before, in tiles, whatever levels its file has: means of its pixels, or the
 * labels in their middles. A tile is read from the file where that has a level near to it. What lies further from all of them is made of four
 * tiles of the level below, and kept in a folder; so is the smallest level of a file without any, with a few tiles in memory at a time.
 */
export class Pyramid {
  readonly source: SlideSource;
  /** From the largest to the one that is a single tile. */
  readonly levels: readonly PyramidLevel[];
  private readonly folder: string;
  private readonly made = new Set<string>();
  private readonly making = new Map<string, Promise<Tile>>();
  private readonly kept = new Map<string, Tile>();
  private keptBytes = 0;
  private readonly turns = new Turns(AT_ONCE);

  /** `folder`: for the tiles that are made. */
  constructor(source: SlideSource, folder: string) {
    this.source = source;
    this.folder = folder;
    const levels = [{ height: source.levels[0].height, width: source.levels[0].width }];
    for (
      let factor = 2;
      Math.max(levels[levels.length - 1].height, levels[levels.length - 1].width) > TILE;
    ) {
      const [{ height, width }] = levels;
      levels.push({ height: Math.ceil(height / factor), width: Math.ceil(width / factor) });
      factor *= 2;
    }
    this.levels = levels;
  }

  /** The pixels of a tile; undefined where there is none. */
  boxOf(level: number, column: number, row: number): PictureBox | undefined {
    const size = this.levels[level];
    if (size === undefined || column < 0 || row < 0) return undefined;
    const [row0, column0] = [row * TILE, column * TILE];
    if (!(row0 < size.height && column0 < size.width)) return undefined;
    const [row1, column1] = [Math.min(row0 + TILE, size.height), Math.min(column0 + TILE, size.width)];
    return { row0, row1, column0, column1 };
  }

  /** A tile of a level. Throws ImagingError where the file is damaged, and RangeError where there is no such tile. */
  tile(level: number, column: number, row: number): Promise<Tile> {
    const key = `${level}_${column}_${row}`;
    const known = this.kept.get(key);
    if (known !== undefined) {
      // A map runs in the order of insertion: the first is the one unused for longest.
      this.kept.delete(key);
      this.kept.set(key, known);
      return Promise.resolve(known);
    }
    const before = this.making.get(key);
    if (before !== undefined) return before;
    const making = this.make(key, level, column, row).finally(() => this.making.delete(key));
    this.making.set(key, making);
    return making;
  }

  /** A tile with so many pixels of its neighbours around it, where there are some. */
  async tileWithMargin(level: number, column: number, row: number, margin: number): Promise<Tile> {
    const box = this.boxOf(level, column, row) ?? noSuchTile();
    const { height, width } = this.levels[level];
    const wide: PictureBox = {
      row0: Math.max(0, box.row0 - margin),
      row1: Math.min(height, box.row1 + margin),
      column0: Math.max(0, box.column0 - margin),
      column1: Math.min(width, box.column1 + margin),
    };
    const { channels } = this.source;
    const across = wide.column1 - wide.column0;
    const samples = new Uint8Array((wide.row1 - wide.row0) * across * channels);
    for (let y = Math.floor(wide.row0 / TILE); y * TILE < wide.row1; y++)
      for (let x = Math.floor(wide.column0 / TILE); x * TILE < wide.column1; x++) {
        const tile = await this.tile(level, x, y);
        const [top, left] = [y * TILE, x * TILE];
        const [column0, column1] = [Math.max(left, wide.column0), Math.min(left + tile.width, wide.column1)];
        for (let at = Math.max(top, wide.row0); at < Math.min(top + tile.height, wide.row1); at++) {
          const from = ((at - top) * tile.width + column0 - left) * channels;
          const to = ((at - wide.row0) * across + column0 - wide.column0) * channels;
          samples.set(tile.samples.subarray(from, from + (column1 - column0) * channels), to);
        }
      }
    return { height: wide.row1 - wide.row0, width: across, samples };
  }

  private async make(key: string, level: number, column: number, row: number): Promise<Tile> {
    const box = this.boxOf(level, column, row) ?? noSuchTile();
    const size = { height: box.row1 - box.row0, width: box.column1 - box.column0 };
    const file = path.join(this.folder, key);
    if (this.made.has(key)) return this.keep(key, { ...size, samples: await unpack(await readFile(file)) });
    const near = this.nearestLevel(2 ** level);
    if (2 ** level / this.scaleOf(near) <= MOST_FINER * ROUNDED) {
      const samples = await this.turns.take(() => this.read(near, level, box));
      return this.keep(key, { ...size, samples });
    }
    const samples = await this.ofFour(level, column, row, size);
    mkdirSync(this.folder, { recursive: true });
    await writeFile(file, await pack(samples, { level: 1 }));
    this.made.add(key);
    return this.keep(key, { ...size, samples });
  }

  private keep(key: string, tile: Tile): Tile {
    if (!this.kept.has(key)) this.keptBytes += tile.samples.length;
    this.kept.set(key, tile);
    for (const [other, { samples }] of this.kept) {
      if (this.keptBytes <= KEPT || other === key) break;
      this.kept.delete(other);
      this.keptBytes -= samples.length;
    }
    return tile;
  }

  private scaleOf(stored: number): number {
    const { levels } = this.source;
    return levels[0].width >= levels[0].height
      ? levels[0].width / levels[stored].width
      : levels[0].height / levels[stored].height;
  }

  /** The smallest level of the file that is not coarser. */
  private nearestLevel(scale: number): number {
    const found = this.source.levels.findLastIndex((_, n) => this.scaleOf(n) <= scale * ROUNDED);
    return Math.max(0, found);
  }

  /** A box of a level from a level of the file. */
  private async read(near: number, level: number, box: PictureBox): Promise<Uint8Array> {
    const { source } = this;
    const stored = source.levels[near];
    const rows = placesOf(
      box.row0,
      box.row1,
      (stored.height * 2 ** level) / source.levels[0].height,
      stored.height,
      source.labels,
    );
    const columns = placesOf(
      box.column0,
      box.column1,
      (stored.width * 2 ** level) / source.levels[0].width,
      stored.width,
      source.labels,
    );
    const part: PictureBox = { row0: rows.from, row1: rows.to, column0: columns.from, column1: columns.to };
    const samples = new Uint8Array((part.row1 - part.row0) * (part.column1 - part.column0) * source.channels);
    await source.read(near, part, samples);
    return reduced(samples, part.column1 - part.column0, rows, columns, source.channels);
  }

  private async ofFour(level: number, column: number, row: number, size: PyramidLevel): Promise<Uint8Array> {
    const { channels, labels } = this.source;
    const out = new Uint8Array(size.height * size.width * channels);
    for (const [down, right] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]) {
      const [x, y] = [2 * column + right, 2 * row + down];
      if (this.boxOf(level - 1, x, y) === undefined) continue;
      const tile = await this.tile(level - 1, x, y);
      const rows = placesOf(0, Math.ceil(tile.height / 2), 2, tile.height, labels);
      const columns = placesOf(0, Math.ceil(tile.width / 2), 2, tile.width, labels);
      const part = reduced(tile.samples, tile.width, rows, columns, channels);
      const across = columns.starts.length;
      const half = TILE / 2;
      for (let y2 = 0; y2 < rows.starts.length; y2++)
        out.set(
          part.subarray(y2 * across * channels, (y2 + 1) * across * channels),
          ((down * half + y2) * size.width + right * half) * channels,
        );
    }
    return out;
  }
}

function noSuchTile(): never {
  throw new RangeError('there is no such tile');
}

/** Where the pixels of a level lie along one axis of a finer one. */
interface Places {
  /** The pixels that are read, up to, and without, the last. */
  readonly from: number;
  readonly to: number;
  /** Of each pixel the first that it covers, counted from `from`, and the first beyond. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Pixels `first` to `last` of a level whose pixels are `ratio` of another, which has `size`. `middle`: the one in the middle of each alone. */
function placesOf(first: number, last: number, ratio: number, size: number, middle: boolean): Places {
  const count = last - first;
  const [starts, ends] = [new Int32Array(count), new Int32Array(count)];
  for (let n = 0; n < count; n++) {
    const at = middle ? (first + n + 0.5) * ratio : (first + n) * ratio + 1e-6;
    starts[n] = Math.min(size - 1, Math.floor(at));
    ends[n] = middle ? starts[n] + 1 : Math.max(starts[n] + 1, Math.min(size, Math.floor(at + ratio)));
  }
  const [from, to] = [starts[0], ends[count - 1]];
  for (let n = 0; n < count; n++) [starts[n], ends[n]] = [starts[n] - from, ends[n] - from];
  return { from, to, starts, ends };
}

/** The mean of what each pixel covers; `width`: samples' pixels in a row. */
function reduced(
  samples: Uint8Array,
  width: number,
  rows: Places,
  columns: Places,
  channels: number,
): Uint8Array {
  const [height, across] = [rows.starts.length, columns.starts.length];
  const out = new Uint8Array(height * across * channels);
  for (let y = 0, n = 0; y < height; y++)
    for (let x = 0; x < across; x++)
      for (let channel = 0; channel < channels; channel++, n++) {
        let sum = 0;
        for (let row = rows.starts[y]; row < rows.ends[y]; row++)
          for (let column = columns.starts[x]; column < columns.ends[x]; column++)
            sum += samples[(row * width + column) * channels + channel];
        out[n] = Math.round(sum / ((rows.ends[y] - rows.starts[y]) * (columns.ends[x] - columns.starts[x])));
      }
  return out;
}

/** Lets so many at a time go on, in the order in which they came. */
class Turns {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(count: number) {
    this.free = count;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    }
  }
}
