import { drawText, textWidth } from './font.ts';
import { type Area, type Color, hex, type Point, type Raster } from './raster.ts';

// Line charts: axes with round ticks, a thin grid, lines and a legend.

/** Where numbers lie between the ends of an axis, and which of them are written at it. */
export interface Scale {
  /** 0 at the beginning of the axis, 1 at its end. */
  place(value: number): number;
  readonly ticks: readonly number[];
}

/** An even scale from `from` to `to`. */
export function linearScale(from: number, to: number, most = 6): Scale {
  // Ends so near to each other that rounding hides what is between them stand for one number.
  const end = to - from > 1e-9 * Math.max(Math.abs(from), Math.abs(to)) ? to : from + 1;
  const step = roundStep((end - from) / most);
  const first = Math.ceil(from / step - 1e-9);
  const ticks = Array.from(
    { length: Math.floor(end / step + 1e-9) - first + 1 },
    (_, n) => (first + n) * step,
  );
  return { place: (value) => (value - from) / (end - from), ticks };
}

/** A scale of powers, for positive numbers. */
export function logScale(from: number, to: number): Scale {
  const [low, high] = [Math.log10(from), Math.log10(to)];
  const digits = high - low > 2.5 ? [1] : high - low > 1.2 ? [1, 3] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++)
    for (const digit of digits) {
      const tick = digit * 10 ** power;
      if (tick >= from * 0.999 && tick <= to * 1.001) ticks.push(tick);
    }
  return { place: (value) => (Math.log10(value) - low) / (high - low), ticks };
}

/** The smallest of 1, 2 and 5 times a power of ten that is not below `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((digit) => digit * power >= least * 0.999) ?? 10) * power;
}

/** A number as short as the distance between its neighbours allows. */
export function tickText(value: number, ticks: readonly number[]): string {
  if (value === 0) return '0';
  const gaps = ticks.slice(1).map((tick, n) => tick - ticks[n]);
  const gap = Math.min(Math.abs(value), ...gaps);
  if (Math.abs(value) >= 1e6 || gap < 1e-4) return value.toExponential(0).replace('+', '');
  return value.toFixed(Math.max(0, -Math.floor(Math.log10(gap) + 1e-9)));
}

export interface Series {
  readonly name: string;
  readonly color: Color;
  readonly points: readonly Point[];
  /** In pixels. */
  readonly width: number;
  /** How strongly it covers what is below, 0 to 1. */
  readonly share: number;
  /** Draws the points themselves too. */
  readonly dots?: boolean;
  /** Stands in the legend. */
  readonly listed: boolean;
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly x: Scale;
  readonly y: Scale;
  readonly series: readonly Series[];
}

export const WHITE = hex('#ffffff');
export const INK = hex('#1f2937');
export const QUIET = hex('#6b7280');
const GRID = hex('#e5e7eb');
const AXIS = hex('#9ca3af');
const TICK_SIZE = 9;

/** Rows that the legend takes: at most three, and none where a single series is what the title says. */
function rowsOf(series: readonly Series[], room: number): number {
  const wide = series
    .filter(({ listed }) => listed)
    .reduce((sum, { name }) => sum + KEY_WIDTH + 28 + textWidth(name, TICK_SIZE), 0);
  return Math.min(3, Math.ceil(wide / (0.8 * room)));
}

/** Draws a chart into an area; its lines keep inside the axes. */
export function drawChart(raster: Raster, area: Area, { title, xLabel, x, y, series }: Chart): void {
  const tickTexts = y.ticks.map((tick) => tickText(tick, y.ticks));
  const left = Math.ceil(Math.max(...tickTexts.map((text) => textWidth(text, TICK_SIZE)), 20)) + 14;
  const room = area.width - left - 14;
  const legendRows = rowsOf(series, room);
  const top = 34 + legendRows * ROW;
  const plot = { x: area.x + left, y: area.y + top, width: room, height: area.height - top - 48 };
  const across = (value: number): number => plot.x + x.place(value) * plot.width;
  const down = (value: number): number => plot.y + (1 - y.place(value)) * plot.height;

  drawText(raster, title, [plot.x, area.y + 22], { color: INK, size: 12 });
  y.ticks.forEach((tick, n) => {
    const at = Math.round(down(tick));
    raster.fill({ x: plot.x, y: at, width: plot.width, height: 1 }, GRID);
    drawText(raster, tickTexts[n], [plot.x - 9, at + 5], { color: QUIET, size: TICK_SIZE, align: 'right' });
  });
  for (const tick of x.ticks) {
    const at = Math.round(across(tick));
    raster.fill({ x: at, y: plot.y, width: 1, height: plot.height }, GRID);
    const text = tickText(tick, x.ticks);
    drawText(raster, text, [at, plot.y + plot.height + 19], {
      color: QUIET,
      size: TICK_SIZE,
      align: 'center',
    });
  }
  raster.fill({ x: plot.x, y: plot.y + plot.height, width: plot.width + 1, height: 1 }, AXIS);
  raster.fill({ x: plot.x, y: plot.y, width: 1, height: plot.height }, AXIS);
  const middle = plot.x + plot.width / 2;
  drawText(raster, xLabel, [middle, plot.y + plot.height + 40], {
    color: QUIET,
    size: TICK_SIZE,
    align: 'center',
  });

  for (const { points, color, width, share, dots } of series) {
    const line = points.map(([u, v]): Point => [across(u), down(v)]);
    raster.stroke([line], color, width, share, plot);
    if (dots)
      raster.stroke(
        line.map((point) => [point]),
        color,
        width + 4,
        1,
      );
  }
  drawLegend(raster, plot, area.y + 44, legendRows, series);
}

/** In pixels. */
const KEY_WIDTH = 18;
const ROW = 16;

/** In rows from the left between title and plot: as many as there is room for, and how many series more there are. */
function drawLegend(
  raster: Raster,
  { x: left, width: room }: Area,
  y: number,
  rows: number,
  series: readonly Series[],
): void {
  const listed = series.filter(({ listed }) => listed);
  let [x, row] = [left, 0];
  for (const [n, { name, color, width, dots }] of listed.entries()) {
    const wide = KEY_WIDTH + 8 + textWidth(name, TICK_SIZE);
    if (x > left && x + wide > left + room) [x, row] = [left, row + 1];
    const more = `and ${listed.length - n} more`;
    const full =
      row === rows - 1 && n < listed.length - 1 && x + wide + 20 + textWidth(more, TICK_SIZE) > left + room;
    if (row >= rows || full) {
      drawText(raster, more, [x, y + Math.min(row, rows - 1) * ROW], { color: QUIET, size: TICK_SIZE });
      return;
    }
    const base = y + row * ROW;
    const key: Point[] = [
      [x, base - 4],
      [x + KEY_WIDTH, base - 4],
    ];
    raster.stroke([key], color, Math.max(2, width));
    if (dots) raster.stroke([[[x + KEY_WIDTH / 2, base - 4]]], color, width + 4);
    drawText(raster, name, [x + KEY_WIDTH + 8, base], { color: INK, size: TICK_SIZE });
    x += wide + 20;
  }
}
