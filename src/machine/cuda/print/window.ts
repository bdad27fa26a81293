import type { CallOf, Source, Three, WindowThree } from '../../calls/index.ts';
import { boxBySlots } from '../../formats/index.ts';
import { type CudaTensor, placed, presentIn } from '../tensors.ts';
import type { Body } from './frame.ts';
import type { Printer } from './printer.ts';
import { type Lanes, lanesOfRows, literal, printRow, sideBySide } from './row.ts';

// Bodies of kernels that slide a window over d, h and w: any kernel, stride and dilation.

type Contraction = CallOf<'conv' | 'conv_transpose'>;

const AXES = ['d', 'h', 'w'] as const;

/** An operation and its window, as kernels of layers that share code are told apart. */
export function titleOf(op: string, { kernel, stride }: WindowThree): string {
  const by = stride.some((x) => x > 1) ? ` by ${stride.join('x')}` : '';
  return `${op} ${kernel.join('x')}${by}`;
}

/** A source whose lanes at a place are loaded into an array. */
export interface PrintedSource {
  readonly lanes: number;
  /** Extents of the whole source along d, h and w. */
  readonly extent: string;
  readonly start: number;
  readonly channels: number;
  /** What is the same at every position of a batch and a channel: `fixed` names it. */
  begin(fixed: string, c: string): string;
  load(fixed: string, place: string, c: string, into: string): string;
}

const channelsOf = ({ region: { shape, box, slots } }: Source): number =>
  boxBySlots(shape, box, slots).size[4];

export function printSource(to: Printer, { row, region }: Source, lanes?: number): PrintedSource {
  const { start, size, global } = boxBySlots(region.shape, region.box, region.slots);
  const at: Lanes = { first: start[4], channels: size[4], lanes: lanes ?? lanesOfRows([row], size[4]) };
  const { name } = printRow(to, row, at);
  const end = at.channels % at.lanes === 0 ? `${at.lanes}` : undefined;
  const last = end === undefined ? to.long('last', start[4] + size[4]) : '';
  const count = (c: string) => end ?? `min(${at.lanes}, (int)a.${last} - (${c}))`;
  return {
    lanes: at.lanes,
    extent: `a.${to.longs('extent', global.slice(1, 4))}`,
    start: start[4],
    channels: size[4],
    begin: (fixed, c) => `const ${name}_fixed ${fixed} = ${name}_begin(a, n, ${c}, ${count(c)});`,
    load: (fixed, place, c, into) => `${name}(a, ${fixed}, n, ${place}, ${c}, ${count(c)}, ${into}, 0);`,
  };
}

/** Loops over a kernel whose windows start at d, h, w of the output; `id, ih, iw` are places inside of what they read. */
export function gatherLoops(window: WindowThree, extent: string, inner: string): string {
  return AXES.reduceRight((text, axis, i) => {
    const { kernel, stride, pad, dilation } = window;
    const at = `${axis} * ${stride[i]} - ${pad[i]} + ${dilation[i]} * k${axis}`;
    return `for (int k${axis} = 0; k${axis} < ${kernel[i]}; k${axis}++) { const int i${axis} = ${at};
  if (i${axis} < 0 || i${axis} >= ${extent}[${i}]) continue;\n${text}}\n`;
  }, inner);
}

/** Loops over the windows that read d, h, w, in rising order: `id, ih, iw` are their places, `kd, kh, kw` where in them. */
export function scatterLoops(window: WindowThree, extent: string, inner: string): string {
  return AXES.reduceRight((text, axis, i) => {
    const { kernel, stride, pad, dilation } = window;
    const from = `${axis} + ${pad[i]} - ${dilation[i]} * k${axis}`;
    return `for (int k${axis} = ${kernel[i] - 1}; k${axis} >= 0; k${axis}--) { const int f${axis} = ${from}, i${axis} = f${axis} / ${stride[i]};
  if (f${axis} < 0 || f${axis} % ${stride[i]} != 0 || i${axis} >= ${extent}[${i}]) continue;\n${text}}\n`;
  }, inner);
}

/** A convolution or its transpose. `weight`: plain. Every sum goes by source, lanes of channels, kernel, channel. */
export function contractionBody(
  { window, sources, op, weight: { slots } }: Contraction,
  weight: CudaTensor,
): Body {
  return {
    title: `${titleOf(op, window)}, general`,
    rows: sources.map(({ row }) => row),
    registers: 3,
    print(to, at) {
      const { lanes, channels } = at;
      const place = placed(weight, slots);
      const view = `a.${to.view(weight, place, presentIn(weight.shape, slots))}`;
      const guard = channels % lanes === 0 ? '' : 'if (l < lanes) ';
      const loops = op === 'conv' ? gatherLoops : scatterLoops;
      let before = 0;
      const parts = sources.map((one, s) => {
        const source = printSource(to, one, lanesOfRows([one.row], channelsOf(one), 6));
        const { start } = source;
        const names = {
          from: start,
          to: start + source.channels,
          shift: sources.length === 1 ? 0 : before - start,
        };
        const [from, end, shift] = Object.entries(names).map(([stem, x]) => `(int)a.${to.long(stem, x)}`);
        before += source.channels;
        const where = `${view}, i + j + ${shift}, kd, kh, kw, c`;
        const weights = sideBySide(place, at)
          ? `get_lanes(${where}, k);`
          : `HM_LANES(${lanes}) ${guard}k[l] = get<float>(${where} + l);`;
        const tap = `float y[${source.lanes}];
${source.load(`f${s}`, 'id, ih, iw', 'i', 'y')}
_Pragma("unroll") for (int j = 0; j < ${source.lanes}; j++) {
  ${source.channels % source.lanes === 0 ? '' : `if (i + j >= ${end}) break;`}
  float k[${lanes}];
  ${weights}
  HM_LANES(${lanes}) ${guard}x[l] = fma_of(y[j], k[l], x[l]);
}
`;
        return `for (int i = ${from}; i < ${end}; i += ${source.lanes}) {
${source.begin(`f${s}`, 'i')}
${loops(window, source.extent, tap)}}
`;
      });
      return { each: `HM_LANES(${lanes}) x[l] = 0;\n${parts.join('')}` };
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
    if (kind === 'mean') return `const float q${axis} = (float)(1.0 / ${kernel[i]}.0);\n`;
    return `int m${axis} = 0;
for (int j = 0; j < ${kernel[i]}; j++) { const int p = ${places[i]} * ${stride[i]} - ${pad[i]} + ${dilation[i]} * j; m${axis} += p >= 0 && p < ${extent}[${i}]; }
const float q${axis} = m${axis} > 0 ? (float)(1.0 / m${axis}) : 0.0f;
`;
  }).join('');
}

export function poolBody({ kind, window, x }: CallOf<'pool'>): Body {
  return {
    rows: [x.row],
    registers: 2,
    print(to, { lanes }) {
      const source = printSource(to, x, lanes);
      const load = `float y[${lanes}]; ${source.load('fx', 'id, ih, iw', 'c', 'y')}\n`;
      const before = source.begin('fx', 'c');
      if (kind === 'max') {
        const larger = `${load}HM_LANES(${lanes}) x[l] = (y[l] > x[l]) | (y[l] != y[l]) ? y[l] : x[l];\n`;
        const each = `HM_LANES(${lanes}) x[l] = ${literal(Number.NEGATIVE_INFINITY, 'float')};\n`;
        return { before, each: each + gatherLoops(window, source.extent, larger) };
      }
      const sums = gatherLoops(window, source.extent, `${load}HM_LANES(${lanes}) x[l] += y[l];\n`);
      const each = `HM_LANES(${lanes}) x[l] = 0;\n${sums}${counts(kind, window, AXES, source.extent)}`;
      return { before, each: `${each}HM_LANES(${lanes}) x[l] = x[l] * (qd * qh * qw);\n` };
    },
  };
}

/** The gradient of a maximum goes to the first largest element of a window, in (d, h, w) order. */
export function maxPoolGradBody({ window, x, dy }: CallOf<'max_pool_grad'>): Body {
  return {
    rows: [x.row, dy.row],
    registers: 5,
    print(to, { lanes }) {
      const [from, gradient] = [printSource(to, x, lanes), printSource(to, dy, lanes)];
      const inner = AXES.reduceRight(
        (text, axis, i) =>
          `for (int j${axis} = 0; j${axis} < ${window.kernel[i]}; j${axis}++) { const int p${axis} = i${axis} * ${window.stride[i]} - ${window.pad[i]} + ${window.dilation[i]} * j${axis};
if (p${axis} < 0 || p${axis} >= ${from.extent}[${i}]) continue;\n${text}}\n`,
        `float y[${lanes}]; ${from.load('fx', 'pd, ph, pw', 'c', 'y')}
const int here = (jd * ${window.kernel[1]} + jh) * ${window.kernel[2]} + jw;
HM_LANES(${lanes}) { const bool larger = (y[l] > best[l]) | ((y[l] != y[l]) & (best[l] == best[l])); best[l] = larger ? y[l] : best[l]; where[l] = larger ? here : where[l]; }
`,
      );
      const each = `float best[${lanes}], g[${lanes}]; int where[${lanes}];
const int own = (kd * ${window.kernel[1]} + kh) * ${window.kernel[2]} + kw;
HM_LANES(${lanes}) { best[l] = ${literal(Number.NEGATIVE_INFINITY, 'float')}; where[l] = -1; }
${inner}${gradient.load('fy', 'id, ih, iw', 'c', 'g')}
HM_LANES(${lanes}) x[l] += where[l] == own ? g[l] : 0.0f;
`;
      return {
        before: `${from.begin('fx', 'c')}\n${gradient.begin('fy', 'c')}\n`,
        each: `HM_LANES(${lanes}) x[l] = 0;\n${scatterLoops(window, gradient.extent, each)}`,
      };
    },
  };
}

/** As {@link maxPoolGradBody}, where windows lie side by side: each is looked through once. */
export function maxPoolWindowsBody({ window, x, dy, out }: CallOf<'max_pool_grad'>): Body {
  const { kernel } = window;
  return {
    title: `max_pool_grad ${kernel.join('x')}, by windows`,
    rows: [x.row, dy.row],
    registers: 5,
    window: kernel,
    print(to, { lanes }, end) {
      const [from, gradient] = [printSource(to, x, lanes), printSource(to, dy, lanes)];
      const { start, size } = boxBySlots(out.shape, out.box, out.slots);
      const low = `a.${to.longs('low', start.slice(1, 4))}`;
      const high = `a.${to.longs(
        'high',
        start.slice(1, 4).map((s, i) => s + size[i + 1]),
      )}`;
      const places = (inside: (axis: string, i: number) => string, text: string): string =>
        AXES.reduceRight(
          (inner, axis, i) =>
            `for (int j${axis} = 0; j${axis} < ${kernel[i]}; j${axis}++) { const int p${axis} = ${axis} * ${kernel[i]} + j${axis};
if (!(${inside(`p${axis}`, i)})) continue;\n${inner}}\n`,
          text,
        );
      const here = `const int here = (jd * ${kernel[1]} + jh) * ${kernel[2]} + jw;\n`;
      const look = `${here}float y[${lanes}]; ${from.load('fx', 'pd, ph, pw', 'c', 'y')}
HM_LANES(${lanes}) { const bool larger = (y[l] > best[l]) | ((y[l] != y[l]) & (best[l] == best[l])); best[l] = larger ? y[l] : best[l]; where[l] = larger ? here : where[l]; }
`;
      const give = `${here}HM_LANES(${lanes}) x[l] = where[l] == here ? 0.0f + g[l] : 0.0f;\n${end('pd, ph, pw')}\n`;
      const whole = AXES.map((axis, i) => `${axis} < ${gradient.extent}[${i}]`).join(' && ');
      return {
        before: `${from.begin('fx', 'c')}\n${gradient.begin('fy', 'c')}\n`,
        each: `float best[${lanes}], g[${lanes}]; int where[${lanes}];
HM_LANES(${lanes}) { best[l] = ${literal(Number.NEGATIVE_INFINITY, 'float')}; where[l] = -1; g[l] = 0; }
if (${whole}) {
${places((p, i) => `${p} < ${from.extent}[${i}]`, look)}${gradient.load('fy', 'd, h, w', 'c', 'g')}
}
${places((p, i) => `${p} >= ${low}[${i}] && ${p} < ${high}[${i}]`, give)}`,
      };
    },
  };
}

/** Whether windows lie side by side from the first position on. */
export const sideBySideWindows = ({ kernel, stride, dilation, pad }: WindowThree): boolean =>
  kernel.every((length, i) => length === stride[i] && dilation[i] === 1 && pad[i] === 0);

export function avgPoolGradBody({ kind, window, global, dy }: CallOf<'avg_pool_grad'>): Body {
  return {
    rows: [dy.row],
    registers: 2,
    print(to, { lanes }) {
      const source = printSource(to, dy, lanes);
      const extent = `a.${to.longs('whole', global.slice(1, 4))}`;
      const each = `float y[${lanes}]; ${source.load('fy', 'id, ih, iw', 'c', 'y')}
${counts(kind, window, ['id', 'ih', 'iw'], extent)}HM_LANES(${lanes}) x[l] += y[l] * (qd * qh * qw);
`;
      return {
        before: `${source.begin('fy', 'c')}\n`,
        each: `HM_LANES(${lanes}) x[l] = 0;\n${scatterLoops(window, source.extent, each)}`,
      };
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
      const own = `a.${to.longs('own', global.slice(1, 4))}`;
      const gradient = op === 'resize_grad';
      const [inputs, outputs] = gradient ? [own, source.extent] : [source.extent, own];
      const linear = kind === 'linear';
      if (to.once('resize')) to.functions.push(RESIZE);
      const load = `float y[${lanes}]; ${source.load('fx', 'id, ih, iw', 'c', 'y')}
HM_LANES(${lanes}) x[l] += y[l] * (ud * uh * uw);
`;
      const each = AXES.reduceRight((text, axis, i) => {
        const [n, m] = [`${inputs}[${i}]`, `${outputs}[${i}]`];
        if (!gradient)
          return `for (int t${axis} = 0; t${axis} < 2; t${axis}++) { int i${axis}; const float u${axis} = resize_tap(${linear}, ${axis}, t${axis}, ${n}, ${m}, i${axis}); if (u${axis} == 0) continue;\n${text}}\n`;
        return `for (int i${axis} = resize_first(${axis}, ${n}, ${m}); i${axis} < resize_last(${axis}, ${n}, ${m}); i${axis}++) { const float u${axis} = resize_weight(${linear}, i${axis}, ${axis}, ${n}, ${m}); if (u${axis} == 0) continue;\n${text}}\n`;
      }, load);
      return { before: `${source.begin('fx', 'c')}\n`, each: `HM_LANES(${lanes}) x[l] = 0;\n${each}` };
    },
  };
}

const RESIZE = `// Tap t (0 or 1) of output o: the input that it reads and its weight; 0 for none.
HM_FN float resize_tap(bool linear, i64 o, int t, i64 n, i64 m, int &at) {
  if (!linear) {
    at = (int)min((2 * o + 1) * n / (2 * m), n - 1);
    return t == 0 ? 1.0f : 0.0f;
  }
  const i64 s = max((2 * o + 1) * n - m, 0LL), low = s / (2 * m), high = min(low + 1, n - 1);
  const double fraction = (double)(s - low * 2 * m) / (double)(2 * m);
  at = (int)(t == 0 ? low : high);
  if (low == high) return t == 0 ? 1.0f : 0.0f;
  return t == 0 ? (float)(1 - fraction) : (float)fraction;
}
// Weight with which output o reads input i.
HM_FN float resize_weight(bool linear, i64 o, int i, i64 n, i64 m) {
  int at;
  const float low = resize_tap(linear, o, 0, n, m, at);
  if (at == i && low != 0) return low;
  const float high = resize_tap(linear, o, 1, n, m, at);
  return at == i ? high : 0.0f;
}
// Outputs that may read input i: from the first up to before the last.
HM_FN int resize_first(i64 i, i64 n, i64 m) { return (int)(i <= 1 ? 0 : max(((2 * (i - 1) + 1) * m) / (2 * n) - 2, 0LL)); }
HM_FN int resize_last(i64 i, i64 n, i64 m) { return (int)(i >= n - 2 ? m : min(((2 * (i + 1) + 1) * m) / (2 * n) + 3, m)); }
`;
