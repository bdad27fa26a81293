import { fail } from '../../../core/index.ts';
import type { Three } from '../../calls/index.ts';
import {
  boxBySlots,
  type Five,
  lanesOf,
  presentIn,
  type Region,
  SLOT_C,
  SLOT_N,
} from '../../formats/index.ts';
import type { Row } from '../../rows/index.ts';
import { Arguments, useOf } from '../arguments.ts';
import { fixedStep, type Maker, type Step } from '../maker.ts';
import { placed } from '../tensors.ts';
import { type Printer, THREADS } from './printer.ts';
import { type Lanes, lanesOfRows, overLanes, printRow } from './row.ts';

// The kernel around what is computed at each position of a region: a block of threads has one batch and channels of one block, its
// threads go over positions, each with some lanes. What they compute in x[lanes] goes through the epilogue's row; its sums are taken
// in float64 by thread, block and last by `finish`, always in one order.

/** Blocks that share a region: 16 for each multiprocessor of an H100, few enough for the end of the sums. */
export const SUM_BLOCKS = 2112;

/** Threads below which a kernel rather has more of them. */
const FEW = 2 ** 14;

/** What computes x[lanes] at (n, d, h, w, c): statements before all positions, and at each. */
export interface Body {
  readonly title?: string;
  /** Rows that take registers beside the epilogue's, and what else takes registers, a lane. */
  readonly rows?: readonly Row[];
  readonly registers?: number;
  /** Positions along d, h, w of a window that is done together: (d, h, w) tells which window. */
  readonly window?: Three;
  /** `end` gives the text that runs the epilogue at a place; where there are windows, the body runs it at each of their positions. */
  print(
    to: Printer,
    at: Lanes,
    end: (place: string) => string,
  ): { readonly before?: string; readonly each: string };
}

const NOTHING: Body = { print: () => ({ each: '' }) };

/** Most positions of a kernel, and most numbers of its threads. */
const MOST_POSITIONS = 2 ** 31;
const MOST_NUMBERS = 2 ** 32 - SUM_BLOCKS * THREADS;

export function frame(make: Maker, region: Region, epilogue: Row, body: Body = NOTHING): Step[] {
  const { start, size } = windowsOf(region, body.window);
  const [cases, d, h, w, channels] = size;
  const rows = [epilogue, ...(body.rows ?? [])];
  let lanes = lanesOfRows(rows, channels, body.registers);
  // Few numbers: more threads rather than long ones.
  if (!rows.some(overLanes))
    while (lanes > 1 && lanes % 2 === 0 && cases * d * h * w * (channels / lanes) < FEW) lanes /= 2;
  const at: Lanes = { first: start[SLOT_C], channels, lanes };
  const to = make.printer();
  to.title = body.title ?? 'rows';
  const row = printRow(to, epilogue, at);
  const end = (place: string): string => `${row.name}(a, fixed, n, ${place}, c, lanes, x, sums);`;
  const printed = body.print(to, at, end);
  const sums = row.sums.length * lanes;
  // Groups of lanes that the threads of a block share out: of one block of channels, or all where there are few positions.
  const groups = Math.ceil(channels / lanes);
  const near = d * h * w < THREADS ? groups : Math.max(1, Math.floor(lanesOf(channels) / lanes));
  const exact = channels % lanes === 0;
  const beside = Math.min(groups, near);
  // A thread keeps its channels where those of a block of threads come in turn.
  const steady = exact && THREADS % beside === 0 && groups % beside === 0;
  const inner = sums > 0 && !steady ? 1 : beside;
  const outer = Math.ceil(groups / inner);
  const count = d * h * w * inner;
  if (d * h * w >= MOST_POSITIONS || count > MOST_NUMBERS)
    fail({
      where: 'device cuda',
      problem: `a tensor of ${d} x ${h} x ${w} positions is too large for a kernel`,
    });
  const tiles = Math.max(1, Math.min(Math.ceil(count / THREADS), Math.floor(SUM_BLOCKS / (cases * outer))));
  const blocks = tiles * cases * outer;
  to.args.longs('start', start);
  to.args.longs('size', size);
  for (const [name, value] of Object.entries({ outer, tiles, count })) to.args.long(name, value);
  to.args.divider('by_w', w);
  to.args.divider('by_h', h);
  const part = sums > 0 ? make.scratch(8 * blocks * inner * sums) : 0;
  if (sums > 0) {
    to.args.pointer('part', 'double', part, useOf({ address: part, bytes: 8 * blocks * inner * sums }, true));
    to.barriers = true;
  }
  const real = epilogue.wide ? 'double' : 'float';
  const own = steady ? `threadIdx.x % ${inner}` : `p % ${inner}`;
  const channel = `const int c = (int)a.start[4] + (int)(group % (u32)a.outer * ${inner} + ${inner > 1 ? own : '0'}) * ${lanes};\n`;
  const fixed = steady || inner === 1;
  const source = to.source(
    `  const u32 tile = blockIdx.x % (u32)a.tiles, group = blockIdx.x / (u32)a.tiles;
  const int n = (int)a.start[0] + (int)(group / (u32)a.outer), end = (int)(a.start[4] + a.size[4]);
${fixed ? `  ${channel}${begin()}` : ''}${sums > 0 ? `  double sums[${sums}];\n  for (int i = 0; i < ${sums}; i++) sums[i] = 0;\n` : '  double *const sums = 0;\n'}` +
      `  for (u32 p = tile * block_threads + threadIdx.x; p < (u32)a.count; p += (u32)a.tiles * block_threads) {
    const u32 line = divided(p / ${inner}, a.by_w), plane = divided(line, a.by_h);
    const int w = (int)a.start[3] + (int)(p / ${inner} - line * a.by_w.by), h = (int)a.start[2] + (int)(line - plane * a.by_h.by);
    const int d = (int)(a.start[1] + plane);
${fixed ? '' : `    ${channel}    if (c >= end) continue;\n${begin()}`}` +
      `    ${real} x[${lanes}];
${printed.each}${body.window === undefined ? `    ${end('d, h, w')}\n` : ''}  }
${sums > 0 ? endOfSums(sums, inner) : ''}`,
  );
  function begin(): string {
    return `  const int lanes = min(${lanes}, end - c);\n  const ${row.name}_fixed fixed = ${row.name}_begin(a, n, c, lanes);\n${printed.before ?? ''}`;
  }
  const steps: Step[] = [{ source, blocks, args: to.args.bytes, uses: to.args.uses }];
  row.sums.forEach(({ operand: number }, k) => {
    const operand = epilogue.operands[number];
    if (operand.kind !== 'tensor') return;
    steps.push(
      finish(make, region, operand.value, {
        part: part + 8 * k * lanes,
        step: [outer * inner * tiles * sums, 0, 0, 0, tiles * sums],
        lanes,
        tiles,
        tileStep: sums,
      }),
    );
  });
  return steps;
}

/** The sums of a block, of threads that share channels. */
function endOfSums(sums: number, inner: number): string {
  if (inner === 1) return `  block_sums<${sums}>(sums, a.part + (i64)blockIdx.x * ${sums});\n`;
  return `  HM_SHARED(double, room, sums_room);
  for (int part = 0; part < ${inner}; part++) {
    double own[${sums}];
    for (int i = 0; i < ${sums}; i++) own[i] = part == (int)(threadIdx.x % ${inner}) ? sums[i] : 0.0;
    block_sums_in(room, own, a.part + ((i64)(group * ${inner} + part) * a.tiles + tile) * ${sums});
    __syncthreads();
  }
`;
}

/** The box of a region; of windows, that of those which it has a part in. */
function windowsOf({ shape, box, slots }: Region, window?: Three): { start: Five; size: Five } {
  const { start, size } = boxBySlots(shape, box, slots);
  if (window === undefined) return { start, size };
  const length = [1, ...window, 1];
  const first = start.map((x, i) => Math.floor(x / length[i]));
  const count = size.map((x, i) => Math.floor((start[i] + x - 1) / length[i]) - first[i] + 1);
  return { start: first as unknown as Five, size: count as unknown as Five };
}

/** Numbers that are enough for 8 threads each. */
const MANY = 2 ** 8;

/** Where partial sums lie: see native/cuda/kernels/finish.h. */
export interface Parts {
  readonly part: number;
  readonly step: readonly number[];
  readonly lanes: number;
  readonly tiles: number;
  readonly tileStep: number;
}

/** The end of a sum that keeps the batch and the channels that `value` has. */
export function finish(
  make: Maker,
  region: Region,
  value: Parameters<Maker['tensorOf']>[0],
  parts: Parts,
): Step {
  const { start, size } = boxBySlots(region.shape, region.box, region.slots);
  const tensor = make.tensorOf(value);
  const present = presentIn(tensor.shape, region.slots);
  const ends = [size[SLOT_N], 1, 1, 1, size[SLOT_C]];
  const kept = present.map((has, i) => has || (i !== SLOT_N && i !== SLOT_C));
  const from = start.map((x, i) => (present[i] ? x : 0));
  const args = new Arguments();
  args.anyView('to', tensor, placed(tensor, region.slots), true);
  return finishStep(args, { start: from, size: ends, kept }, parts);
}

export function finishStep(
  args: Arguments,
  box: {
    readonly start: readonly number[];
    readonly size: readonly number[];
    readonly kept: readonly boolean[];
  },
  { part, step, lanes, tiles, tileStep }: Parts,
): Step {
  const { start, size, kept } = box;
  const count = size.reduce((product, x, i) => (kept[i] ? product * x : product), 1);
  const last = size.reduce(
    (sum, x, i) => {
      const parts = i < SLOT_C ? x : Math.ceil(x / lanes);
      return sum + Math.max(parts - 1, 0) * step[i];
    },
    (tiles - 1) * tileStep + lanes,
  );
  args.pointer('part', 'double', part, useOf({ address: part, bytes: 8 * last }));
  args.longs('start', start);
  args.longs('size', size);
  args.longs('kept', kept.map(Number));
  args.longs('step', step);
  const shared = tiles <= 8 ? 1 : count >= MANY ? 8 : THREADS;
  for (const [name, value] of Object.entries({ lanes, tiles, tileStep, count, shared }))
    args.long(name, value);
  return fixedStep('finish', args, Math.ceil((count * shared) / THREADS), true);
}
