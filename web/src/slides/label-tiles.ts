import type { ShownFile, ShownSlide } from '../../../src/view/protocol.ts';
import { classesOf, tileOf } from './slide-data.ts';

/** Tiles of a label map whose classes stay in memory: some 50 MB. */
const KEPT = 200;

/** A tile of a label map with its neighbours' pixels around it. */
interface LabelTile {
  readonly classes: Uint8Array;
  /** Pixels of a row, those of neighbours among them. */
  readonly across: number;
  /** Pixels of neighbours before the first row and column. */
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** How labels are drawn. */
export interface LabelStyle {
  /** Red, green, blue and alpha of each label; what has no colour is clear. */
  readonly colors: readonly (readonly [number, number, number, number])[];
  /** The edges of labels alone. */
  readonly outlines: boolean;
}

/** The classes of a label map of a slide, tile by tile. */
export class LabelTiles {
  readonly shown: ShownSlide;
  private readonly file: ShownFile;
  private readonly kept = new Map<string, Promise<LabelTile>>();
  /** What has come. */
  private readonly here = new Map<string, LabelTile>();

  constructor(file: ShownFile, shown: ShownSlide) {
    [this.file, this.shown] = [file, shown];
  }

  /** A tile, drawn. `level`: counted from the largest. */
  async draw(
    level: number,
    column: number,
    row: number,
    style: LabelStyle,
  ): Promise<CanvasRenderingContext2D> {
    return drawn(await this.get(level, column, row), style, this.shown.margin ?? 0);
  }

  /** The class of a pixel of the largest level, as the finest tile that has come tells it; undefined where none has. */
  classAt(x: number, y: number): number | undefined {
    const { levels, lowest, tile } = this.shown;
    for (let level = lowest; level < levels.length; level++) {
      const { height, width } = levels[level];
      const [column, row] = [
        Math.min(width - 1, Math.floor(x / 2 ** level)),
        Math.min(height - 1, Math.floor(y / 2 ** level)),
      ];
      const found = this.here.get(keyOf(level, Math.floor(column / tile), Math.floor(row / tile)));
      if (found !== undefined)
        return found.classes[((row % tile) + found.top) * found.across + (column % tile) + found.left];
    }
    return undefined;
  }

  private get(level: number, column: number, row: number): Promise<LabelTile> {
    const key = keyOf(level, column, row);
    const known = this.kept.get(key) ?? this.load(level, column, row);
    // A map runs in the order of insertion: the first is the one unused for longest.
    this.kept.delete(key);
    this.kept.set(key, known);
    known.then(
      (tile) => {
        if (this.kept.has(key)) this.here.set(key, tile);
      },
      () => this.kept.delete(key),
    );
    for (const other of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      this.kept.delete(other);
      this.here.delete(other);
    }
    return known;
  }

  private async load(level: number, column: number, row: number): Promise<LabelTile> {
    const classes = await classesOf(await tileOf(this.file, level, column, row));
    const { levels, tile, margin = 0 } = this.shown;
    const side = (at: number, size: number): readonly [before: number, own: number, all: number] => {
      const before = at === 0 ? 0 : margin;
      const own = Math.min(tile, size - at * tile);
      return [before, own, before + own + Math.min(margin, size - at * tile - own)];
    };
    const [top, height] = side(row, levels[level].height);
    const [left, width, across] = side(column, levels[level].width);
    return { classes, across, top, left, height, width };
  }
}

const keyOf = (level: number, column: number, row: number): string => `${level} ${column} ${row}`;

function drawn(tile: LabelTile, style: LabelStyle, margin: number): CanvasRenderingContext2D {
  const { classes, across, top, left, height, width } = tile;
  const image = new ImageData(width, height);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to += 4) {
      const at = (y + top) * across + x + left;
      const color = style.colors[classes[at]];
      if (color === undefined || color[3] === 0) continue;
      if (style.outlines && !isEdge(tile, x + left, y + top, at, margin)) continue;
      image.data.set(color, to);
    }
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d')!;
  context.putImageData(image, 0, 0);
  return context;
}

/** Whether another label is within `reach` pixels above, below, to the left or right. The edge of the slide is none. */
function isEdge({ classes, across }: LabelTile, x: number, y: number, at: number, reach: number): boolean {
  const label = classes[at];
  const rows = classes.length / across;
  for (let n = 1; n <= reach; n++) {
    if (x >= n && classes[at - n] !== label) return true;
    if (x + n < across && classes[at + n] !== label) return true;
    if (y >= n && classes[at - n * across] !== label) return true;
    if (y + n < rows && classes[at + n * across] !== label) return true;
  }
  return false;
}
