import type { Layout, Mesh, Shape } from '../core/index.ts';

// Where a compiler that splits programs itself is to put tensors: every dimension that the layout names over its axis of the mesh.
//
//   shardy  #sdy.sharding<@mesh, [{}, {"depth"}, {}]>
//   gspmd   "{devices=[1,2,1,4]<=[2,4] last_tile_dim_replicate}": parts along each dimension, then copies; the ranks in the order
//           of the mesh's axes, those of the dimensions first

/** Annotations of a layout on a mesh. */
export interface Layouts {
  readonly style: 'shardy' | 'gspmd';
  readonly mesh: Mesh;
  readonly layout: Layout;
}

/** The mesh, which Shardy's annotations name. */
export function meshText({ style, mesh }: Layouts): string[] {
  if (style === 'gspmd') return [];
  return [
    `sdy.mesh @mesh = <[${mesh.axes.map(({ name, size }) => `${JSON.stringify(name)}=${size}`).join(', ')}]>`,
  ];
}

/** The attribute of an argument or result. */
export function shardingText({ style, mesh, layout }: Layouts, shape: Shape): string {
  const axes = shape.map(({ name }) => (Object.hasOwn(layout, name) ? layout[name] : undefined));
  if (style === 'shardy') {
    const dims = axes.map((axis) => (axis === undefined ? '{}' : `{${JSON.stringify(axis)}}`));
    return `sdy.sharding = #sdy.sharding<@mesh, [${dims.join(', ')}]>`;
  }
  return `mhlo.sharding = "${tiled(mesh, axes)}"`;
}

function tiled({ axes: all, size }: Mesh, axes: readonly (string | undefined)[]): string {
  const number = (axis: string): number => all.findIndex(({ name }) => name === axis);
  const split = axes.filter((axis) => axis !== undefined);
  if (split.length === 0) return '{replicated}';
  const parts = axes.map((axis) => (axis === undefined ? 1 : all[number(axis)].size));
  const copies = size / parts.reduce((product, n) => product * n, 1);
  const order = [...split.map(number), ...all.flatMap(({ name }, i) => (split.includes(name) ? [] : [i]))];
  const turned = order.every((axis, i) => axis === i) ? '' : `T(${order.join(',')})`;
  const devices = `devices=[${[...parts, ...(copies > 1 ? [copies] : [])].join(',')}]`;
  const ranks = `<=[${all.map((axis) => axis.size).join(',')}]${turned}`;
  return `{${devices}${ranks}${copies > 1 ? ' last_tile_dim_replicate' : ''}}`;
}

/** The mesh of a program that all ranks run over their own blocks: one axis, along which they are numbered. */
export const ranksText = (ranks: number): string => `sdy.mesh @mesh = <["rank"=${ranks}]>`;

/** Where a tensor of such a program lies: the blocks of all ranks one after the other along its first dimension, or all of it on each. */
export function blockText(dims: number, stacked: boolean): string {
  const each = Array.from({ length: dims }, (_, i) => (stacked && i === 0 ? '{"rank"}' : '{}'));
  return `<@mesh, [${each.join(', ')}]>`;
}
