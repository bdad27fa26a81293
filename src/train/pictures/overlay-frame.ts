import { type Affine, applyAffine, type IntensityWindow, type Shape3 } from '../../imaging/index.ts';
import { CLASS_HEX } from '../config/class-colors.ts';
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
  /** The HU that are 0 and 1 of the image: what is shown of them is written beside the title. */
  readonly window?: IntensityWindow;
  /** Maps (width, height, depth) indices to RAS+ mm: captions say where a slice is. */
  readonly affine?: Affine;
  /** Whether it is a picture, of depth 1: shown once and as it lies in its file, not as slices of a patient. */
  readonly picture?: boolean;
}

/** What is drawn around slices; truth and prediction count as there where they are given, whatever they are. */
export type OverlayFrame = Omit<OverlayOptions, 'image' | 'truth' | 'prediction'> & {
  readonly truth?: unknown;
  readonly prediction?: unknown;
};

/** The views that are drawn. */
export const viewsOf = ({ picture }: Pick<OverlayFrame, 'picture'>): readonly View[] =>
  picture ? ['axial'] : VIEW_NAMES;

/** The colours of labels 1, 2, 3...: [truth, prediction]. */
export const CLASS_COLORS = CLASS_HEX.map(([truth, prediction]) => [hex(truth), hex(prediction)] as const);

/** The colour of a label's outline; kind 0 is truth, 1 prediction. */
export function colorOf(label: number, kind: number): Color {
  return CLASS_COLORS[(label - 1) % CLASS_COLORS.length][kind];
}

export const BACKGROUND = hex('#0b0d12');
const FRAME = hex('#2b303b');
const TEXT = hex('#e6e9ef');
const QUIET = hex('#98a1b3');
export const MARGIN = 20;

const TITLE_SIZE = 13;
const SCORES_SIZE = 11;

function scoresText({ dice }: OverlayFrame): string {
  const scores = Object.entries(dice ?? {}).map(
    ([name, score]) => `${name} ${score === null ? 'absent' : score.toFixed(3)}`,
  );
  return scores.length === 0 ? '' : `Dice: ${scores.join(', ')}`;
}

/** What is shown from black to white, in HU. */
function windowText({ window, range: [from, to] = [0, 1] }: OverlayFrame): string {
  if (window === undefined) return '';
  const hu = (value: number): number => Math.round(window.lower + value * (window.upper - window.lower));
  return `window ${hu(from)} to ${hu(to)} HU`;
}

const headerFacts = (options: OverlayFrame): string =>
  [scoresText(options), windowText(options)].filter((text) => text !== '').join('   ');

export function headerWidth(options: OverlayFrame): number {
  return textWidth(options.title ?? '', TITLE_SIZE) + 24 + textWidth(headerFacts(options), SCORES_SIZE);
}

export function drawHeader(raster: Raster, options: OverlayFrame): void {
  const { title = '' } = options;
  drawText(raster, title, [MARGIN, 30], { color: TEXT, size: TITLE_SIZE });
  const x = MARGIN + (title === '' ? 0 : textWidth(title, TITLE_SIZE) + 24);
  drawText(raster, headerFacts(options), [x, 30], { color: QUIET, size: SCORES_SIZE });
}

const CAPTION_SIZE = 9;

/** Letters of the directions in which x, y and z of RAS+ mm grow and fall. */
const SIDES = [
  ['R', 'L'],
  ['A', 'P'],
  ['S', 'I'],
] as const;

/** Which slice it is, and where its middle is in mm. */
function captionText({ shape, spacing, affine, picture }: OverlayFrame, view: View, at: number): string {
  if (picture) return `${shape[2]} x ${shape[1]} pixels of ${lengthText(spacing[2])}`;
  const { across } = VIEWS[view];
  const slice = `${view}, slice ${at + 1} of ${shape[across]}`;
  if (affine === undefined) return slice;
  const [depth, height, width] = shape.map((n, axis) => (axis === across ? at : (n - 1) / 2));
  const mm = applyAffine(affine, [width, height, depth])[2 - across];
  const [more, less] = SIDES[2 - across];
  return `${slice}, ${mm < 0 ? less : more} ${Math.abs(mm).toFixed(1)} mm`;
}

/** In pixels, of the caption of any slice. */
export const captionWidth = (options: OverlayFrame, view: View): number =>
  Math.ceil(textWidth(captionText(options, view, options.shape[VIEWS[view].across] - 1), CAPTION_SIZE));

/** Frame, caption and letters of a slice. */
export function drawPanelText(
  raster: Raster,
  options: OverlayFrame,
  area: Area,
  view: View,
  at: number,
): void {
  const { x, y, width, height } = area;
  const frame: Point[] = [
    [x - 0.5, y - 0.5],
    [x + width + 0.5, y - 0.5],
    [x + width + 0.5, y + height + 0.5],
    [x - 0.5, y + height + 0.5],
    [x - 0.5, y - 0.5],
  ];
  raster.stroke([frame], FRAME, 1);
  drawText(raster, captionText(options, view, at), [x, y - 9], { color: QUIET, size: CAPTION_SIZE });
  const [left, right, top, bottom] = VIEWS[view].letters;
  const letter = (text: string, point: Point): void => {
    // Dark below light, so that it is read on any tissue.
    drawText(raster, text, point, { color: BACKGROUND, size: 11, align: 'center', weight: 4.5 });
    drawText(raster, text, point, { color: TEXT, size: 11, align: 'center' });
  };
  if (options.picture || height < 24) return;
  const middle = y + height / 2 + 5.5;
  letter(left, [x + 12, middle]);
  letter(right, [x + width - 12, middle]);
  if (height < 60) return;
  letter(top, [x + width / 2, y + 18]);
  letter(bottom, [x + width / 2, y + height - 8]);
}

/** Stripes of a fill: kind 0 rises to the right, 1 falls. Whether a pixel lies on one. */
export const onStripe = (x: number, y: number, kind: number): boolean =>
  (kind === 0 ? x + y : x - y + 7 * 4096) % 7 < 2;

const FILL_TEXTS = ['only truth', 'only prediction'] as const;

/** What the legend says of fills, where there are two maps to tell apart. */
const fillTexts = ({ truth, prediction }: OverlayFrame, labels: readonly number[]): readonly string[] =>
  truth && prediction && labels.length > 0 ? FILL_TEXTS : [];

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
/** Pixels of the bar of a picture at most. */
const MOST_BAR = 200;

const lengthText = (mm: number): string =>
  mm < 1 ? `${Number((1000 * mm).toPrecision(3))} microns` : `${mm} mm`;

/** The length of the bar that shows the scale, in mm: of a picture the longest of 1, 2, 5, 10... that has room. */
function barOf({ picture }: OverlayFrame, scale: number): number {
  if (!picture) return SCALE_BAR_MM;
  const most = MOST_BAR / scale;
  const power = 10 ** Math.floor(Math.log10(most));
  return power * ([5, 2].find((digit) => digit * power <= most) ?? 1);
}

export function legendWidth(options: OverlayFrame, labels: readonly number[], scale: number): number {
  const all = [...legendEntries(options, labels).map(({ text }) => text), ...fillTexts(options, labels)];
  const texts = all.map((text) => KEY + 8 + textWidth(text, LEGEND_SIZE) + 26);
  return texts.reduce((a, b) => a + b, 0) + (options.picture ? 90 : 60) + barOf(options, scale) * scale;
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
  fillTexts(options, labels).forEach((text, kind) => {
    for (let j = y - 11; j < y + 2; j++)
      for (let i = x + 2; i < x + KEY - 2; i++)
        if (onStripe(Math.floor(i), j, kind)) raster.blend(Math.floor(i), j, QUIET, 1);
    drawText(raster, text, [x + KEY + 8, y], { color: TEXT, size: LEGEND_SIZE });
    x += KEY + 8 + textWidth(text, LEGEND_SIZE) + 26;
  });
  const mm = barOf(options, scale);
  const bar = mm * scale;
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
  drawText(raster, lengthText(mm), [right - bar - 8, y], {
    color: QUIET,
    size: LEGEND_SIZE,
    align: 'right',
  });
}
