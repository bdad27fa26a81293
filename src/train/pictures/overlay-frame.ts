import type { Shape3 } from '../../imaging/index.ts';
import { drawText, textWidth } from './font.ts';
import { type Area, type Color, hex, type Point, type Raster } from './raster.ts';
import { VIEW_NAMES, VIEWS, type View } from './slice.ts';

// What stands around the slices of an overlay: where they go, title, captions, letters of the directions, legend.

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

/** What is drawn around slices; truth and prediction count as there where they are given, whatever they are. */
export type OverlayFrame = Omit<OverlayOptions, 'image' | 'truth' | 'prediction'> & {
  readonly truth?: unknown;
  readonly prediction?: unknown;
};

/** Outlines of labels 1, 2, 3...: [truth, prediction]. Further labels begin again. */
export const CLASS_COLORS: readonly (readonly [truth: Color, prediction: Color])[] = [
  [hex('#22d3ee'), hex('#fbbf24')],
  [hex('#4ade80'), hex('#f43f5e')],
  [hex('#a5b4fc'), hex('#e879f9')],
  [hex('#f5f5f4'), hex('#fb923c')],
];

/** The colour of a label's outline; kind 0 is truth, 1 prediction. */
export function colorOf(label: number, kind: number): Color {
  return CLASS_COLORS[(label - 1) % CLASS_COLORS.length][kind];
}

export const BACKGROUND = hex('#0b0d12');
const FRAME = hex('#2b303b');
const TEXT = hex('#e6e9ef');
const QUIET = hex('#98a1b3');
const MARGIN = 20;
const HEADER = 44;
const CAPTION = 24;
const FOOTER = 40;
const MOST_WIDTH = 1440;
const MOST_HEIGHT = 640;
/** Pixels per mm. */
const MOST_SCALE = 4;
/** Panels are at least as far apart as their captions are wide. */
const CAPTION_ROOM = 170;

export interface OverlayLayout {
  /** Axial, coronal, sagittal. */
  readonly panels: readonly Area[];
  /** Pixels per mm. */
  readonly scale: number;
  readonly width: number;
  readonly height: number;
}

/** Three slices in a row, or the coronal above the sagittal beside the axial one: whichever shows them larger. */
export function layoutOf(options: OverlayFrame, labels: readonly number[]): OverlayLayout {
  const [depth, height, width] = options.shape.map((n, axis) => n * options.spacing[axis]);
  const fit = (mmAcross: number, margins: number, mmDown: number, captions: number): number =>
    Math.min(
      (MOST_WIDTH - margins * MARGIN) / mmAcross,
      (MOST_HEIGHT - captions * CAPTION) / mmDown,
      MOST_SCALE,
    );
  const row = fit(2 * width + height, 4, Math.max(height, depth), 0);
  const stack = Math.min(
    fit(width + Math.max(width, height), 3, height, 0),
    fit(width + Math.max(width, height), 3, 2 * depth, 2),
  );
  const stacked = stack > row;
  const scale = stacked ? stack : row;
  const size = (mm: number): number => Math.max(1, Math.round(mm * scale));
  const panels: Area[] = [];
  let [x, y] = [MARGIN, HEADER + CAPTION];
  VIEW_NAMES.forEach((view, n) => {
    const sizes = [depth, height, width];
    const panel = { x, y, width: size(sizes[VIEWS[view].columns]), height: size(sizes[VIEWS[view].rows]) };
    panels.push(panel);
    if (stacked && n > 0) y += panel.height + CAPTION + MARGIN / 2;
    else x += Math.max(panel.width, CAPTION_ROOM) + MARGIN;
  });
  const right = Math.max(...panels.map((panel) => panel.x + Math.max(panel.width, CAPTION_ROOM)));
  const low = Math.max(...panels.map((panel) => panel.y + panel.height));
  const texts = Math.max(legendWidth(options, labels, scale), headerWidth(options)) + 2 * MARGIN;
  return { panels, scale, width: Math.ceil(Math.max(right + MARGIN, texts)), height: low + FOOTER };
}

const TITLE_SIZE = 13;
const SCORES_SIZE = 11;

function scoresText({ dice }: OverlayFrame): string {
  const scores = Object.entries(dice ?? {}).map(
    ([name, score]) => `${name} ${score === null ? 'absent' : score.toFixed(3)}`,
  );
  return scores.length === 0 ? '' : `Dice: ${scores.join(', ')}`;
}

function headerWidth(options: OverlayFrame): number {
  return textWidth(options.title ?? '', TITLE_SIZE) + 24 + textWidth(scoresText(options), SCORES_SIZE);
}

export function drawHeader(raster: Raster, options: OverlayFrame): void {
  const { title = '' } = options;
  drawText(raster, title, [MARGIN, 30], { color: TEXT, size: TITLE_SIZE });
  const x = MARGIN + (title === '' ? 0 : textWidth(title, TITLE_SIZE) + 24);
  drawText(raster, scoresText(options), [x, 30], { color: QUIET, size: SCORES_SIZE });
}

const CAPTION_SIZE = 9;

/** Frame, caption and letters of a slice. */
export function drawPanelText(raster: Raster, area: Area, view: View, at: number, shape: Shape3): void {
  const { x, y, width, height } = area;
  const frame: Point[] = [
    [x - 0.5, y - 0.5],
    [x + width + 0.5, y - 0.5],
    [x + width + 0.5, y + height + 0.5],
    [x - 0.5, y + height + 0.5],
    [x - 0.5, y - 0.5],
  ];
  raster.stroke([frame], FRAME, 1);
  const text = `${view}, slice ${at + 1} of ${shape[VIEWS[view].across]}`;
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
  { truth, prediction, classNames }: OverlayFrame,
  labels: readonly number[],
): { readonly text: string; readonly color: Color; readonly kind: number }[] {
  const kinds = [truth && 'truth', prediction && 'prediction'];
  return labels.flatMap((label) =>
    kinds.flatMap((kind, n) => {
      if (!kind) return [];
      return [
        { text: `${classNames?.[label] ?? `label ${label}`}, ${kind}`, color: colorOf(label, n), kind: n },
      ];
    }),
  );
}

const LEGEND_SIZE = 10;
const KEY = 26;
const SCALE_BAR_MM = 50;

function legendWidth(options: OverlayFrame, labels: readonly number[], scale: number): number {
  const texts = legendEntries(options, labels).map(({ text }) => KEY + 8 + textWidth(text, LEGEND_SIZE) + 26);
  return texts.reduce((a, b) => a + b, 0) + 60 + SCALE_BAR_MM * scale;
}

export function drawLegend(
  raster: Raster,
  options: OverlayFrame,
  labels: readonly number[],
  scale: number,
): void {
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
