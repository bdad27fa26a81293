import { fail } from '../../../core/index.ts';
import { boxBySlots, lanesOf, type Region, SLOT_C } from '../../formats/index.ts';
import type { Row } from '../../rows/index.ts';
import type { Maker } from '../maker.ts';
import type { Step } from '../step.ts';
import { declare, eachPart, pack, partsOf } from './lanes.ts';
import { type Printer, THREADS } from './printer.ts';
import { printRow, type RowFunction } from './row.ts';
import { sumNames } from './row-context.ts';
import { type Lanes, lanesOfRows } from './row-lanes.ts';
import { blockSum, finish, type Parts } from './sums.ts';

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
