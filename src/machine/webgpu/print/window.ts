import type { CallOf, Source, Three, WindowThree } from '../../calls/index.ts';
import { boxBySlots } from '../../formats/index.ts';
import { type GpuTensor, placed } from '../tensors.ts';
import type { Body } from './frame.ts';
import { declare, eachPart, laneOf, literal, partsOf, splat, structOf, unpack } from './lanes.ts';
import type { Printer } from './printer.ts';
import { printRow } from './row.ts';
import { byFours, type Lanes, lanesOfRows } from './row-lanes.ts';

// Bodies of kernels that slide a window over d, h and w: any kernel, stride and dilation.

type Contraction = CallOf<'conv' | 'conv_transpose'>;

const AXES = ['d', 'h', 'w'] as const;

/** An operation and its window, as kernels of layers that share code are told apart. */
export function titleOf(op: string, { kernel, stride }: WindowThree): string {
  const by = stride.some((x) => x > 1) ? ` by ${stride.join('x')}` : '';
  return `${op} ${kernel.join('x')}${by}`;
}

/** A source whose lanes at a place are loaded. */
export interface PrintedSource {
  readonly lanes: number;
  /** Extents of the whole source along d, h and w: `EXTENT_0` and so on. */
  readonly extent: string;
  readonly start: number;
  readonly channels: number;
  /** What is the same at every position of a batch and a channel: `fixed` names it. */
  begin(fixed: string, c: string): string;
  /** Variables INTO_0 and so on. */
  load(fixed: string, place: string, c: string, into: string): string;
}

export const channelsOf = ({ region: { shape, box, slots } }: Source): number =>
  boxBySlots(shape, box, slots).size[4];

export function printSource(to: Printer, { row, region }: Source, lanes?: number): PrintedSource {
  const { start, size, global } = boxBySlots(region.shape, region.box, region.slots);
  const at: Lanes = { first: start[4], channels: size[4], lanes: lanes ?? lanesOfRows([row], size[4]) };
  const { name } = printRow(to, row, at);
  const end = at.channels % at.lanes === 0 ? `${at.lanes}` : undefined;
  const last = end === undefined ? to.int('last', start[4] + size[4]) : '';
  const count = (c: string) => end ?? `min(${at.lanes}, ${last} - (${c}))`;
  const zero = `${structOf(at.lanes)}()`;
  return {
    lanes: at.lanes,
    extent: to.ints('extent', global.slice(1, 4)),
    start: start[4],
    channels: size[4],
    begin: (fixed, c) => `let ${fixed} = ${name}_begin(n, ${c});\n`,
    load: (fixed, place, c, into) =>
      unpack(into, at.lanes, `${name}(${fixed}, n, ${place}, ${c}, ${count(c)}, ${zero})`),
  };
}

/** Loops over a kernel whose windows start at d, h, w of the output; `id, ih, iw` are places inside of what they read. */
export function gatherLoops(window: WindowThree, extent: string, inner: string): string {
  return AXES.reduceRight((text, axis, i) => {
    const { kernel } = window;
    return `for (var k${axis} = 0; k${axis} < ${kernel[i]}; k${axis}++) {\n${gatherPlace(window, extent, i)}${text}}\n`;
  }, inner);
}

/** The place along an axis that kernel number kd, kh or kw reads; goes on to the next where it lies outside. */
export function gatherPlace({ stride, pad, dilation }: WindowThree, extent: string, i: number): string {
  const axis = AXES[i];
  return `let i${axis} = ${axis} * ${stride[i]} - ${pad[i]} + ${dilation[i]} * k${axis};
if (i${axis} < 0 || i${axis} >= ${extent}_${i}) { continue; }
`;
}

/** Loops over the windows that read d, h, w, in rising order: `id, ih, iw` are their places, `kd, kh, kw` where in them. */
export function scatterLoops(window: WindowThree, extent: string, inner: string): string {
  return AXES.reduceRight((text, axis, i) => {
    const { kernel, stride, pad, dilation } = window;
    return `for (var k${axis} = ${kernel[i] - 1}; k${axis} >= 0; k${axis}--) {
let f${axis} = ${axis} + ${pad[i]} - ${dilation[i]} * k${axis}; let i${axis} = f${axis} / ${stride[i]};
if (f${axis} < 0 || f${axis} % ${stride[i]} != 0 || i${axis} >= ${extent}_${i}) { continue; }
${text}}\n`;
  }, inner);
}

/** A convolution or its transpose. `weight`: plain. Every sum goes by source, lanes of channels, kernel, channel. */
export function contractionBody(
  { window, sources, op, weight: { slots } }: Contraction,
  weight: GpuTensor,
): Body {
  return {
    title: `${titleOf(op, window)}, general`,
    rows: sources.map(({ row }) => row),
    registers: 3,
    print(to, at) {
      const { lanes } = at;
      const parts = partsOf(lanes);
      const place = placed(weight, slots);
      const view = to.view(weight, place);
      const fours = byFours(place, at);
      if (fours) view.fours = true;
      const loops = op === 'conv' ? gatherLoops : scatterLoops;
      let before = 0;
      const texts = sources.map((one, s) => {
        const source = printSource(to, one, lanesOfRows([one.row], channelsOf(one), 6));
        const { start } = source;
        const from = to.int('from', start);
        const end = to.int('to', start + source.channels);
        const shift = to.int('shift', sources.length === 1 ? 0 : before - start);
        before += source.channels;
        const products = Array.from({ length: source.lanes }, (_, j) => {
          const y = laneOf('y', partsOf(source.lanes), j);
          const row = `k + ${j} * a.${view.name}_s_0`;
          const one = (l: number) => `${view.name}_word(${row} + ${l} * a.${view.name}_s_4)`;
          const product = eachPart(parts, (p) => {
            const all = Array.from({ length: parts.width }, (_, l) =>
              4 * p + l < lanes ? one(4 * p + l) : '0.0',
            );
            const plain = parts.width === 1 ? all[0] : `vec${parts.width}<f32>(${all.join(', ')})`;
            const weights = fours ? `${view.name}_word4(${row} + ${4 * p})` : plain;
            return `x_${p} = fma(${splat(parts.width, y)}, ${weights}, x_${p}); `;
          });
          return source.channels % source.lanes === 0
            ? `${product}\n`
            : `if (i + ${j} < ${end}) { ${product}}\n`;
        });
        const base = `let k = ${view.name}_at(i + ${shift}, kd, kh, kw, c);\n`;
        const tap = `${source.load(`f${s}`, 'id, ih, iw', 'i', 'y')}${base}${products.join('')}`;
        return `for (var i = ${from}; i < ${end}; i += ${source.lanes}) {
${source.begin(`f${s}`, 'i')}${loops(window, source.extent, tap)}}
`;
      });
      return { each: texts.join('') };
    },
  };
}

/** 1 / (positions that a window counts along an axis), as a variable `q` + axis. */
function counts(
  kind: 'mean' | 'meanInside',
  { kernel, stride, pad, dilation }: WindowThree,
  places: Three | readonly string[],
  extent: string,
): string {
  return AXES.map((axis, i) => {
    if (kind === 'mean') return `let q${axis} = ${literal(1 / kernel[i])};\n`;
    return `var m${axis} = 0;
for (var j = 0; j < ${kernel[i]}; j++) { let p = ${places[i]} * ${stride[i]} - ${pad[i]} + ${dilation[i]} * j; if (p >= 0 && p < ${extent}_${i}) { m${axis}++; } }
let q${axis} = select(0.0, held_1(1.0 / f32(max(m${axis}, 1))), m${axis} > 0);
`;
  }).join('');
}

/** x grows by y times the weights u of the axes. */
const grow = (lanes: number, letter: string): string => {
  const parts = partsOf(lanes);
  const { width } = parts;
  return `{ let by = held_1(held_1(${letter}d * ${letter}h) * ${letter}w); ${eachPart(parts, (p) => `x_${p} += held_${width}(y_${p} * ${splat(width, 'by')}); `)}}\n`;
};

export function poolBody({ kind, window, x }: CallOf<'pool'>): Body {
  return {
    rows: [x.row],
    registers: 2,
    print(to, { lanes }) {
      const parts = partsOf(lanes);
      const { width } = parts;
      const source = printSource(to, x, lanes);
      const load = source.load('fx', 'id, ih, iw', 'c', 'y');
      const before = source.begin('fx', 'c');
      if (kind === 'max') {
        const larger = `${load}${eachPart(parts, (p) => `x_${p} = larger_${width}(x_${p}, y_${p}); `)}\n`;
        const first = splat(width, literal(Number.NEGATIVE_INFINITY));
        const each = eachPart(parts, (p) => `x_${p} = ${first}; `);
        return { before, each: `${each}\n${gatherLoops(window, source.extent, larger)}` };
      }
      const sums = gatherLoops(
        window,
        source.extent,
        `${load}${eachPart(parts, (p) => `x_${p} += y_${p}; `)}\n`,
      );
      const mean = `{ let by = held_1(held_1(qd * qh) * qw); ${eachPart(parts, (p) => `x_${p} = held_${width}(x_${p} * ${splat(width, 'by')}); `)}}\n`;
      return { before, each: `${sums}${counts(kind, window, AXES, source.extent)}${mean}` };
    },
  };
}

/** The gradient of a maximum goes to the first largest element of a window, in (d, h, w) order. */
export function maxPoolGradBody({ window, x, dy }: CallOf<'max_pool_grad'>): Body {
  return {
    rows: [x.row, dy.row],
    registers: 5,
    print(to, { lanes }) {
      const parts = partsOf(lanes);
      const { width } = parts;
      const [from, gradient] = [printSource(to, x, lanes), printSource(to, dy, lanes)];
      const inner = AXES.reduceRight(
        (text, axis, i) =>
          `for (var j${axis} = 0; j${axis} < ${window.kernel[i]}; j${axis}++) {
let p${axis} = i${axis} * ${window.stride[i]} - ${window.pad[i]} + ${window.dilation[i]} * j${axis};
if (p${axis} < 0 || p${axis} >= ${from.extent}_${i}) { continue; }\n${text}}\n`,
        `${from.load('fx', 'pd, ph, pw', 'c', 'y')}let here = f32((jd * ${window.kernel[1]} + jh) * ${window.kernel[2]} + jw);
${eachPart(
  parts,
  (p) =>
    `{ let larger = (y_${p} > best_${p}) | (nan_${width}(y_${p}) & !nan_${width}(best_${p})); best_${p} = select(best_${p}, y_${p}, larger); place_${p} = select(place_${p}, ${splat(width, 'here')}, larger); }\n`,
)}`,
      );
      const first = literal(Number.NEGATIVE_INFINITY);
      const each = `${declare('best', lanes, first)}${declare('place', lanes, '-1.0')}
let own = f32((kd * ${window.kernel[1]} + kh) * ${window.kernel[2]} + kw);
${inner}${gradient.load('fy', 'id, ih, iw', 'c', 'g')}
${eachPart(parts, (p) => `x_${p} += select(${splat(width, '0.0')}, g_${p}, place_${p} == ${splat(width, 'own')}); `)}
`;
      return {
        before: `${from.begin('fx', 'c')}${gradient.begin('fy', 'c')}`,
        each: scatterLoops(window, gradient.extent, each),
      };
    },
  };
}

export function avgPoolGradBody({ kind, window, global, dy }: CallOf<'avg_pool_grad'>): Body {
  return {
    rows: [dy.row],
    registers: 2,
    print(to, { lanes }) {
      const source = printSource(to, dy, lanes);
      const extent = to.ints('whole', global.slice(1, 4));
      const each = `${source.load('fy', 'id, ih, iw', 'c', 'y')}${counts(kind, window, ['id', 'ih', 'iw'], extent)}${grow(lanes, 'q')}`;
      return { before: source.begin('fy', 'c'), each: scatterLoops(window, source.extent, each) };
    },
  };
}

/**
 * Resizing of d, h, w, half-pixel centres: output o of m reads low with weight 1 - f and high with weight f of n inputs, worked out
 * in whole numbers. The gradient adds up over the outputs that read an input.
 */
export function resizeBody({ op, kind, x, out }: CallOf<'resize' | 'resize_grad'>): Body {
  return {
    rows: [x.row],
    registers: 2,
    print(to, { lanes }) {
      const source = printSource(to, x, lanes);
      const { global } = boxBySlots(out.shape, out.box, out.slots);
      const own = to.ints('own', global.slice(1, 4));
      const gradient = op === 'resize_grad';
      const [inputs, outputs] = gradient ? [own, source.extent] : [source.extent, own];
      const linear = kind === 'linear';
      if (to.once('resize')) to.functions.push(RESIZE);
      const load = `${source.load('fx', 'id, ih, iw', 'c', 'y')}${grow(lanes, 'u')}`;
      const each = AXES.reduceRight((text, axis, i) => {
        const [n, m] = [`${inputs}_${i}`, `${outputs}_${i}`];
        if (!gradient)
          return `for (var t${axis} = 0; t${axis} < 2; t${axis}++) { let tap${axis} = resize_tap(${linear}, ${axis}, t${axis}, ${n}, ${m}); let i${axis} = tap${axis}.at; let u${axis} = tap${axis}.weight; if (u${axis} == 0.0) { continue; }\n${text}}\n`;
        return `for (var i${axis} = resize_first(${axis}, ${n}, ${m}); i${axis} < resize_last(${axis}, ${n}, ${m}); i${axis}++) { let u${axis} = resize_weight(${linear}, i${axis}, ${axis}, ${n}, ${m}); if (u${axis} == 0.0) { continue; }\n${text}}\n`;
      }, load);
      return { before: source.begin('fx', 'c'), each };
    },
  };
}

const RESIZE = `struct Tap { at: i32, weight: f32 }
// Tap t (0 or 1) of output o: the input that it reads and its weight; 0 for none.
fn resize_tap(linear: bool, o: i32, t: i32, n: i32, m: i32) -> Tap {
  if (!linear) { return Tap(min((2 * o + 1) * n / (2 * m), n - 1), select(0.0, 1.0, t == 0)); }
  let s = max((2 * o + 1) * n - m, 0);
  let low = s / (2 * m);
  let high = min(low + 1, n - 1);
  if (low == high) { return Tap(low, select(0.0, 1.0, t == 0)); }
  // Both weights are rounded from whole numbers, and add up to 1.
  let part = s - low * 2 * m;
  if (t == 0) { return Tap(low, held_1(f32(2 * m - part) / f32(2 * m))); }
  return Tap(high, held_1(f32(part) / f32(2 * m)));
}
// Weight with which output o reads input i.
fn resize_weight(linear: bool, o: i32, i: i32, n: i32, m: i32) -> f32 {
  let low = resize_tap(linear, o, 0, n, m);
  if (low.at == i && low.weight != 0.0) { return low.weight; }
  let high = resize_tap(linear, o, 1, n, m);
  return select(0.0, high.weight, high.at == i);
}
// Outputs that may read input i: from the first up to before the last.
fn resize_first(i: i32, n: i32, m: i32) -> i32 { return select(max(((2 * (i - 1) + 1) * m) / (2 * n) - 2, 0), 0, i <= 1); }
fn resize_last(i: i32, n: i32, m: i32) -> i32 { return select(min(((2 * (i + 1) + 1) * m) / (2 * n) + 3, m), m, i >= n - 2); }
`;
