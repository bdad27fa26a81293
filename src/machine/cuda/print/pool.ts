import type { CallOf, Three, WindowThree } from '../../calls/index.ts';
import { boxBySlots } from '../../formats/index.ts';
import type { Body } from './frame.ts';
import { literal } from './row.ts';
import { AXES, gatherLoops, printSource, scatterLoops } from './window.ts';

// Bodies of kernels that pool, and of the gradients.

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
