import { type Box, range } from './box.ts';
import { fail } from './errors.ts';
import { type Mesh, meshCoordinates } from './mesh.ts';
import { shortened, shownValue } from './printable.ts';
import type { Shape } from './shape.ts';

/** Which mesh axis splits which dimension, by name. Dimensions that it does not name stay whole. */
export type Layout = Readonly<Record<string, string>>;

/** Refuses axes that the mesh lacks and axes used twice. `where` is what errors call the layout, as that of {@link mesh}. */
export function checkLayout(m: Mesh, layout: Layout, where = 'layout'): void {
  const used = new Map<string, string>();
  for (const [dim, axis] of Object.entries(layout)) {
    if (!m.axes.some((a) => a.name === axis))
      fail({
        where,
        problem: `dimension "${dim}" is laid on mesh axis ${shownValue(axis)}, which the mesh lacks`,
        expected: shortened(m.axes.map((a) => a.name).join(', '), 200) || 'no axis: the mesh is one rank',
        found: shownValue(axis),
      });
    const other = used.get(axis);
    if (other !== undefined)
      fail({
        where,
        problem: `dimensions "${other}" and "${dim}" are both laid on mesh axis ${shownValue(axis)}`,
        hint: 'Give each split dimension a mesh axis of its own',
      });
    used.set(axis, dim);
  }
}

/** Even cuts of `size` over `parts`: 482 over 5 gives 0, 97, 194, 290, 386, 482. Blocks may be empty. */
export function evenCuts(size: number, parts: number): number[] {
  const small = Math.floor(size / parts);
  const extra = size % parts;
  return Array.from({ length: parts + 1 }, (_, i) => i * small + Math.min(i, extra));
}

/**
 * Where the blocks of each dimension begin. Cuts belong to a dimension's name and size: every tensor with that dimension
 * is cut alike, so that element-wise operations are local. Sizes that a window derives from another follow its cuts.
 */
export class CutTable {
  readonly mesh: Mesh;
  readonly layout: Layout;
  private readonly cuts = new Map<string, readonly number[]>();

  constructor(m: Mesh, layout: Layout) {
    checkLayout(m, layout);
    this.mesh = m;
    this.layout = layout;
  }

  /** Mesh axis of a dimension, or undefined when it stays whole. */
  axisOf(dim: string): string | undefined {
    return Object.hasOwn(this.layout, dim) ? this.layout[dim] : undefined;
  }

  has(dim: string, size: number): boolean {
    return this.cuts.has(`${dim}:${size}`);
  }

  /** Fixes the cuts of a dimension and size once; later calls change nothing. */
  define(dim: string, size: number, cuts: readonly number[]): void {
    const key = `${dim}:${size}`;
    if (!this.cuts.has(key)) this.cuts.set(key, cuts);
  }

  /** Cuts of a split dimension: parts + 1 rising numbers from 0 to size. */
  of(dim: string, size: number): readonly number[] {
    const axis = this.mesh.axes.find((a) => a.name === this.axisOf(dim));
    const parts = axis?.size ?? 1;
    this.define(dim, size, evenCuts(size, parts));
    return this.cuts.get(`${dim}:${size}`)!;
  }

  /**
   * The box of a tensor that a rank owns. `splits` tells for each dimension whether it is split here (an operation may
   * need a dimension whole although the layout splits it).
   */
  box(dims: Shape, rank: number, splits: readonly boolean[] = dims.map(() => true)): Box {
    const at = meshCoordinates(this.mesh, rank);
    return dims.map((dim, i) => {
      const axis = this.axisOf(dim.name);
      if (axis === undefined || !splits[i]) return range(0, dim.size);
      const position = at[this.mesh.axes.findIndex((a) => a.name === axis)];
      const cuts = this.of(dim.name, dim.size);
      return range(cuts[position], cuts[position + 1]);
    });
  }
}
