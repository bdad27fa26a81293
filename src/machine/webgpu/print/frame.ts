import { fail } from '../../../core/index.ts';
import { boxBySlots, lanesOf, type Region, SLOT_C, SLOT_N } from '../../formats/index.ts';
import type { Row } from '../../rows/index.ts';
import type { Maker } from '../maker.ts';
import type { Step } from '../step.ts';
import { placed, presentIn } from '../tensors.ts';
import { declare, eachPart, pack, partsOf, typeOf } from './lanes.ts';
import { type Printer, THREADS } from './printer.ts';
import { printRow, type RowFunction } from './row.ts';
import { sumNames } from './row-context.ts';
import { type Lanes, lanesOfRows } from './row-lanes.ts';

// The kernel around what is computed at each position of a region: a workgroup has one batch and channels of one block, its threads go
// over positions, each with some lanes. What they compute in x_0, x_1... goes through the epilogue's row; its sums are taken in pairs by
// thread, workgroup and last by `finish`, always in one order.

/** Workgroups that share the sums of a region: enough for every device, few enough for the end of the sums. */
export const SUM_BLOCKS = 2048;
/** Most workgroups of kernels whose threads go on to further elements. */
export const MOST_BLOCKS = 2 ** 16;

/** What computes x_0 and so on at (n, d, h, w, c): statements before all positions, and at each. */
export interface Body {
  readonly title?: string;
  /** Rows that take registers beside the epilogue's, and what else takes registers, a lane. */
  readonly rows?: readonly Row[];
  readonly registers?: number;
  print(to: Printer, at: Lanes): { readonly before?: string; readonly each: string };
}

const NOTHING: Body = { print: () => ({ each: '' }) };

/** Most positions that a thread's number counts. */
const MOST_POSITIONS = 2 ** 31 - MOST_BLOCKS * THREADS;

export function frame(make: Maker, region: Region, epilogue: Row, body: Body = NOTHING): Step[] {
  const { start, size } = boxBySlots(region.shape, region.box, region.slots);
  const [cases, d, h, w, channels] = size;
  const lanes = lanesOfRows([epilogue, ...(body.rows ?? [])], channels, body.registers);
  const at: Lanes = { first: start[SLOT_C], channels, lanes };
  const to = make.printer();
  to.title = body.title ?? '';
  const printed = body.print(to, at);
  const row = printRow(to, epilogue, at);
  const sums = row.sums.length * lanes;
  // Groups of lanes that the threads of a workgroup share out: of one block of channels, or all where there are few positions.
  const groups = Math.ceil(channels / lanes);
  const near = d * h * w < THREADS ? groups : Math.max(1, Math.floor(lanesOf(channels) / lanes));
  const inner = sums > 0 ? 1 : Math.min(groups, near);
  const outer = Math.ceil(groups / inner);
  const count = d * h * w * inner;
  if (count > MOST_POSITIONS)
    fail({
      where: 'device webgpu',
      problem: `a tensor of ${d} x ${h} x ${w} positions is too large for a kernel`,
    });
  const most = sums > 0 ? SUM_BLOCKS : MOST_BLOCKS;
  const tiles = Math.max(1, Math.min(Math.ceil(count / THREADS), Math.floor(most / (cases * outer))));
  const blocks = tiles * cases * outer;
  to.args.ints('start', start);
  to.args.ints('size', size);
  for (const [name, value] of Object.entries({ inner, outer, tiles, count })) to.args.int(name, value);
  const ending = new SumsEnding(make, to, row, { lanes, blocks });
  const begin = `let c = a.start_4 + (group_c + inner_c) * ${lanes};
let lanes = min(${lanes}, a.start_4 + a.size_4 - c);
let fixed = ${row.name}_begin(n, c);
${printed.before ?? ''}`;
  const enter = row.wide ? 'let x = vec2<f32>(0.0, 0.0);\n' : declare('x', lanes);
  const value = row.wide ? 'x' : pack('x', lanes);
  const step = to.step(
    `let tile = block % a.tiles;
let group_n = block / a.tiles;
let n = a.start_0 + group_n / a.outer;
let group_c = group_n % a.outer * a.inner;
${inner > 1 ? '' : `let inner_c = 0;\n${begin}`}
for (var p = tile * ${THREADS} + thread; p < a.count; p += a.tiles * ${THREADS}) {
var rest = p / a.inner;
let w = a.start_3 + rest % a.size_3;
rest /= a.size_3;
let h = a.start_2 + rest % a.size_2;
let d = a.start_1 + rest / a.size_2;
${inner > 1 ? `let inner_c = p % a.inner;\nif (a.start_4 + (group_c + inner_c) * ${lanes} >= a.start_4 + a.size_4) { continue; }\n${begin}` : ''}
${enter}${printed.each}
let ignored = ${row.name}(fixed, n, d, h, w, c, lanes, ${value});
}
${ending.text}`,
    blocks,
  );
  const perTile = { step: [outer * tiles * sums, 0, 0, 0, tiles * sums], lanes, tiles, tileStep: sums };
  return [step, ...ending.steps(region, epilogue, perTile)];
}

/** How partial sums of a kernel come to an end: by workgroup, then over workgroups. */
export class SumsEnding {
  /** Statements at the end of the kernel, which all threads reach. */
  readonly text: string;
  private readonly part: number;
  private readonly count: number;
  private readonly make: Maker;
  private readonly row: RowFunction;
  private readonly lanes: number;

  constructor(
    make: Maker,
    to: Printer,
    row: RowFunction,
    { lanes, blocks, threads = THREADS }: { lanes: number; blocks: number; threads?: number },
  ) {
    const sums = row.sums.length * lanes;
    this.make = make;
    this.row = row;
    this.lanes = lanes;
    this.count = sums * blocks;
    this.part = sums > 0 ? make.scratch(8 * this.count) : 0;
    this.text = sums === 0 ? '' : this.print(to, sums, threads);
  }

  private print(to: Printer, sums: number, threads: number): string {
    const part = to.line(this.part, this.count, 'f64');
    const parts = partsOf(this.row.wide ? 1 : this.lanes);
    const texts = this.row.sums.map((_, k) =>
      eachPart(parts, (p) => {
        const [high, low] = sumNames(this.row.name, k, p);
        const here = Math.min(parts.width, this.lanes - p * parts.width);
        return blockSum(to, {
          ...{ width: parts.width, lanes: here, threads, high, low, into: part },
          at: `block * ${sums} + ${k * this.lanes + p * parts.width}`,
        });
      }),
    );
    return texts.join('');
  }

  steps(
    region: Region,
    epilogue: Row,
    { step, lanes, tiles, tileStep }: Omit<Parts, 'part' | 'count'>,
  ): Step[] {
    return this.row.sums.flatMap(({ operand: number }, k) => {
      const operand = epilogue.operands[number];
      if (operand.kind !== 'tensor') return [];
      const parts = { part: this.part + 8 * k * this.lanes, count: this.count - k * this.lanes };
      return [finish(this.make, region, operand.value, { ...parts, step, lanes, tiles, tileStep })];
    });
  }
}

/**
 * Sums of a part over the threads of a workgroup, in one order, to elements of the line `into` from `at` on. `columns`: threads whose numbers
 * differ by no multiple of it have lanes of their own, one part behind the other.
 */
export function blockSum(
  to: Printer,
  one: {
    readonly width: number;
    readonly lanes: number;
    readonly threads: number;
    readonly columns?: number;
    readonly high: string;
    readonly low: string;
    readonly into: string;
    readonly at: string;
  },
): string {
  const { width, lanes, threads, columns = 1, high, low, into, at } = one;
  const type = typeOf(width);
  if (to.once(`block sum ${width}`))
    to.functions.push(`var<workgroup> highs_${width}: array<${type}, ${threads}>;
var<workgroup> lows_${width}: array<${type}, ${threads}>;
fn block_sum_${width}(high: ${type}, low: ${type}, thread: i32) {
workgroupBarrier();
highs_${width}[thread] = high; lows_${width}[thread] = low;
for (var half = ${threads / 2}; half >= ${columns}; half /= 2) {
workgroupBarrier();
if (thread < half) {
let x = highs_${width}[thread]; let y = highs_${width}[thread + half];
let t = held_${width}(x + y); let b = held_${width}(t - x);
let e = held_${width}(x - held_${width}(t - b)) + held_${width}(y - b);
highs_${width}[thread] = t; lows_${width}[thread] = held_${width}(held_${width}(lows_${width}[thread] + lows_${width}[thread + half]) + e);
}
}
workgroupBarrier();
}
`);
  const place = columns === 1 ? ['0', 'thread'] : [`thread / ${width}`, `thread % ${width}`];
  const lane = (name: string) => `${name}_${width}[${place[0]}]${width === 1 ? '' : `[${place[1]}]`}`;
  return `block_sum_${width}(${high}, ${low}, thread);\nif (thread < ${lanes}) { ${into}_put_wide(${at} + thread, quick_pair(${lane('highs')}, ${lane('lows')})); }\n`;
}

/** Where partial sums lie, pairs one after the other from `part`: see {@link finishStep}. */
export interface Parts {
  readonly part: number;
  readonly count: number;
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
  const to = make.printer();
  const view = to.view(tensor, placed(tensor, region.slots));
  view.singles = true;
  return finishStep(to, view.name, { start: from, size: ends, kept }, parts);
}

/**
 * to[x] = sum of the partial sums of every place that agrees with x in the dimensions kept, tiles innermost. A thread a number where few
 * partial sums make one, else a workgroup: each thread adds up every 256th, then these are added in order.
 *
 * The partial sum of place (n, d, h, w, c) and tile t: part[n * step[0] + d * step[1] + h * step[2] + w * step[3] +
 * c / lanes * step[4] + c % lanes + t * tileStep], counted from the box's first place.
 */
export function finishStep(
  to: Printer,
  into: string,
  box: {
    readonly start: readonly number[];
    readonly size: readonly number[];
    readonly kept: readonly boolean[];
  },
  { part, count: parts, step, lanes, tiles, tileStep }: Parts,
): Step {
  const { start, size, kept } = box;
  const count = size.reduce((product, x, i) => (kept[i] ? product * x : product), 1);
  const inner = size.reduce((product, x, i) => (kept[i] ? product : product * x), tiles);
  const from = to.line(part, parts, 'f64');
  to.args.ints('start', start);
  to.args.ints('size', size);
  to.args.ints('step', step);
  for (const [name, value] of Object.entries({ lanes, tiles, tile_step: tileStep, count, inner }))
    to.args.int(name, value);
  to.functions.push(`fn of_place(number: i32, j: i32) -> vec2<f32> {
var offset = j % a.tiles * a.tile_step; var kept = number; var other = j / a.tiles;
let c = ${kept[4] ? 'kept' : 'other'} % a.size_4; ${kept[4] ? 'kept' : 'other'} /= a.size_4;
${[3, 2, 1, 0]
  .map((k) => {
    const name = kept[k] ? 'kept' : 'other';
    return `offset += ${name} % a.size_${k} * a.step_${k}; ${name} /= a.size_${k};\n`;
  })
  .join('')}return ${from}_get_wide(offset + c / a.lanes * a.step_4 + c % a.lanes);
}
`);
  const places = [4, 3, 2, 1, 0].map((k) =>
    kept[k]
      ? `let p${k} = a.start_${k} + rest % a.size_${k}; rest /= a.size_${k};\n`
      : `let p${k} = a.start_${k};\n`,
  );
  return collapse(to, count, inner, {
    neutral: 'vec2<f32>(0.0, 0.0)',
    of: 'of_place(number, j)',
    join: 'add_pair',
    leave: `var rest = number;\n${places.join('')}${into}_put_wide(p0, p1, p2, p3, p4, x);\n`,
  });
}

/** Numbers that many elements make each: `of` gives element j of the number, `join` two of them together, `leave` stores it. */
export function collapse(
  to: Printer,
  count: number,
  inner: number,
  text: { readonly neutral: string; readonly of: string; readonly join: string; readonly leave: string },
): Step {
  const { neutral, of, join, leave } = text;
  if (inner <= 32)
    return to.step(
      `let number = block * ${THREADS} + thread;
if (number >= a.count) { return; }
var x = ${neutral};
for (var j = 0; j < a.inner; j++) { x = ${join}(x, ${of}); }
${leave}`,
      Math.ceil(count / THREADS),
    );
  to.functions.push(`var<workgroup> each: array<vec2<f32>, ${THREADS}>;\n`);
  return to.step(
    `let number = block;
var x = ${neutral};
for (var j = thread; j < a.inner; j += ${THREADS}) { x = ${join}(x, ${of}); }
each[thread] = x;
for (var half = ${THREADS / 2}; half > 0; half /= 2) {
workgroupBarrier();
if (thread < half) { each[thread] = ${join}(each[thread], each[thread + half]); }
}
if (thread > 0) { return; }
x = each[0];
${leave}`,
    count,
  );
}
