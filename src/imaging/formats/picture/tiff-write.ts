import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { beginPartial, type PartialFile, writeProblem } from '../../../files/index.ts';
import { ImagingError } from '../../volume/errors.ts';
import { tiffHead } from './tiff-write-directory.ts';
import { type PixelBox, type Pixels, Pyramid, type WholeTile } from './tiff-write-levels.ts';
import { TileFile, writeAll } from './tiff-write-tiles.ts';

export type { PixelBox, Pixels } from './tiff-write-levels.ts';

/** A picture that is to be written. */
export interface TiffPicture {
  readonly height: number;
  readonly width: number;
  /** 1: grey, or numbers of classes; 3: red, green, blue. */
  readonly samples: 1 | 3;
  readonly type: 'uint8' | 'uint16';
  /** Numbers of classes, of which a smaller level takes one in four; else it has means. */
  readonly labels?: boolean;
  /** Red, green and blue (0 to 255) by value, for pictures of numbers. */
  readonly colours?: readonly (readonly [number, number, number])[];
  /** Microns from pixel to pixel, down and to the right. */
  readonly microns?: readonly [row: number, column: number];
  readonly description?: string;
  /** Rows and columns of a tile, a multiple of 16; 512 by default. */
  readonly tile?: number;
  /** How hard tiles are packed, 1 (fast) to 9 (small). */
  readonly level?: number;
  /** Bytes of the largest file that is classic TIFF; a larger one is BigTIFF. By default what 32 bits can address. */
  readonly mostClassicBytes?: number;
}

/** Takes rows of pixels, [rows, width, samples]. */
export type TakeRows = (row0: number, rows: number, pixels: Pixels) => Promise<void> | void;

/** A picture in the making; nothing has the final name before finish. */
export interface TiffWriter {
  /** Puts a box of pixels in its place; the array may be used again when this resolves. Boxes come in any order, no pixel twice. */
  put(box: PixelBox, pixels: Pixels): Promise<void>;
  /** Gives all pixels again, when all are put: rows of tiles from the top to the bottom. */
  eachRowOfTiles(take: TakeRows): Promise<void>;
  /** Ends the file and gives it its name. Throws ImagingError where pixels are missing. */
  finish(): Promise<void>;
  /** Gives up and removes what was written. Safe after any failure, also twice. */
  abort(): Promise<void>;
}

const packed = promisify(deflate) as (bytes: Uint8Array, options: { level: number }) => Promise<Buffer>;
const unpacked = promisify(inflate) as (bytes: Uint8Array) => Promise<Buffer>;

/** Tiles that are being packed beside the caller's work. */
const AT_ONCE = 6;

/** Packed tiles of one value that are kept: glass, and what classes are made of. */
const KEPT = 16;

/**
 * Begins a pyramid of tiles, deflated, as TIFF or BigTIFF. Tiles are packed and written to a file beside it as they get whole; at the
 * end they are copied in order, behind all directories. So boxes in another order give the same bytes, a reader finds everything
 * about the picture at its start, and memory holds only the tiles that are begun. Every failure is an ImagingError that names the
 * file, after which nothing of it is left.
 */
export async function createTiffWriter(file: string, picture: TiffPicture): Promise<TiffWriter> {
  check(file, picture);
  const target = begun(file);
  try {
    const tiles = new TileFile(begun(file));
    await tiles.open();
    return new Writer(file, picture, target, tiles);
  } catch (error) {
    target.discard();
    throw writeError(file, error);
  }
}

function check(file: string, { height, width, samples, type, tile = 512, colours }: TiffPicture): void {
  const refuse = (field: string, expected: string, found: string): never => {
    throw new ImagingError({ file, field, expected, found });
  };
  for (const [name, value] of Object.entries({ height, width }))
    if (!(Number.isInteger(value) && value > 0 && value < 2 ** 31))
      refuse(name, 'a whole number of pixels from 1 to 2^31 - 1', `${value}`);
  if (!(Number.isInteger(tile) && tile > 0 && tile % 16 === 0)) refuse('tile', 'a multiple of 16', `${tile}`);
  if (colours && (samples !== 1 || type !== 'uint8'))
    refuse('colours', 'a picture of one byte a pixel', `${samples} samples of ${type}`);
}

class Writer implements TiffWriter {
  private readonly file: string;
  private readonly picture: TiffPicture;
  private readonly target: PartialFile;
  private readonly tiles: TileFile;
  private readonly pyramid: Pyramid;
  private readonly tile: number;
  private readonly places: readonly { readonly at: Float64Array; readonly counts: Uint32Array }[];
  private readonly working = new Set<Promise<void>>();
  private readonly plain = new Map<string, Promise<Buffer>>();
  private failure: unknown;

  constructor(file: string, picture: TiffPicture, target: PartialFile, tiles: TileFile) {
    this.file = file;
    this.picture = picture;
    this.target = target;
    this.tiles = tiles;
    this.tile = picture.tile ?? 512;
    this.pyramid = new Pyramid({ ...picture, tile: this.tile, halve: picture.labels ? 'first' : 'mean' });
    this.places = this.pyramid.sizes.map((_, level) => {
      const { down, along } = this.pyramid.tiles(level);
      return { at: new Float64Array(down * along), counts: new Uint32Array(down * along) };
    });
  }

  put(box: PixelBox, pixels: Pixels): Promise<void> {
    return this.guarded(async () => {
      const { height, width, samples, type } = this.picture;
      const { row0, row1, col0, col1 } = box;
      const sound = 0 <= row0 && row0 < row1 && row1 <= height && 0 <= col0 && col0 < col1 && col1 <= width;
      const typed = type === 'uint8' ? pixels instanceof Uint8Array : pixels instanceof Uint16Array;
      if (!sound || !typed || pixels.length !== (row1 - row0) * (col1 - col0) * samples)
        throw new RangeError(
          `unreachable: pixels ${pixels.length} for rows ${row0}-${row1}, columns ${col0}-${col1}`,
        );
      for (const whole of this.pyramid.put(box, pixels)) {
        while (this.working.size >= AT_ONCE) await Promise.race(this.working);
        if (this.failure !== undefined) throw this.failure;
        const work: Promise<void> = this.store(whole)
          .catch((error: unknown) => {
            this.failure ??= error;
          })
          .finally(() => this.working.delete(work));
        this.working.add(work);
      }
    });
  }

  eachRowOfTiles(take: TakeRows): Promise<void> {
    return this.guarded(async () => {
      await this.whole();
      const { height, width, samples, type } = this.picture;
      const { tile } = this;
      const { down, along } = this.pyramid.tiles(0);
      for (let row = 0; row < down; row++) {
        const rows = Math.min(tile, height - row * tile);
        const length = rows * width * samples;
        const pixels = type === 'uint8' ? new Uint8Array(length) : new Uint16Array(length);
        for (let col = 0; col < along; col++) {
          const bytes = await unpacked(await this.packedTile(0, row * along + col));
          const from =
            type === 'uint8' ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
          const cols = Math.min(tile, width - col * tile) * samples;
          for (let r = 0; r < rows; r++) {
            const at = r * tile * samples;
            pixels.set(from.subarray(at, at + cols), (r * width + col * tile) * samples);
          }
        }
        await take(row * tile, rows, pixels);
      }
    });
  }

  finish(): Promise<void> {
    return this.guarded(async () => {
      await this.whole();
      const { samples, type, microns, colours, description, mostClassicBytes } = this.picture;
      const head = tiffHead(
        this.pyramid.sizes.map(({ height, width }, level) => ({
          ...{ height, width, samples, tile: this.tile, reduced: level > 0, colours },
          bits: type === 'uint8' ? 8 : 16,
          microns: microns && [microns[0] * 2 ** level, microns[1] * 2 ** level],
          description: level === 0 ? description : undefined,
          counts: this.places[level].counts,
        })),
        mostClassicBytes,
      );
      const out = await open(this.target.path, 'r+');
      try {
        await writeAll(out, head.bytes, 0);
        for (const [level, { counts }] of this.places.entries())
          for (let n = 0; n < counts.length; n++)
            await writeAll(out, await this.packedTile(level, n), head.offsets[level][n]);
        await out.sync();
      } finally {
        await out.close();
      }
      await this.tiles.discard();
      this.target.finish();
    });
  }

  async abort(): Promise<void> {
    await Promise.all(this.working);
    this.target.discard();
    await this.tiles.discard();
  }

  /** Waits for all tiles. */
  private async whole(): Promise<void> {
    await Promise.all(this.working);
    if (this.failure !== undefined) throw this.failure;
    const missing = this.places.reduce((sum, { counts }) => sum + counts.filter((n) => n === 0).length, 0);
    if (missing === 0) return;
    const found = `${missing} tiles that are not whole`;
    throw new ImagingError({ file: this.file, field: 'pixels', expected: 'all of the picture', found });
  }

  private async store({ level, row, col, pixels }: WholeTile): Promise<void> {
    const bytes = await this.pack(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength));
    const n = row * this.pyramid.tiles(level).along + col;
    this.places[level].at[n] = await this.tiles.append(bytes);
    this.places[level].counts[n] = bytes.length;
  }

  /** Deflates a tile; one whose pixels are all alike once for all. */
  private pack(bytes: Uint8Array): Promise<Buffer> {
    const { samples, type, labels, level = labels ? 4 : 1 } = this.picture;
    const pixel = samples * (type === 'uint8' ? 1 : 2);
    const alike = Buffer.compare(bytes.subarray(pixel), bytes.subarray(0, -pixel)) === 0;
    if (!alike) return packed(bytes, { level });
    const key = bytes.subarray(0, pixel).join();
    const known = this.plain.get(key) ?? packed(bytes, { level });
    if (this.plain.size < KEPT) this.plain.set(key, known);
    return known;
  }

  private packedTile(level: number, n: number): Promise<Uint8Array> {
    return this.tiles.read(this.places[level].at[n], this.places[level].counts[n]);
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      await this.abort();
      throw writeError(this.file, error);
    }
  }
}

function begun(file: string): PartialFile {
  try {
    return beginPartial(file);
  } catch (error) {
    throw writeError(file, error);
  }
}

function writeError(file: string, error: unknown): Error {
  if (error instanceof ImagingError || error instanceof RangeError) return error;
  return new ImagingError(writeProblem(file, error), { cause: error });
}
