import type { Color, Point, Raster } from './raster.ts';

// A small font of our own, drawn with lines of even width. A glyph is strokes, a stroke is points "x,y" on a grid: baseline 0,
// capitals up to 10, small letters up to 7, tails down to -3. A point that ends in ~ is a rounded corner.

const bowl = '5.2,3.5 5.2,7~ 0,7~ 0,0~ 5.2,0~ 5.2,3.5';

const GLYPHS: Readonly<Record<string, string>> = {
  A: '0,0 3.5,10 7,0;1.2,3.4 5.8,3.4',
  B: '3,5.3 5.4,5.3~ 5.4,10~ 0,10 0,0 6,0~ 6,5.3~ 0,5.3',
  C: '6,7.6 6,10~ 0,10~ 0,0~ 6,0~ 6,2.4',
  D: '0,0 0,10 6.2,10~ 6.2,0~ 0,0',
  E: '5.4,10 0,10 0,0 5.4,0;0,5.2 4.6,5.2',
  F: '5.4,10 0,10 0,0;0,5.1 4.6,5.1',
  G: '6,7.8 6,10~ 0,10~ 0,0~ 6.2,0~ 6.2,4.6 3.6,4.6',
  H: '0,0 0,10;6,0 6,10;0,5.1 6,5.1',
  I: '0,0 0,10',
  J: '4.5,10 4.5,0~ 0,0~ 0,2.2',
  K: '0,0 0,10;5.6,10 0,3.8;2,5.8 6,0',
  L: '0,10 0,0 5,0',
  M: '0,0 0,10 4,2.6 8,10 8,0',
  N: '0,0 0,10 6.4,0 6.4,10',
  O: '3.3,10 6.6,10~ 6.6,0~ 0,0~ 0,10~ 3.3,10',
  P: '0,0 0,10 5.8,10~ 5.8,4.4~ 0,4.4',
  Q: '3.3,10 6.6,10~ 6.6,0~ 0,0~ 0,10~ 3.3,10;3.9,2.6 7,-0.8',
  R: '0,0 0,10 5.8,10~ 5.8,4.4~ 0,4.4;3,4.4 6,0',
  S: '5.8,7.8 5.8,10~ 0,10~ 0,5.2~ 5.9,5.2~ 5.9,0~ 0,0~ 0,2.2',
  T: '0,10 6.4,10;3.2,10 3.2,0',
  U: '0,10 0,0~ 6.2,0~ 6.2,10',
  V: '0,10 3.3,0 6.6,10',
  W: '0,10 2.4,0 4.8,9 7.2,0 9.6,10',
  X: '0,0 6.2,10;0,10 6.2,0',
  Y: '0,10 3.1,4.8 6.2,10;3.1,4.8 3.1,0',
  Z: '0,10 6,10 0,0 6,0',
  a: '0.3,5.4 0.3,7~ 4.8,7~ 4.8,0;4.8,4.1 0,4.1~ 0,0~ 4.8,0~ 4.8,2.2',
  b: '0,10 0,0;0,3.5 0,7~ 5.2,7~ 5.2,0~ 0,0~ 0,3.5',
  c: '4.7,5.2 4.7,7~ 0,7~ 0,0~ 4.7,0~ 4.7,1.8',
  d: `5.2,10 5.2,0;${bowl}`,
  e: '0,3.6 5.2,3.6 5.2,7~ 0,7~ 0,0~ 5,0~ 5,1.6',
  f: '3.6,10 1.2,10~ 1.2,0;0,7 3.4,7',
  g: `5.2,7 5.2,-3~ 0.3,-3~ 0.3,-1.6;${bowl}`,
  h: '0,10 0,0;0,4 0,7~ 5,7~ 5,0',
  i: '0,7 0,0;0,9.7 0,9.9',
  j: '1.4,7 1.4,-3~ -0.2,-3;1.4,9.7 1.4,9.9',
  k: '0,10 0,0;4.6,7 0,2.6;1.7,4.2 4.9,0',
  l: '0,10 0,0~ 1.5,0',
  m: '0,7 0,0;0,4 0,7~ 4,7~ 4,0;4,4 4,7~ 8,7~ 8,0',
  n: '0,7 0,0;0,4 0,7~ 5,7~ 5,0',
  o: '2.6,7 5.2,7~ 5.2,0~ 0,0~ 0,7~ 2.6,7',
  p: '0,7 0,-3;0,3.5 0,7~ 5.2,7~ 5.2,0~ 0,0~ 0,3.5',
  q: `5.2,7 5.2,-3;${bowl}`,
  r: '0,7 0,0;0,4 0,7~ 3.2,7',
  s: '4.5,5.6 4.5,7~ 0,7~ 0,3.6~ 4.6,3.6~ 4.6,0~ 0,0~ 0,1.4',
  t: '1.2,9.2 1.2,0~ 3.6,0;0,7 3.4,7',
  u: '0,7 0,0~ 5,0~ 5,7;5,3 5,0',
  v: '0,7 2.6,0 5.2,7',
  w: '0,7 1.9,0 3.8,6.4 5.7,0 7.6,7',
  x: '0,0 4.8,7;0,7 4.8,0',
  y: '0,7 2.6,0;5.2,7 1.49,-3~ 0.2,-3',
  z: '0,7 4.6,7 0,0 4.6,0',
  0: '2.8,10 5.6,10~ 5.6,0~ 0,0~ 0,10~ 2.8,10',
  1: '0.8,7.8 3.2,10 3.2,0;5.6,0',
  2: '0,7.8 0,10~ 5.4,10~ 5.4,5.6~ 0,0 5.6,0',
  3: '0.2,8 0.2,10~ 5.3,10~ 5.3,5.3~ 2.2,5.3;3,5.3 5.6,5.3~ 5.6,0~ 0,0~ 0,2',
  4: '4.3,0 4.3,10 0,2.8 5.8,2.8',
  5: '5.2,10 0.5,10 0.3,6 5.6,6~ 5.6,0~ 0,0~ 0,2',
  6: '5.3,8.2 5.3,10~ 0,10~ 0,3;0,3 0,6~ 5.6,6~ 5.6,0~ 0,0~ 0,3',
  7: '0,10 5.6,10 2,0',
  8: '2.8,10 5.3,10~ 5.3,5.3~ 0.3,5.3~ 0.3,10~ 2.8,10;2.8,5.3 5.6,5.3~ 5.6,0~ 0,0~ 0,5.3~ 2.8,5.3',
  9: '0.3,1.8 0.3,0~ 5.6,0~ 5.6,7;5.6,7 5.6,10~ 0,10~ 0,4~ 5.6,4~ 5.6,7',
  '.': '0,0.1 0,0.2',
  ',': '0.6,0.3 0,-1.6',
  ':': '0,0.3 0,0.4;0,5.8 0,5.9',
  ';': '0.6,0.3 0,-1.6;0.6,5.8 0.6,5.9',
  '-': '0,4 3.6,4',
  '–': '0,4 5.4,4',
  '+': '0,4.2 5.4,4.2;2.7,1.5 2.7,6.9',
  '=': '0,5.6 5.2,5.6;0,2.8 5.2,2.8',
  '×': '0.4,1.8 5,6.4;0.4,6.4 5,1.8',
  '/': '0,-1 4,10.6',
  '(': '2,11 0,9~ 0,0~ 2,-2',
  ')': '0,11 2,9~ 2,0~ 0,-2',
  '[': '2,11 0,11 0,-2 2,-2',
  ']': '0,11 2,11 2,-2 0,-2',
  '<': '4.6,7 0,4.2 4.6,1.4',
  '>': '0,7 4.6,4.2 0,1.4',
  _: '0,-1.4 6,-1.4',
  '|': '0,-2 0,11',
  '!': '0,10 0,3;0,0.1 0,0.2',
  '?': '0,7.8 0,10~ 5,10~ 5,6~ 2.4,5~ 2.4,3;2.4,0.1 2.4,0.2',
  "'": '0,10 0,7.6',
  '"': '0,10 0,7.6;2.2,10 2.2,7.6',
  '*': '2.4,9.8 2.4,5;0.3,8.6 4.5,6.2;0.3,6.2 4.5,8.6',
  '#': '1.6,0 2.6,10;4.8,0 5.8,10;0,3.2 6.8,3.2;0.6,6.8 7.4,6.8',
  '%': '0,0 7.4,10;1.5,10 3,10~ 3,6~ 0,6~ 0,10~ 1.5,10;5.9,4 7.4,4~ 7.4,0~ 4.4,0~ 4.4,4~ 5.9,4',
  '°': '1.4,10 2.8,10~ 2.8,7.2~ 0,7.2~ 0,10~ 1.4,10',
  '³': '0,9.6 0,10.6~ 2.4,10.6~ 2.4,8.2~ 1,8.2;1,8.2 2.6,8.2~ 2.6,5.6~ -0.1,5.6~ -0.1,6.6',
  '·': '0,4.1 0,4.2',
};

/** Stands for characters that the font lacks. */
const UNKNOWN = '0,0 0,8 4.6,8 4.6,0 0,0';
const GAP = 2.6;
const SPACE = 3;
const MOST_ROUND = 3.2;

interface Glyph {
  readonly strokes: readonly (readonly Point[])[];
  readonly width: number;
}

const glyphs = new Map<string, Glyph>();

function glyphOf(character: string): Glyph {
  let glyph = glyphs.get(character);
  if (!glyph) {
    const strokes = (GLYPHS[character] ?? UNKNOWN).split(';').map(outline);
    const xs = strokes.flat().map(([x]) => x);
    glyph = { strokes, width: Math.max(0, ...xs) };
    glyphs.set(character, glyph);
  }
  return glyph;
}

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

/** What the font can write of a text: accents are left out. */
const plain = (text: string): string => text.normalize('NFD').replace(/[\u0300-\u036f]/g, '');

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
  const units = [...plain(text)].reduce(
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
