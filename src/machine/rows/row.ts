import type { Shape } from '../../core/index.ts';
import type { SliceAttrs } from '../../ops/index.ts';
import type { LocalValue } from '../../plan/index.ts';
import type { Region, Slots } from '../formats/index.ts';
import type { RowOp } from './table.ts';

// A row: what a kernel computes element by element, as it loads its input (prologue), stores its result (epilogue) or alone. The
// unit of fusion on every device: the CPU interprets it over rows of voxels, others print it as code around a tile kernel.

/** What a load, store or sum goes to. */
export type RowOperand =
  /** A stored tensor. Dimensions of the iteration that it lacks are broadcast, or summed over. */
  | { readonly kind: 'tensor'; readonly value: LocalValue }
  /** A stored slice of the iteration, which takes the positions that it holds, in its own coordinates. */
  | { readonly kind: 'part'; readonly value: LocalValue; readonly ranges: SliceAttrs['ranges'] }
  /** Float64 numbers, one a channel. */
  | { readonly kind: 'vector'; readonly values: readonly number[] };

/** r[dst] = op of the registers `src`; -1 where there is no target or operand. */
export interface RowInstruction {
  readonly op: RowOp;
  readonly dst: number;
  readonly src: readonly number[];
  /** Place in the row's operands: of a load, store or sum; of a random draw its step. */
  readonly operand: number;
  readonly imm: number;
  /** Of a random draw. */
  readonly keys: readonly [number, number];
}

export interface Row {
  /** The iteration: its global dimensions, and which canonical dimension each takes. */
  readonly shape: Shape;
  readonly slots: Slots;
  readonly instructions: readonly RowInstruction[];
  readonly operands: readonly RowOperand[];
  readonly registers: number;
  /** Registers are float64. */
  readonly wide: boolean;
  /** Of an epilogue: the register that the kernel puts its result in; else -1. */
  readonly input: number;
  /** Of a prologue: the register with the value that is loaded; else -1. */
  readonly result: number;
}

/** A row over a region that stores or sums up what a kernel computes. */
export function leaving(
  op: 'STORE' | 'SUM',
  { shape, slots }: Pick<Region, 'shape' | 'slots'>,
  value: LocalValue,
): Row {
  return {
    shape,
    slots,
    instructions: [{ op, dst: -1, src: [0], operand: 0, imm: 0, keys: [0, 0] }],
    operands: [{ kind: 'tensor', value }],
    registers: 1,
    wide: false,
    input: 0,
    result: -1,
  };
}

/** Short text of a row, an instruction a line. */
export function showRow({ instructions, operands, wide, input, result }: Row): string {
  const operand = (at: number): string => {
    const found = operands[at];
    if (found === undefined) return '';
    return found.kind === 'vector'
      ? ` [${found.values.join(' ')}]`
      : ` %${found.value.id}${found.kind === 'part' ? ' part' : ''}`;
  };
  const lines = instructions.map(({ op, dst, src, operand: at, imm, keys }) => {
    const extra = [
      imm === 0 ? '' : ` ${imm}`,
      keys.some((key) => key !== 0) ? ` keys ${keys.join(',')}` : '',
    ].join('');
    return `${dst < 0 ? '' : `r${dst} = `}${op}${src.map((r) => ` r${r}`).join('')}${operand(at)}${extra}`;
  });
  const ends = [
    wide ? 'float64' : '',
    input < 0 ? '' : `result of the kernel in r${input}`,
    result < 0 ? '' : `gives r${result}`,
  ];
  return [...ends.filter((text) => text !== ''), ...lines].join('\n');
}
