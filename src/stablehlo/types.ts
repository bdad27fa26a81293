import type { DType } from '../core/index.ts';

/** Element types of StableHLO that programs use: those of tensors, truth values, and whole numbers for indices and random bits. */
export type Element = DType | 'i1' | 'u32' | 'u64';

/** A tensor of a printed function: its name there, `%12`, and what it is. */
export interface Tensor {
  readonly id: string;
  readonly element: Element;
  readonly sizes: readonly number[];
}

const NAMES: Readonly<Record<Element, string>> = {
  f32: 'f32',
  bf16: 'bf16',
  f64: 'f64',
  u8: 'ui8',
  i32: 'i32',
  i1: 'i1',
  u32: 'ui32',
  u64: 'ui64',
};

/** Bits of what decimals do not say. */
const BITS: Readonly<
  Record<'f32' | 'bf16' | 'f64', readonly [infinity: string, minus: string, nan: string]>
> = {
  f32: ['0x7F800000', '0xFF800000', '0x7FC00000'],
  bf16: ['0x7F80', '0xFF80', '0x7FC0'],
  f64: ['0x7FF0000000000000', '0xFFF0000000000000', '0x7FF8000000000000'],
};

export const isFloat = (element: Element): element is 'f32' | 'bf16' | 'f64' =>
  element === 'f32' || element === 'bf16' || element === 'f64';

/** `tensor<2x3xf32>` */
export function typeText(element: Element, sizes: readonly number[]): string {
  return `tensor<${[...sizes, NAMES[element]].join('x')}>`;
}

export const typeOf = ({ element, sizes }: Pick<Tensor, 'element' | 'sizes'>): string =>
  typeText(element, sizes);

/** A number as an element of a constant: float32 ones rounded first, so that text and memory hold the same. */
export function literal(element: Element, value: number): string {
  if (element === 'i1') return value === 0 ? 'false' : 'true';
  if (!isFloat(element)) return String(value);
  if (Number.isNaN(value)) return BITS[element][2];
  const rounded = element === 'f32' ? shortest(Math.fround(value)) : value;
  if (!Number.isFinite(rounded)) return BITS[element][rounded > 0 ? 0 : 1];
  if (Object.is(rounded, -0)) return '-0.0';
  const [digits, exponent] = String(rounded).split('e');
  const point = digits.includes('.') ? digits : `${digits}.0`;
  return exponent === undefined ? point : `${point}e${exponent}`;
}

/** The number with the fewest digits that float32 rounds to the same. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Object.is(Math.fround(short), value)) return short;
  }
  return value;
}

/** `[1, 2]` */
export const list = (items: readonly (number | string)[]): string => `[${items.join(', ')}]`;

export const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);
