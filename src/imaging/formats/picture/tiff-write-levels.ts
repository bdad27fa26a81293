/** A range of pixels: rows and columns, from the first to the one behind the last. */
export interface PixelBox {
  readonly row0: number;
  readonly row1: number;
  readonly col0: number;
  readonly col1: number;
}

/** Pixels as they lie in tiles, row by row, the samples of a pixel beside each other. */
export type Pixels = Uint8Array | Uint16Array;

/** A tile whose pixels are all there. */
export interface WholeTile {
  readonly level: number;
  readonly row: number;
  readonly col: number;
  /** Pixels beyond the picture are 0. */
  readonly pixels: Pixels;
}

export interface PyramidOptions {
  readonly height: number;
  readonly width: number;
  readonly samples: 1 | 3;
  readonly type: 'uint8' | 'uint16';
  /** Rows and columns of a tile, an even number. */
  readonly tile: number;
  /** How a level is made of the one before it: the mean of 2 x 2 pixels, or the first of them, as numbers of classes need it. */
  readonly halve: 'mean' | 'first';
}

interface OpenTile {
  readonly pixels: Pixels;
  /** Pixels of the picture that are missing. */
  missing: number;
}

/**
 * The levels of a picture in the making, each half of the one before it, until one tile holds all. Pixels come in boxes in any order;
 * a tile is given away as soon as it is whole, and goes into the next level then. Only tiles that are begun and not whole are in
 * memory: of boxes along rows those that the last row of boxes cuts through.
 */
export class Pyramid {
  /** Rows and columns of each level. */
  readonly sizes: readonly { readonly height: number; readonly width: number }[];
  private readonly options: PyramidOptions;
  private readonly open: Map<number, OpenTile>[];

  constructor(options: PyramidOptions) {
    this.options = options;
    const sizes = [{ height: options.height, width: options.width }];
    for (let last = sizes[0]; Math.max(last.height, last.width) > options.tile; sizes.push(last))
      last = { height: Math.ceil(last.height / 2), width: Math.ceil(last.width / 2) };
    this.sizes = sizes;
    this.open = sizes.map(() => new Map());
  }

  /** Tiles of a level, down and to the right. */
  tiles(level: number): { readonly down: number; readonly along: number } {
    const { tile } = this.options;
    const { height, width } = this.sizes[level];
    return { down: Math.ceil(height / tile), along: Math.ceil(width / tile) };
  }

  /** Puts pixels of the first level in their place and gives the tiles of all levels that are whole by that. No pixel comes twice. */
  *put(box: PixelBox, pixels: Pixels): Iterable<WholeTile> {
    const { tile } = this.options;
    for (let row = Math.floor(box.row0 / tile); row * tile < box.row1; row++)
      for (let col = Math.floor(box.col0 / tile); col * tile < box.col1; col++)
        yield* this.putInto(0, { row, col }, box, pixels);
  }

  private *putInto(
    level: number,
    { row, col }: { readonly row: number; readonly col: number },
    box: PixelBox,
    pixels: Pixels,
  ): Iterable<WholeTile> {
    const { tile, samples } = this.options;
    const { along } = this.tiles(level);
    const tiles = this.open[level];
    const known = tiles.get(row * along + col);
    const inside = this.insideOf(level, row, col);
    const open = known ?? { pixels: this.blank(), missing: inside.rows * inside.cols };
    if (known === undefined) tiles.set(row * along + col, open);
    const [row0, row1] = [Math.max(box.row0, row * tile), Math.min(box.row1, (row + 1) * tile)];
    const [col0, col1] = [Math.max(box.col0, col * tile), Math.min(box.col1, (col + 1) * tile)];
    const stride = samples * (box.col1 - box.col0);
    for (let r = row0; r < row1; r++) {
      const from = (r - box.row0) * stride + samples * (col0 - box.col0);
      const to = samples * ((r - row * tile) * tile + (col0 - col * tile));
      open.pixels.set(pixels.subarray(from, from + samples * (col1 - col0)), to);
    }
    open.missing -= (row1 - row0) * (col1 - col0);
    if (open.missing > 0) return;
    tiles.delete(row * along + col);
    yield { level, row, col, pixels: open.pixels };
    if (level + 1 === this.sizes.length) return;
    const half = this.halved(open.pixels, inside);
    const [top, left] = [(row * tile) / 2, (col * tile) / 2];
    const target = { row0: top, row1: top + half.rows, col0: left, col1: left + half.cols };
    yield* this.putInto(level + 1, { row: row >> 1, col: col >> 1 }, target, half.pixels);
  }

  /** Tiles that are begun and not whole. */
  get unfinished(): number {
    return this.open.reduce((sum, tiles) => sum + tiles.size, 0);
  }

  private blank(): Pixels {
    const { tile, samples, type } = this.options;
    const length = tile * tile * samples;
    return type === 'uint8' ? new Uint8Array(length) : new Uint16Array(length);
  }

  /** Rows and columns of a tile that lie in the picture. */
  private insideOf(level: number, row: number, col: number): { rows: number; cols: number } {
    const { tile } = this.options;
    const { height, width } = this.sizes[level];
    return { rows: Math.min(tile, height - row * tile), cols: Math.min(tile, width - col * tile) };
  }

  /** A tile at half its size; the last row or column of an odd number stands for itself. */
  private halved(pixels: Pixels, inside: { rows: number; cols: number }) {
    const { tile, samples, halve } = this.options;
    const [rows, cols] = [Math.ceil(inside.rows / 2), Math.ceil(inside.cols / 2)];
    const half = pixels.slice(0, rows * cols * samples);
    for (let r = 0, at = 0; r < rows; r++) {
      const upper = 2 * r * tile * samples;
      const lower = 2 * r + 1 < inside.rows ? upper + tile * samples : upper;
      for (let c = 0; c < cols; c++) {
        const left = 2 * c * samples;
        const right = 2 * c + 1 < inside.cols ? left + samples : left;
        for (let s = 0; s < samples; s++, at++)
          half[at] =
            halve === 'first'
              ? pixels[upper + left + s]
              : (pixels[upper + left + s] +
                  pixels[upper + right + s] +
                  pixels[lower + left + s] +
                  pixels[lower + right + s] +
                  2) >>
                2;
      }
    }
    return { pixels: half, rows, cols };
  }
}
