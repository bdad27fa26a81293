import { make } from './dom.ts';

/** Points of one line; more of the same pixel are drawn as one. */
export interface Line {
  readonly name: string;
  readonly color: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dots?: boolean;
}

/** Colours of classes, as in the pictures of a run. */
export const COLORS = ['#56b4e9', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#f0e442'];

/** A line chart with its title and key, drawn anew at each call. */
export class Chart {
  readonly figure: HTMLElement;
  private readonly canvas = make('canvas');
  private readonly key = make('figcaption');
  private readonly range: readonly [number, number] | undefined;

  /** `range` of the values; by default what the lines have. */
  constructor(title: string, range?: readonly [number, number]) {
    this.range = range;
    this.canvas.setAttribute('aria-label', title);
    this.figure = make('figure', {}, make('h2', {}, title), this.canvas, this.key);
  }

  draw(lines: readonly Line[], last: number): void {
    this.key.replaceChildren(
      ...lines.map(({ name, color }) => {
        const text = make('span', {}, `${name}  `);
        text.style.color = color;
        return text;
      }),
    );
    const { canvas } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (width === 0) return;
    const scale = devicePixelRatio;
    [canvas.width, canvas.height] = [width * scale, height * scale];
    const pen = canvas.getContext('2d')!;
    pen.scale(scale, scale);
    const [low, high] = this.range ?? rangeOf(lines);
    const [left, right, top, bottom] = [52, width - 8, 8, height - 22];
    const across = (x: number): number => left + ((right - left) * x) / Math.max(1, last);
    const down = (y: number): number => bottom - ((bottom - top) * (y - low)) / (high - low || 1);
    pen.font = '11px system-ui';
    pen.fillStyle = '#98a1b3';
    pen.strokeStyle = '#2b303b';
    pen.textAlign = 'right';
    for (let n = 0; n <= 4; n++) {
      const value = low + ((high - low) * n) / 4;
      pen.strokeRect(left, down(value), right - left, 0);
      pen.fillText(`${Number(value.toPrecision(3))}`, left - 6, down(value) + 4);
    }
    pen.fillText(`step ${last}`, right, height - 6);
    pen.lineWidth = 2;
    for (const { color, points, dots } of lines) {
      pen.strokeStyle = color;
      pen.fillStyle = color;
      pen.beginPath();
      for (const [x, y] of points) pen.lineTo(across(x), down(y));
      pen.stroke();
      if (dots) for (const [x, y] of points) pen.fillRect(across(x) - 2, down(y) - 2, 4, 4);
    }
  }
}

function rangeOf(lines: readonly Line[]): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { points } of lines)
    for (const [, y] of points) {
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
  return low > high ? [0, 1] : [Math.min(0, low), high];
}
