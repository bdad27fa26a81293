import type { CallOf, Source, WindowThree } from '../../calls/index.ts';
import { boxBySlots, presentIn } from '../../formats/index.ts';
import { type CudaTensor, placed } from '../tensors.ts';
import type { Body } from './frame.ts';
import type { Printer } from './printer.ts';
import { type Lanes, lanesOfRows, printRow, sideBySide } from './row.ts';

// Bodies of kernels that slide a window over d, h and w: any kernel, stride and dilation.

type Contraction = CallOf<'conv' | 'conv_transpose'>;

export const AXES = ['d', 'h', 'w'] as const;

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
    registers: 4,
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
