import { inParallel } from '../../volume/in-parallel.ts';
import type { PictureBox, PictureSamples, PictureTiles } from './picture-types.ts';

/** Tiles that are read and unpacked at a time. */
const AT_ONCE = 4;

/** Unpacked tiles of a picture, kept in memory up to a number of bytes; the one unused for longest goes first. */
export class TileCache {
  private readonly picture: PictureTiles;
  private readonly limitBytes: number;
  private readonly kept = new Map<string, { readonly tile: Promise<PictureSamples>; bytes: number }>();
  private held = 0;

  constructor(picture: PictureTiles, limitBytes: number) {
    this.picture = picture;
    this.limitBytes = limitBytes;
  }

  private get(level: number, row: number, column: number): Promise<PictureSamples> {
    const key = `${level}/${row}/${column}`;
    const known = this.kept.get(key);
    // A map runs in the order of insertion: the first is the one unused for longest.
    if (known !== undefined) {
      this.kept.delete(key);
      this.kept.set(key, known);
      return known.tile;
    }
    const entry = { tile: this.picture.tile(level, row, column), bytes: 0 };
    this.kept.set(key, entry);
    entry.tile.then(
      (samples) => {
        if (this.kept.get(key) !== entry) return;
        entry.bytes = samples.byteLength;
        this.held += entry.bytes;
        for (const [other, { bytes }] of this.kept) {
          if (this.held <= this.limitBytes || other === key) break;
          this.kept.delete(other);
          this.held -= bytes;
        }
      },
      () => this.kept.delete(key),
    );
    return entry.tile;
  }

  /** Puts the samples of a box of a level into `out`, interleaved. */
  async read(level: number, box: PictureBox, out: PictureSamples): Promise<void> {
    const { levels, channels } = this.picture;
    const { tileHeight, tileWidth } = levels[level];
    const width = box.column1 - box.column0;
    await inParallel(tilesOf(box, tileHeight, tileWidth), AT_ONCE, async ([row, column]) => {
      const tile = await this.get(level, row, column);
      const [top, left] = [row * tileHeight, column * tileWidth];
      const [row0, row1] = [Math.max(top, box.row0), Math.min(top + tileHeight, box.row1)];
      const [column0, column1] = [Math.max(left, box.column0), Math.min(left + tileWidth, box.column1)];
      for (let at = row0; at < row1; at++) {
        const from = ((at - top) * tileWidth + column0 - left) * channels;
        const to = ((at - box.row0) * width + column0 - box.column0) * channels;
        out.set(tile.subarray(from, from + (column1 - column0) * channels), to);
      }
    });
  }
}

/** Rows and columns of the tiles that a box touches. */
function* tilesOf(
  { row0, row1, column0, column1 }: PictureBox,
  tileHeight: number,
  tileWidth: number,
): Generator<readonly [number, number]> {
  if (row1 <= row0 || column1 <= column0) return;
  for (let row = Math.floor(row0 / tileHeight); row * tileHeight < row1; row++)
    for (let column = Math.floor(column0 / tileWidth); column * tileWidth < column1; column++)
      yield [row, column];
}
