import type { Layout, Mesh, Shape } from '../core/index.ts';

// Where a compiler that splits programs itself is to put tensors: every dimension that the layout names over its axis of the mesh.
//
//   shardy  #sdy.sharding<@mesh, [{}, {"depth"}, {}]>
//   gspmd   "{devices=[1,2,1,4]<=[4,2]T(1,0) last_tile_dim_replicate}": parts along each dimension, then copies; the ranks in the
//           order of the mesh's axes, those of the dimensions first

/** Annotations of a layout on a mesh. */
export interface Layouts {
  readonly style: 'shardy' | 'gspmd';
  readonly mesh: Mesh;
  readonly layout: Layout;
}

/** The mesh, which Shardy's annotations name. */
export const meshText = (mesh: Mesh): string =>
  `sdy.mesh @mesh = <[${mesh.axes.map(({ name, size }) => `${JSON.stringify(name)}=${size}`).join(', ')}]>`;

/** The axis of the mesh over which a layout puts each dimension. */
export const axesOf = ({ layout }: Layouts, shape: Shape): (string | undefined)[] =>
  shape.map(({ name }) => (Object.hasOwn(layout, name) ? layout[name] : undefined));

/** The attribute of an argument or result. */
export function shardingText(layouts: Layouts, shape: Shape): string {
  const { style, mesh } = layouts;
  const axes = axesOf(layouts, shape);
  if (style === 'shardy') return `sdy.sharding = #sdy.sharding${blockText(axes)}`;
  return `mhlo.sharding = "${tiled(mesh, axes)}"`;
}

function tiled({ axes: all, size }: Mesh, axes: readonly (string | undefined)[]): string {
  const number = (axis: string): number => all.findIndex(({ name }) => name === axis);
  const split = axes.filter((axis) => axis !== undefined);
  if (split.length === 0) return '{replicated}';
  const parts = axes.map((axis) => (axis === undefined ? 1 : all[number(axis)].size));
  const copies = size / parts.reduce((product, n) => product * n, 1);
  const order = [...split.map(number), ...all.flatMap(({ name }, i) => (split.includes(name) ? [] : [i]))];
  const devices = `devices=[${[...parts, ...(copies > 1 ? [copies] : [])].join(',')}]`;
  const ranks = numbered(
    all.map((axis) => axis.size),
    order,
  );
  return `{${devices}<=${ranks}${copies > 1 ? ' last_tile_dim_replicate' : ''}}`;
}

/**
 * Ranks in an order of the mesh's axes: `[2,4]T(1,0)`. Axes that stay beside each other count as one and those of one part as none,
 * since XLA takes no other spelling.
 */
function numbered(sizes: readonly number[], order: readonly number[]): string {
  const runs: number[][] = [];
  for (const axis of order.filter((i) => sizes[i] > 1)) {
    const last = runs.at(-1);
    const next = last && sizes.findIndex((size, i) => i > last[last.length - 1] && size > 1);
    if (last && next === axis) last.push(axis);
    else runs.push([axis]);
  }
  const before = runs.toSorted((a, b) => a[0] - b[0]);
  const merged = before.map((run) => run.reduce((product, i) => product * sizes[i], 1));
  const places = runs.map((run) => before.indexOf(run));
  const turned = places.every((place, i) => place === i) ? '' : `T(${places.join(',')})`;
  return `[${merged.join(',')}]${turned}`;
}

/** Where a tensor of a program that is split already lies: cut along each dimension over an axis of the mesh, or not. */
export function blockText(axes: readonly (string | undefined)[]): string {
  return `<@mesh, [${axes.map((axis) => (axis === undefined ? '{}' : `{${JSON.stringify(axis)}}`)).join(', ')}]>`;
}
