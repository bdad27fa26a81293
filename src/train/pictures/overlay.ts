import { fail } from '../../core/index.ts';
import type { Shape3 } from '../../imaging/index.ts';
import { drawText, textWidth } from './font.ts';
import { type Area, type Color, hex, type Point, Raster } from './raster.ts';
import { bestSlices, contours, type Slice, sliceOf, VIEWS, type View } from './slice.ts';

/** A volume in canonical order, as `loadCase` gives it, with labels to outline. */
export interface OverlayOptions {
  /** [depth, height, width], shown from black (0) to white (1). */
  readonly image: Float32Array;
  readonly truth?: Uint8Array;
  readonly prediction?: Uint8Array;
  readonly shape: Shape3;
  /** Voxel size in mm. */
  readonly spacing: Shape3;
  /** The PNG to write. */
  readonly file: string;
  readonly title?: string;
  /** Names of labels 0, 1, 2...; label 0 is never outlined. */
  readonly classNames?: readonly string[];
  /** Dice by class name, written beside the title. */
  readonly dice?: Readonly<Record<string, number | null>>;
  /** The part of the image's values that is shown from black to white; by default the one that most tissue lies in. */
  readonly range?: readonly [from: number, to: number];
}

/** Outlines of labels 1, 2, 3...: [truth, prediction]. Further labels begin again. */
export const CLASS_COLORS: readonly (readonly [truth: Color, prediction: Color])[] = [
  [hex('#22d3ee'), hex('#fbbf24')],
  [hex('#4ade80'), hex('#f43f5e')],
  [hex('#a5b4fc'), hex('#e879f9')],
  [hex('#f5f5f4'), hex('#fb923c')],
];

const BACKGROUND = hex('#0b0d12');
const FRAME = hex('#2b303b');
const TEXT = hex('#e6e9ef');
const QUIET = hex('#98a1b3');
const MARGIN = 20;
const HEADER = 44;
const CAPTION = 24;
const FOOTER = 40;
const MOST_WIDTH = 1440;
const MOST_HEIGHT = 640;
const MOST_SCALE = 4;

const VIEW_NAMES = ['axial', 'coronal', 'sagittal'] as const;

/**
 * Draws three orthogonal slices through the largest labelled areas, to scale in mm, seen as radiologists do (the patient's right
 * on the left; letters at the edges), with the outlines of truth and prediction, and writes a PNG.
 */
export function drawOverlay(options: OverlayOptions): void {
  const { image, truth, prediction, shape, spacing, file } = options;
  const voxels = shape[0] * shape[1] * shape[2];
  for (const [name, map] of Object.entries({ image, truth, prediction }))
    if (map && map.length !== voxels)
      fail({
        where: file,
        problem: `voxels of the ${name}`,
        expected: `${voxels} for shape ${shape.join('x')}`,
        found: `${map.length}`,
      });
  const maps = [truth, prediction].filter((map) => map !== undefined);
  const at = bestSlices(maps, shape);
  const scale = pixelsPerMm(shape, spacing);
  const size = (axis: 0 | 1 | 2): number => Math.max(1, Math.round(shape[axis] * spacing[axis] * scale));
  const tallest = Math.max(...VIEW_NAMES.map((view) => size(VIEWS[view].rows)));
  const panels: Area[] = [];
  let x = MARGIN;
  for (const view of VIEW_NAMES) {
    const [width, height] = [size(VIEWS[view].columns), size(VIEWS[view].rows)];
    panels.push({ x, y: HEADER + CAPTION, width, height });
    x += Math.max(width, textWidth(caption(view, at[view], shape), CAPTION_SIZE)) + MARGIN;
  }
  const labels = labelsIn(maps);
  const narrowest = Math.max(legendWidth(options, labels), headerWidth(options)) + 2 * MARGIN;
  const raster = new Raster(Math.max(x, narrowest), HEADER + CAPTION + tallest + FOOTER, BACKGROUND);
  drawHeader(raster, options);
  const range = options.range ?? tissueRange(image);
  VIEW_NAMES.forEach((view, n) => {
    const area = panels[n];
    drawImage(raster, area, sliceOf(image, shape, view, at[view]), range);
    for (const [kind, map] of [truth, prediction].entries()) {
      if (!map) continue;
      const slice = sliceOf(map, shape, view, at[view]);
      for (const label of labels) drawContours(raster, area, slice, label, colorOf(label, kind), kind);
    }
    drawPanelText(raster, area, view, caption(view, at[view], shape));
  });
  drawLegend(raster, options, labels, scale);
  raster.save(file);
}

/** The largest scale at which the three slices fit. */
function pixelsPerMm(shape: Shape3, spacing: Shape3): number {
  const [depth, height, width] = shape.map((n, axis) => n * spacing[axis]);
  const across = (MOST_WIDTH - 4 * MARGIN) / (2 * width + height);
  return Math.min(across, MOST_HEIGHT / Math.max(height, depth), MOST_SCALE);
}

const colorOf = (label: number, kind: number): Color =>
  CLASS_COLORS[(label - 1) % CLASS_COLORS.length][kind];

function labelsIn(maps: readonly Uint8Array[]): number[] {
  const seen = new Set<number>();
  for (const map of maps) for (const label of map) if (label !== 0) seen.add(label);
  return [...seen].sort((a, b) => a - b);
}

/** What lies between the 3rd and the 99th percentile of all values that no end of the window cut off, and a little more. */
function tissueRange(image: Float32Array): readonly [number, number] {
  const bins = new Float64Array(256);
  let total = 0;
  for (const value of image) {
    if (!(value > 0 && value < 1)) continue;
    bins[Math.floor(value * 256)]++;
    total++;
  }
  if (total === 0) return [0, 1];
  const percentile = (share: number): number => {
    let [sum, bin] = [0, -1];
    while (sum < share * total) sum += bins[++bin];
    return bin / 256;
  };
  return [Math.max(0, percentile(0.03) - 0.04), Math.min(1, percentile(0.99) + 0.04)];
}

/** The slice in grey, interpolated between voxel centres. */
function drawImage(
  raster: Raster,
  area: Area,
  { data, columns, rows }: Slice<Float32Array>,
  [from, to]: readonly [number, number],
): void {
  for (let y = 0; y < area.height; y++) {
    const v = clamp(((y + 0.5) / area.height) * rows - 0.5, 0, rows - 1);
    const r = Math.min(Math.floor(v), Math.max(0, rows - 2));
    const below = rows > 1 ? columns : 0;
    for (let x = 0; x < area.width; x++) {
      const u = clamp(((x + 0.5) / area.width) * columns - 0.5, 0, columns - 1);
      const c = Math.min(Math.floor(u), Math.max(0, columns - 2));
      const beside = columns > 1 ? 1 : 0;
      const n = r * columns + c;
      const top = data[n] * (1 - u + c) + data[n + beside] * (u - c);
      const bottom = data[n + below] * (1 - u + c) + data[n + below + beside] * (u - c);
      const value = (top * (1 - v + r) + bottom * (v - r) - from) / (to - from);
      const grey = Math.round(255 * clamp(value, 0, 1));
      raster.blend(area.x + x, area.y + y, [grey, grey, grey], 1);
    }
  }
}

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

/** Truth is drawn first and thicker, so that both are seen where they agree. */
function drawContours(
  raster: Raster,
  area: Area,
  slice: Slice<Uint8Array>,
  label: number,
  color: Color,
  kind: number,
): void {
  const lines = contours(slice, label).map((line) =>
    line.map(
      ([c, r]): Point => [
        area.x + (c / slice.columns) * area.width,
        area.y + (r / slice.rows) * area.height,
      ],
    ),
  );
  raster.stroke(lines, color, kind === 0 ? 3 : 1.5, kind === 0 ? 0.85 : 1, area);
}

const TITLE_SIZE = 13;
const SCORES_SIZE = 11;

function scoresText({ dice }: OverlayOptions): string {
  const scores = Object.entries(dice ?? {}).map(
    ([name, score]) => `${name} ${score === null ? 'absent' : score.toFixed(3)}`,
  );
  return scores.length === 0 ? '' : `Dice: ${scores.join(', ')}`;
}

function headerWidth(options: OverlayOptions): number {
  return textWidth(options.title ?? '', TITLE_SIZE) + 24 + textWidth(scoresText(options), SCORES_SIZE);
}

function drawHeader(raster: Raster, options: OverlayOptions): void {
  const { title = '' } = options;
  drawText(raster, title, [MARGIN, 30], { color: TEXT, size: TITLE_SIZE });
  const x = MARGIN + (title === '' ? 0 : textWidth(title, TITLE_SIZE) + 24);
  drawText(raster, scoresText(options), [x, 30], { color: QUIET, size: SCORES_SIZE });
}

const CAPTION_SIZE = 9;

function caption(view: View, at: number, shape: Shape3): string {
  return `${view}, slice ${at + 1} of ${shape[VIEWS[view].across]}`;
}

function drawPanelText(raster: Raster, area: Area, view: View, text: string): void {
  const { x, y, width, height } = area;
  const frame: Point[] = [
    [x - 0.5, y - 0.5],
    [x + width + 0.5, y - 0.5],
    [x + width + 0.5, y + height + 0.5],
    [x - 0.5, y + height + 0.5],
    [x - 0.5, y - 0.5],
  ];
  raster.stroke([frame], FRAME, 1);
  drawText(raster, text, [x, y - 9], { color: QUIET, size: CAPTION_SIZE });
  const [left, right, top, bottom] = VIEWS[view].letters;
  const letter = (text: string, point: Point): void => {
    // Dark below light, so that it is read on any tissue.
    drawText(raster, text, point, { color: BACKGROUND, size: 11, align: 'center', weight: 4.5 });
    drawText(raster, text, point, { color: TEXT, size: 11, align: 'center' });
  };
  const middle = y + height / 2 + 5.5;
  letter(left, [x + 12, middle]);
  letter(right, [x + width - 12, middle]);
  if (height < 60) return;
  letter(top, [x + width / 2, y + 18]);
  letter(bottom, [x + width / 2, y + height - 8]);
}

/** What the legend shows: a line and a text each. */
function legendEntries(
  { truth, prediction, classNames }: OverlayOptions,
  labels: readonly number[],
): { readonly text: string; readonly color: Color; readonly kind: number }[] {
  const kinds = [truth && 'truth', prediction && 'prediction'];
  return labels.flatMap((label) =>
    kinds.flatMap((kind, n) => {
      if (!kind) return [];
      return [{ text: `${classNames?.[label] ?? `label ${label}`}, ${kind}`, color: colorOf(label, n), kind: n }];
    }),
  );
}

const LEGEND_SIZE = 10;
const KEY = 26;
const SCALE_BAR_MM = 50;

function legendWidth(options: OverlayOptions, labels: readonly number[]): number {
  const texts = legendEntries(options, labels).map(({ text }) => KEY + 8 + textWidth(text, LEGEND_SIZE) + 26);
  return texts.reduce((a, b) => a + b, 0) + 60 + SCALE_BAR_MM * MOST_SCALE;
}

function drawLegend(raster: Raster, options: OverlayOptions, labels: readonly number[], scale: number): void {
  const y = raster.height - 15;
  let x = MARGIN;
  for (const { text, color, kind } of legendEntries(options, labels)) {
    const line: Point[] = [
      [x + 2, y - 5],
      [x + KEY - 2, y - 5],
    ];
    raster.stroke([line], color, kind === 0 ? 4 : 2);
    drawText(raster, text, [x + KEY + 8, y], { color: TEXT, size: LEGEND_SIZE });
    x += KEY + 8 + textWidth(text, LEGEND_SIZE) + 26;
  }
  const bar = SCALE_BAR_MM * scale;
  const right = raster.width - MARGIN;
  const ends: Point[][] = [
    [
      [right - bar, y - 5],
      [right, y - 5],
    ],
    [
      [right - bar, y - 9],
      [right - bar, y - 1],
    ],
    [
      [right, y - 9],
      [right, y - 1],
    ],
  ];
  raster.stroke(ends, QUIET, 1.2);
  drawText(raster, `${SCALE_BAR_MM} mm`, [right - bar - 8, y], {
    color: QUIET,
    size: LEGEND_SIZE,
    align: 'right',
  });
}
