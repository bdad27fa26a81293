import type { CallOf } from '../../calls/index.ts';
import { boxBySlots, five } from '../../formats/index.ts';
import type { Maker } from '../maker.ts';
import type { Step } from '../step.ts';
import { type GpuTensor, placed } from '../tensors.ts';
import { declare, eachPart, partsOf, splat } from './lanes.ts';
import { THREADS } from './printer.ts';
import { lanesOfRows } from './row-lanes.ts';
import { blockSum, finishStep } from './sums.ts';
import { gatherPlace, printSource, titleOf } from './window.ts';

/** Workgroups that all weights together are computed by at least, where there are cells enough. */
const BLOCKS = 1024;
/** Most workgroups that share the cells of one weight. */
const MOST_SEGMENTS = 512;

/**
 * The gradient of a weight, any window: a workgroup has a place of the kernel, a channel of the input and some lanes of the output; its
 * threads take cells, within which products are added in float32; cells are added as pairs, by thread, workgroup and `finish`.
 */
export function weightGradSteps(make: Maker, call: CallOf<'conv_weight_grad'>, result: GpuTensor): Step[] {
  const { window, x, dy, cell, into } = call;
  const { start, size } = boxBySlots(dy.region.shape, dy.region.box, dy.region.slots);
  const kernelStart = five(into.value.shape, into.slots, (i) => into.box[i].start, 0);
  const kernelSize = five(into.value.shape, into.slots, (i) => into.box[i].end - into.box[i].start, 1);
  const [inputs, , , , outputs] = kernelSize;
  const to = make.printer();
  to.title = `${titleOf('conv_weight_grad', window)}, general`;
  // Beside the rows: totals, sums, the loaded value.
  const out = printSource(to, dy, lanesOfRows([dy.row, ...x.map(({ row }) => row)], outputs, 5));
  const { lanes } = out;
  const parts = partsOf(lanes);
  const { width } = parts;
  const groups = Math.ceil(outputs / lanes);
  // Cells that the box touches.
  const first = cell.map((length, i) => Math.floor(start[i + 1] / length));
  const cells = cell.map((length, i) => Math.floor((start[i + 1] + size[i + 1] - 1) / length) - first[i] + 1);
  const all = size[0] * cells[0] * cells[1] * cells[2];
  const items = kernelSize[1] * kernelSize[2] * kernelSize[3] * inputs * groups;
  const segments = Math.max(1, Math.min(Math.ceil(all / THREADS), Math.ceil(BLOCKS / items), MOST_SEGMENTS));
  const sources = x.map((one) => printSource(to, one, 1));
  to.args.ints('start', start);
  to.args.ints('size', size);
  to.args.ints('cell', cell);
  to.args.ints('first', first);
  to.args.ints('cells', cells);
  to.args.ints('kernel_start', kernelStart);
  to.args.ints('kernel', kernelSize);
  for (const [name, value] of Object.entries({ segments, groups, all })) to.args.int(name, value);
  const count = items * segments * lanes;
  const part = make.scratch(8 * count);
  const line = to.line(part, count, 'f64');
  let before = 0;
  const loads = sources.map((source, s) => {
    const shift = to.int('shift', sources.length === 1 ? 0 : before - source.start);
    before += source.channels;
    const limit = to.int('limit', before);
    const body = `{\n${source.begin('fx', `i - ${shift}`)}${source.load('fx', 'id, ih, iw', `i - ${shift}`, 'z')}y = z_0;\n}`;
    return s === sources.length - 1 ? body : `if (i < ${limit}) ${body} else `;
  });
  const axes = ['d', 'h', 'w'];
  const inside = axes.reduceRight(
    (text, axis, k) =>
      `for (var ${axis} = low_${k}; ${axis} < high_${k}; ${axis}++) {\n${gatherPlace(window, sources[0].extent, k)}${text}}\n`,
    `var y = 0.0;
${loads.join('')}
${out.load('fy', 'd, h, w', 'c', 'g')}${eachPart(parts, (p) => `sum_${p} = fma(${splat(width, 'y')}, g_${p}, sum_${p}); `)}
`,
  );
  const text = `let segment = block % a.segments;
var item = block / a.segments;
let lane_group = item % a.groups;
item /= a.groups;
let i = a.kernel_start_0 + item % a.kernel_0;
item /= a.kernel_0;
let kw = a.kernel_start_3 + item % a.kernel_3;
item /= a.kernel_3;
let kh = a.kernel_start_2 + item % a.kernel_2;
let kd = a.kernel_start_1 + item / a.kernel_2;
let c = a.kernel_start_4 + lane_group * ${lanes};
${declare('total', lanes)}${declare('error', lanes)}
for (var p = segment * ${THREADS} + thread; p < a.all; p += a.segments * ${THREADS}) {
var rest = p;
${[2, 1, 0]
  .map(
    (k) => `let at_${k} = (a.first_${k} + rest % a.cells_${k}) * a.cell_${k};
rest /= a.cells_${k};
let low_${k} = max(at_${k}, a.start_${k + 1}); let high_${k} = min(at_${k} + a.cell_${k}, a.start_${k + 1} + a.size_${k + 1});
`,
  )
  .join('')}let n = a.start_0 + rest;
${out.begin('fy', 'c')}${declare('sum', lanes)}
${inside}
${eachPart(
  parts,
  (
    q,
  ) => `{ let t = held_${width}(total_${q} + sum_${q}); let b = held_${width}(t - total_${q}); error_${q} += held_${width}(total_${q} - held_${width}(t - b)) + held_${width}(sum_${q} - b); total_${q} = t; }
`,
)}}
${eachPart(parts, (p) =>
  blockSum(to, {
    ...{ width, threads: THREADS, into: line, lanes: Math.min(width, lanes - p * width) },
    ...{ high: `total_${p}`, low: `error_${p}`, at: `block * ${lanes} + ${p * width}` },
  }),
)}`;
  const step = to.step(text, items * segments);
  const end = make.printer();
  const view = end.view(result, placed(result, into.slots));
  view.singles = true;
  const group = segments * lanes;
  const input = groups * group;
  const [, , kh, kw] = kernelSize;
  const finish = finishStep(
    end,
    view.name,
    { start: kernelStart, size: kernelSize, kept: [true, true, true, true, true] },
    {
      ...{ part, count, lanes, tiles: segments, tileStep: lanes },
      step: [input, kh * kw * inputs * input, kw * inputs * input, inputs * input, group],
    },
  );
  return [step, finish];
}
