import { GLYPHS, MARKS, SIDE_CARON } from './glyphs.ts';
import type { Color, Point, Raster } from './raster.ts';

/** Stands for characters that the font lacks. */
const UNKNOWN = '0,0 0,8 4.6,8 4.6,0 0,0';
const GAP = 2.6;
const SPACE = 3;
const MOST_ROUND = 3.2;

interface Glyph {
  readonly strokes: Strokes;
  readonly width: number;
}

const glyphs = new Map<string, Glyph>();

/** `character`: one as a reader sees it, its marks with it. */
function glyphOf(character: string): Glyph {
  let glyph = glyphs.get(character);
  if (!glyph) {
    const strokes = strokesOf(character) ?? outlines(UNKNOWN);
    const xs = strokes.flat().map(([x]) => x);
    // A mark may be wider than its letter.
    const left = Math.min(0, ...xs);
    glyph = { strokes: moved(strokes, -left, 0), width: Math.max(0, ...xs) - left };
    glyphs.set(character, glyph);
  }
  return glyph;
}

/** Whether the font has a character. */
export const isDrawn = (character: string): boolean => strokesOf(character) !== undefined;

type Strokes = readonly (readonly Point[])[];

/** A character by itself, or a letter with marks above and below it. Undefined where the font lacks any of it. */
function strokesOf(character: string): Strokes | undefined {
  const whole = GLYPHS[character];
  if (whole !== undefined) return outlines(whole);
  const [letter, ...marks] = [...character.normalize('NFD')];
  const dotless = marks.some((mark) => MARKS[mark]?.above) ? (DOTLESS[letter] ?? letter) : letter;
  const base = GLYPHS[dotless];
  if (base === undefined || marks.length === 0) return undefined;
  const strokes = [...outlines(base)];
  const points = strokes.flat();
  const right = Math.max(...points.map(([x]) => x));
  let top = Math.max(7, ...points.map(([, y]) => y));
  for (const mark of marks) {
    const known = MARKS[mark];
    if (known === undefined) return undefined;
    if (mark === CARON && TALL.includes(letter)) strokes.push(...moved(outlines(SIDE_CARON), right, 0));
    else strokes.push(...moved(outlines(known.strokes), right / 2, known.above ? top : 0));
    if (known.above && mark !== HORN) top += 3;
  }
  return strokes;
}

const CARON = '\u030c';
const HORN = '\u031b';
/** Letters whose caron stands beside them. */
const TALL = 'dltL';
/** What a letter is below a mark. */
const DOTLESS: Readonly<Record<string, string>> = { i: 'ı', j: 'ȷ' };

const outlines = (strokes: string): Strokes => strokes.split(';').map(outline);

const moved = (strokes: Strokes, right: number, up: number): Strokes =>
  strokes.map((stroke) => stroke.map(([x, y]): Point => [x + right, y + up]));

/** A stroke as the points of a line, with its rounded corners as arcs. A single point takes room and draws nothing. */
function outline(stroke: string): Point[] {
  const corners = stroke.split(' ').map((text) => {
    const [x, y] = text.replace('~', '').split(',').map(Number);
    return { at: [x, y] as Point, round: text.endsWith('~') };
  });
  const points: Point[] = [];
  corners.forEach(({ at, round }, n) => {
    if (!round) {
      points.push(at);
      return;
    }
    // Two rounded corners share the line between them.
    const arm = (other: (typeof corners)[number]): readonly [Point, number] => {
      const length = Math.hypot(other.at[0] - at[0], other.at[1] - at[1]);
      return [
        [(other.at[0] - at[0]) / length, (other.at[1] - at[1]) / length],
        other.round ? length / 2 : length,
      ];
    };
    const [[ax, ay], roomA] = arm(corners[n - 1]);
    const [[bx, by], roomB] = arm(corners[n + 1]);
    const radius = Math.min(MOST_ROUND, roomA, roomB);
    for (let i = 0; i <= 6; i++) {
      // Cubic Bezier whose control points make a right angle's corner a quarter of a circle.
      const t = i / 6;
      const a = radius * (1 - t) ** 2 * (1 - t + 3 * t * 0.4477);
      const b = radius * t ** 2 * (t + 3 * (1 - t) * 0.4477);
      points.push([at[0] + ax * a + bx * b, at[1] + ay * a + by * b]);
    }
  });
  return points;
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The characters of a text as a reader counts them; a letter and its marks are one. */
const plain = (text: string): string[] =>
  Array.from(segmenter.segment(text.normalize('NFC')), ({ segment }) => segment);

export interface TextStyle {
  readonly color: Color;
  /** Height of the capitals in pixels. */
  readonly size?: number;
  /** Width of the lines in pixels. */
  readonly weight?: number;
  readonly align?: 'left' | 'center' | 'right';
  /** Written upwards, turned by 90 degrees; the point is then the middle, left end or right end of the text all the same. */
  readonly upwards?: boolean;
}

const DEFAULT_SIZE = 10;

/** Width in pixels of a text on one line. */
export function textWidth(text: string, size = DEFAULT_SIZE): number {
  const units = plain(text).reduce(
    (sum, character) => sum + GAP + (character === ' ' ? SPACE : glyphOf(character).width),
    -GAP,
  );
  return (Math.max(0, units) * size) / 10;
}

/** Writes one line of text; (x, y) is on its baseline. */
export function drawText(raster: Raster, text: string, [x, y]: Point, style: TextStyle): void {
  const { color, size = DEFAULT_SIZE, align = 'left', upwards = false } = style;
  const weight = style.weight ?? Math.max(1.15, size * 0.135);
  const scale = size / 10;
  const shift = { left: 0, center: 0.5, right: 1 }[align] * textWidth(text, size);
  let pen = -shift;
  for (const character of plain(text)) {
    if (character === ' ') {
      pen += (SPACE + GAP) * scale;
      continue;
    }
    const { strokes, width } = glyphOf(character);
    const lines = strokes
      .filter((stroke) => stroke.length > 1)
      .map((stroke) =>
        stroke.map(([u, v]): Point => {
          const [along, up] = [pen + u * scale, v * scale];
          return upwards ? [x - up, y - along] : [x + along, y - up];
        }),
      );
    raster.stroke(lines, color, weight);
    pen += (width + GAP) * scale;
  }
}
