import { fail } from './errors.ts';

/** A named dimension. Names are the language of layouts: `depth`, `height`, `width`, `channel`, `batch`. */
export interface Dim {
  readonly name: string;
  readonly size: number;
}

/** An ordered list of dimensions with distinct names. The last one is stored innermost. */
export type Shape = readonly Dim[];

/** Builds a shape from `{ name: size }`, in the order given: `shape({ batch: 1, depth: 64, channel: 16 })`. */
export function shape(sizes: Readonly<Record<string, number>>): Shape {
  const dims = Object.entries(sizes).map(([name, size]) => ({ name, size }));
  checkShape(dims, 'shape');
  return dims;
}

/** Refuses repeated names and sizes that are not positive whole numbers. */
export function checkShape(dims: Shape, where: string): void {
  const seen = new Set<string>();
  for (const { name, size } of dims) {
    if (seen.has(name))
      fail({
        where,
        problem: `dimension "${name}" appears twice in ${showShape(dims)}`,
        hint: 'Dimensions of one tensor need distinct names',
      });
    seen.add(name);
    if (!Number.isSafeInteger(size) || size < 1)
      fail({
        where,
        problem: `dimension "${name}" has an impossible size`,
        expected: 'a whole number of at least 1',
        found: String(size),
      });
  }
}

/** Number of elements; 1 for a scalar. */
export function volume(dims: Shape): number {
  return dims.reduce((product, dim) => product * dim.size, 1);
}

export function dimIndex(dims: Shape, name: string): number {
  return dims.findIndex((dim) => dim.name === name);
}

export function hasDim(dims: Shape, name: string): boolean {
  return dims.some((dim) => dim.name === name);
}

export function dimOf(dims: Shape, name: string, where: string): Dim {
  const found = dims.find((dim) => dim.name === name);
  if (!found)
    return fail({
      where,
      problem: `no dimension "${name}"`,
      expected: `one of ${dims.map((d) => d.name).join(', ') || 'none: a scalar'}`,
      found: `"${name}"`,
    });
  return found;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim.name === b[i].name && dim.size === b[i].size);
}

/** `[batch=1 depth=64 channel=16]` */
export function showShape(dims: Shape): string {
  return `[${dims.map((dim) => `${dim.name}=${dim.size}`).join(' ')}]`;
}

/** Elements to skip for one step along each dimension, row-major (last dimension innermost). */
export function rowMajorStrides(sizes: readonly number[]): number[] {
  const strides = new Array<number>(sizes.length);
  let step = 1;
  for (let i = sizes.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= sizes[i];
  }
  return strides;
}
