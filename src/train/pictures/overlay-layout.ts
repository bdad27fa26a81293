import {
  captionWidth,
  headerWidth,
  legendWidth,
  MARGIN,
  type OverlayFrame,
  viewsOf,
} from './overlay-frame.ts';
import type { Area } from './raster.ts';
import { VIEWS } from './slice.ts';

// Where the slices of an overlay go.

const HEADER = 44;
const CAPTION = 24;
const FOOTER = 40;
const MOST_WIDTH = 1440;
const MOST_HEIGHT = 640;
/** Pixels per mm. */
const MOST_SCALE = 4;

export interface OverlayLayout {
  /** Axial, coronal, sagittal; of a picture one. */
  readonly panels: readonly Area[];
  /** Pixels per mm. */
  readonly scale: number;
  readonly width: number;
  readonly height: number;
}

/** Column and row of each slice. */
type Places = readonly (readonly [column: number, row: number])[];

/** Where the axial, coronal and sagittal slice stand: column and row. Slices of a column share their width, of a row their height. */
const ARRANGEMENTS = [
  // Beside each other.
  [
    [0, 0],
    [1, 0],
    [2, 0],
  ],
  // Coronal above sagittal, beside the axial one, which is as high as both.
  [
    [0, 0],
    [1, 0],
    [1, 1],
  ],
  // Below each other: for slabs of few axial slices.
  [
    [0, 0],
    [0, 1],
    [0, 2],
  ],
  // Axial above coronal, sagittal beside the coronal one: for slabs of few coronal slices.
  [
    [0, 0],
    [0, 1],
    [1, 1],
  ],
] as const;
const ALONE = [[[0, 0]]] as const;

/** The arrangement that shows the slices largest and leaves least of the picture empty. */
export function layoutOf(options: OverlayFrame, labels: readonly number[]): OverlayLayout {
  const mm = options.shape.map((n, axis) => n * options.spacing[axis]);
  // A picture takes up to a pixel for each of its own.
  const mostScale = options.picture
    ? Math.max(MOST_SCALE, 1 / Math.min(options.spacing[1], options.spacing[2]))
    : MOST_SCALE;
  const sizes = viewsOf(options).map((view) => ({
    width: mm[VIEWS[view].columns],
    height: mm[VIEWS[view].rows],
    caption: captionWidth(options, view),
  }));
  const arrangements: readonly Places[] = options.picture ? ALONE : ARRANGEMENTS;
  const found = arrangements.map((places) => arranged(sizes, places, mostScale));
  const best = found.reduce((a, b) => (worth(b) > worth(a) * 1.001 ? b : a));
  const texts = Math.max(legendWidth(options, labels, best.scale), headerWidth(options)) + 2 * MARGIN;
  return { ...best, width: Math.ceil(Math.max(best.width, texts)), height: best.height + FOOTER };
}

/** Grows with the scale, and with the share of the picture that slices fill. */
function worth({ panels, scale, width, height }: OverlayLayout): number {
  const filled = panels.reduce((sum, panel) => sum + panel.width * panel.height, 0);
  return (scale * filled) / (width * height);
}

/** Slices of the given mm at their places, as large as the picture may be. */
function arranged(
  sizes: readonly { readonly width: number; readonly height: number; readonly caption: number }[],
  places: Places,
  mostScale: number,
): OverlayLayout {
  // A slice beside several others reaches over all of their rows; no other layout has such.
  const tall = places.length === 3 && places[1][1] === 0 && places[2][1] === 1 && places[1][0] === 1;
  const rows = [0, 1, 2].filter((row) => places.some(([, r]) => r === row));
  const columns = [0, 1, 2].filter((column) => places.some(([c]) => c === column));
  const members = (axis: 0 | 1, at: number) => sizes.filter((_, n) => places[n][axis] === at);
  const widths = columns.map((column) => Math.max(...members(0, column).map(({ width }) => width)));
  const heights = rows.map((row) =>
    Math.max(...members(1, row).map((size) => (tall && size === sizes[0] ? 0 : size.height))),
  );
  const gaps = (rows.length - 1) * (CAPTION + MARGIN / 2);
  const across = widths.reduce((a, b) => a + b, 0);
  const down = heights.reduce((a, b) => a + b, 0);
  let scale = Math.min(
    (MOST_WIDTH - (columns.length + 1) * MARGIN) / across,
    (MOST_HEIGHT - gaps) / down,
    mostScale,
  );
  if (tall) scale = Math.min(scale, MOST_HEIGHT / sizes[0].height);
  const pixels = (mm: number): number => Math.max(1, Math.round(mm * scale));
  const lefts = columns.map((_, n) =>
    columns.slice(0, n).reduce((x, column) => {
      const wide = members(0, column).map(({ width, caption }) => Math.max(pixels(width), caption));
      return x + Math.max(...wide) + MARGIN;
    }, MARGIN),
  );
  const tops = rows.map((_, n) =>
    heights.slice(0, n).reduce((y, mm) => y + pixels(mm) + CAPTION + MARGIN / 2, HEADER + CAPTION),
  );
  const panels = sizes.map(({ width, height }, n) => ({
    x: lefts[places[n][0]],
    y: tops[places[n][1]],
    width: pixels(width),
    height: pixels(height),
  }));
  const right = Math.max(...panels.map((panel, n) => panel.x + Math.max(panel.width, sizes[n].caption)));
  const low = Math.max(...panels.map((panel) => panel.y + panel.height));
  return { panels, scale, width: right + MARGIN, height: low };
}
