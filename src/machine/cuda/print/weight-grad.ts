import type { CallOf } from '../../calls/index.ts';
import { boxBySlots, five } from '../../formats/index.ts';
import { Arguments } from '../arguments.ts';
import type { Maker, Step } from '../maker.ts';
import { type CudaTensor, placed } from '../tensors.ts';
import { finishStep } from './frame.ts';
import { THREADS } from './printer.ts';
import { lanesOfRows } from './row.ts';
import { gatherLoops, printSource, titleOf } from './window.ts';

/** Blocks that all weights together are computed by at least, where there are cells enough. */
const BLOCKS = 1024;
/** Most blocks that share the cells of one weight. */
const MOST_SEGMENTS = 512;

/**
 * The gradient of a weight, any window: a block has a place of the kernel, a channel of the input and some lanes of the output; its
 * threads take cells, within which products are added in float32; cells are added in float64, by thread, block and `finish`.
 */
export function weightGradSteps(make: Maker, call: CallOf<'conv_weight_grad'>, result: CudaTensor): Step[] {
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
  const groups = Math.ceil(outputs / lanes);
  // Cells that the box touches.
  const first = cell.map((length, i) => Math.floor(start[i + 1] / length));
  const cells = cell.map((length, i) => Math.floor((start[i + 1] + size[i + 1] - 1) / length) - first[i] + 1);
  const all = size[0] * cells[0] * cells[1] * cells[2];
  const items = kernelSize[1] * kernelSize[2] * kernelSize[3] * inputs * groups;
  const segments = Math.max(1, Math.min(Math.ceil(all / THREADS), Math.ceil(BLOCKS / items), MOST_SEGMENTS));
  const sources = x.map((one) => printSource(to, one, 1));
  to.args.longs('start', start);
  to.args.longs('size', size);
  to.args.longs('cell', [1, ...cell, 1]);
  to.args.longs('first', [0, ...first, 0]);
  to.args.longs('cells', [size[0], ...cells, 1]);
  to.args.longs('kernel_start', kernelStart);
  to.args.longs('kernel', kernelSize);
  for (const [name, value] of Object.entries({ segments, groups, all })) to.args.long(name, value);
  const part = make.scratch(8 * items * segments * lanes);
  to.args.pointer('part', 'double', part);
  to.barriers = true;
  let before = 0;
  const loads = sources.map((source, s) => {
    const limit = `(int)a.${to.long('limit', before + source.channels)}`;
    const shift = sources.length === 1 ? '0' : `(int)a.${to.long('shift', before - source.start)}`;
    before += source.channels;
    const body = `{ ${source.begin('fx', `i - ${shift}`)} ${source.load('fx', 'id, ih, iw', `i - ${shift}`, 'y')} }`;
    return s === sources.length - 1 ? body : `if (i < ${limit}) ${body} else `;
  });
  const inside = ['d', 'h', 'w'].reduceRight(
    (text, axis, k) => `for (int ${axis} = low[${k}]; ${axis} < high[${k}]; ${axis}++) {\n${text}}\n`,
    gatherOne(`float y[1], g[${lanes}];
${loads.join('')}
${out.load('fy', 'd, h, w', 'c', 'g')}
HM_LANES(${lanes}) sum[l] = fma_of(y[0], g[l], sum[l]);
`),
  );
  function gatherOne(text: string): string {
    // One place of the kernel: kd, kh, kw are known.
    const loop = gatherLoops(window, sources[0].extent, text);
    return loop.replace(
      /for \(int k([dhw]) = 0; k\1 < \d+; k\1\+\+\) \{/g,
      'for (int once = 0; once < 1; once++) {',
    );
  }
  const source = to.source(`  const u32 segment = blockIdx.x % (u32)a.segments;
  u32 item = blockIdx.x / (u32)a.segments;
  const int group = (int)(item % (u32)a.groups);
  item /= (u32)a.groups;
  const int i = (int)(a.kernel_start[0] + item % (u32)a.kernel[0]);
  item /= (u32)a.kernel[0];
  const int kw = (int)(a.kernel_start[3] + item % (u32)a.kernel[3]);
  item /= (u32)a.kernel[3];
  const int kh = (int)(a.kernel_start[2] + item % (u32)a.kernel[2]), kd = (int)(a.kernel_start[1] + item / (u32)a.kernel[2]);
  const int c = (int)a.kernel_start[4] + group * ${lanes};
  double total[${lanes}];
  HM_LANES(${lanes}) total[l] = 0;
  for (u32 p = segment * block_threads + threadIdx.x; p < (u32)a.all; p += (u32)a.segments * block_threads) {
    u32 rest = p;
    int low[3], high[3];
    for (int k = 2; k >= 0; k--) {
      const i64 at = (a.first[k + 1] + rest % (u32)a.cells[k + 1]) * a.cell[k + 1];
      rest /= (u32)a.cells[k + 1];
      low[k] = (int)max(at, a.start[k + 1]), high[k] = (int)min(at + a.cell[k + 1], a.start[k + 1] + a.size[k + 1]);
    }
    const int n = (int)(a.start[0] + rest);
    ${out.begin('fy', 'c')}
    float sum[${lanes}];
    HM_LANES(${lanes}) sum[l] = 0;
${inside}    HM_LANES(${lanes}) total[l] += (double)sum[l];
  }
  block_sums<${lanes}>(total, a.part + (i64)blockIdx.x * ${lanes});
`);
  const step: Step = { source, blocks: items * segments, args: to.args.bytes };
  const args = new Arguments();
  args.anyView('to', result, placed(result, into.slots), true);
  const group = segments * lanes;
  const input = groups * group;
  const [, , kh, kw] = kernelSize;
  const end = finishStep(
    args,
    { start: kernelStart, size: kernelSize, kept: [true, true, true, true, true] },
    {
      part,
      step: [input, kh * kw * inputs * input, kw * inputs * input, inputs * input, group],
      lanes,
      tiles: segments,
      tileStep: lanes,
    },
  );
  return [step, end];
}
