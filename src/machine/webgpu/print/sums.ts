import { boxBySlots, presentIn, type Region, SLOT_C, SLOT_N } from '../../formats/index.ts';
import type { Maker } from '../maker.ts';
import type { Step } from '../step.ts';
import { placed } from '../tensors.ts';
import { typeOf } from './lanes.ts';
import { type Printer, THREADS } from './printer.ts';

// The ends of sums: over the threads of a workgroup, then over workgroups, as pairs and always in one order.

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
