// The lanes of a position in WGSL: one number, a short vector, or several vectors of four of which the last may have lanes to spare.

/** Parts of so many lanes: how many there are, and the width of each. */
export interface Parts {
  readonly count: number;
  readonly width: number;
}

export function partsOf(lanes: number): Parts {
  return lanes <= 4 ? { count: 1, width: lanes } : { count: Math.ceil(lanes / 4), width: 4 };
}

/** Type of a part. */
export const typeOf = (width: number): string => (width === 1 ? 'f32' : `vec${width}<f32>`);

/** Text for each part, by its number. */
export const eachPart = ({ count }: Parts, text: (p: number) => string): string =>
  Array.from({ length: count }, (_, p) => text(p)).join('');

/** Lane `l` of the parts of `name`. */
export function laneOf(name: string, { width }: Parts, l: number): string {
  return width === 1 ? `${name}_0` : `${name}_${Math.floor(l / width)}[${l % width}]`;
}

/** The same number in a part. */
export const splat = (width: number, number: string): string =>
  width === 1 ? number : `${typeOf(width)}(${number})`;

/** Name of the struct with the parts of so many lanes. */
export const structOf = (lanes: number): string => `Lanes${lanes}`;

/** Its declaration: members `p0`, `p1` and so on. */
export function structText(lanes: number): string {
  const parts = partsOf(lanes);
  return `struct ${structOf(lanes)} { ${eachPart(parts, (p) => `p${p}: ${typeOf(parts.width)}, `)}}\n`;
}

/** Variables NAME_0 and so on, of the parts of a struct. */
export const unpack = (name: string, lanes: number, value: string): string =>
  `let ${name}_ = ${value};\n${eachPart(partsOf(lanes), (p) => `let ${name}_${p} = ${name}_.p${p}; `)}\n`;

/** Variables NAME_0 and so on, of one number. */
export function declare(name: string, lanes: number, number = '0.0'): string {
  const { width, ...parts } = partsOf(lanes);
  return `${eachPart({ width, ...parts }, (p) => `var ${name}_${p} = ${splat(width, number)}; `)}\n`;
}

/** Variables NAME_0 and so on as a struct. */
export const pack = (name: string, lanes: number): string =>
  `${structOf(lanes)}(${Array.from({ length: partsOf(lanes).count }, (_, p) => `${name}_${p}`).join(', ')})`;

/** A number as WGSL text of type f32: numbers that are none are made at run time, since the compiler takes none. */
export function literal(x: number): string {
  const bits = (hex: string) => `bitcast<f32>(${hex}u ^ a.zero)`;
  const rounded = Math.fround(x);
  if (Number.isNaN(rounded)) return bits('0x7fc00000');
  if (!Number.isFinite(rounded)) return bits(rounded > 0 ? '0x7f800000' : '0xff800000');
  const text = String(rounded);
  const number = /[.e]/.test(text) ? text : `${text}.0`;
  return rounded < 0 || Object.is(rounded, -0)
    ? `(${Object.is(rounded, -0) ? '-0.0' : number})`
    : `${number}`;
}
