import { boxBySlots, type Region } from '../../formats/index.ts';
import type { Row } from '../../rows/index.ts';
import { Arguments, useOf } from '../arguments.ts';
import { fixedStep, type Maker, type Step } from '../maker.ts';
import { type CudaTensor, placed } from '../tensors.ts';
import { finish } from './frame.ts';
import { type Printer, THREADS } from './printer.ts';
import { printRow, type RowFunction } from './row.ts';
import { BLOCK, blocksOf, type Contraction, channelsOf, product } from './tile.ts';

// What convolutions on tensor cores share: weights in the order of matrices, and the epilogue, 8 channels of a position a thread.

export const LANES = 8;
/** Numbers from one position to the next where results wait for the epilogue: keeps banks apart. */
export const STEP = 18;
/** Words of shared memory that the sums of a block take. */
export const SUMS_WORDS = 2 * 9 * THREADS;

/**
 * Weights as bfloat16 matrices, by blocks of outputs, blocks of inputs, place of the kernel. `turned`: places from the last to the first.
 */
export function pack(
  { sources, weight: { slots, box } }: Contraction,
  weight: CudaTensor,
  make: Maker,
  sizes: {
    readonly inputs: number;
    readonly outputs: number;
    readonly turned: boolean;
    readonly woven?: boolean;
  },
): { address: number; steps: Step[] } {
  const place = placed(weight, slots);
  const { start, size } = boxBySlots(weight.shape, box, slots);
  const places = product(size.slice(1, 4));
  const bytes = 16 * 32 * sizes.inputs * sizes.outputs * places;
  const address = make.scratch(bytes);
  let [channel, first] = [start[0], 0];
  const steps = sources.map((source) => {
    const [rows, inputs] = [channelsOf(source), blocksOf(source)];
    const count = inputs * sizes.outputs * places * 32;
    const args = new Arguments();
    args.anyView('from', weight, place, false);
    args.pointer('to', 'Four', address, useOf({ address, bytes }, true));
    args.longs('start', [channel, ...start.slice(1)]);
    const numbers = {
      rows,
      inputs,
      first,
      all: sizes.inputs,
      turned: Number(sizes.turned),
      woven: Number(sizes.woven ?? false),
      count,
    };
    for (const [name, value] of Object.entries(numbers)) args.long(name, value);
    channel += rows;
    first += inputs;
    return fixedStep('pack', args, count);
  });
  return { address, steps };
}

/** The row that a kernel's results go through, and where its sums lie: two halves of a block of channels by group and tile. */
export class Ending {
  readonly row: RowFunction;
  readonly sums: number;
  private readonly part: number;
  private readonly make: Maker;
  private readonly out: Region;
  private readonly epilogue: Row;
  private readonly grid: { readonly tiles: number; readonly outputs: number };

  /** `tiles`: blocks of threads that share a batch and a block of channels. */
  constructor(
    make: Maker,
    to: Printer,
    { out, epilogue }: Contraction,
    grid: { readonly tiles: number; readonly outputs: number; readonly cases: number },
  ) {
    const { start, size } = boxBySlots(out.shape, out.box, out.slots);
    this.make = make;
    this.out = out;
    this.epilogue = epilogue;
    this.grid = grid;
    this.row = printRow(to, epilogue, { first: start[4], channels: size[4], lanes: LANES });
    this.sums = this.row.sums.length * LANES;
    this.part = this.sums > 0 ? make.scratch(16 * grid.tiles * grid.outputs * grid.cases * this.sums) : 0;
    if (this.sums > 0) to.args.pointer('part', 'double', this.part);
  }

  /** Bytes of shared memory behind `words` others: sums by thread, which would leave too few registers to the products. */
  get bytes(): number {
    return 8 * this.sums * THREADS;
  }

  /** Before all tiles; `half`, `n` and `out` are known, `words` is shared memory of which others take some. */
  begin(words: number): string {
    const { row, sums } = this;
    const room = `  double *const total = (double *)(words + ${words}) + thread;
  for (int i = 0; i < ${sums}; i++) total[i * block_threads] = 0;
`;
    return `  const int c = (int)a.start[4] + ${BLOCK} * out + 8 * half;
  const ${row.name}_fixed fixed = ${row.name}_begin(a, n, c, ${LANES});
${sums > 0 ? room : ''}`;
  }

  /** The epilogue of results in shared memory, of which `count` positions are numbered: `place` gives d, h and w of number v, or goes on. */
  tile(count: number, place: string): string {
    const { row, sums } = this;
    return `    {
      ${sums > 0 ? `double sums[${sums}];\n      for (int i = 0; i < ${sums}; i++) sums[i] = 0;` : 'double *const sums = 0;'}
      for (int v = thread / 2; v < ${count}; v += block_threads / 2) {
${place}        float x[8];
        HM_LANES(8) x[l] = results[v * ${STEP} + 8 * half + l];
        ${row.name}(a, fixed, n, d, h, w, c, ${LANES}, x, sums);
      }
${sums > 0 ? `      for (int i = 0; i < ${sums}; i++) total[i * block_threads] += sums[i];\n` : ''}    }
`;
  }

  /** After all tiles; the two halves of the channels apart. */
  get end(): string {
    const { sums } = this;
    if (sums === 0) return '';
    return `  for (int part = 0; part < 2; part++) {
    double own[${sums}];
    for (int i = 0; i < ${sums}; i++) own[i] = part == half ? total[i * block_threads] : 0.0;
    __syncthreads();
    block_sums_in((double *)words, own, a.part + ((i64)(group * 2 + part) * a.tiles + place) * ${sums});
  }
`;
  }

  /** The ends of the sums. */
  steps(): Step[] {
    const { row, sums, part, make, out, epilogue, grid } = this;
    return row.sums.flatMap(({ operand: number }, k) => {
      const operand = epilogue.operands[number];
      if (operand.kind !== 'tensor') return [];
      const step = [grid.outputs * 2 * grid.tiles * sums, 0, 0, 0, grid.tiles * sums];
      const parts = { part: part + 8 * k * LANES, step, lanes: LANES, tiles: grid.tiles, tileStep: sums };
      return [finish(make, out, operand.value, parts)];
    });
  }
}
