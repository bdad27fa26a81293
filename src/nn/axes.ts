import { type Dim, dimOf, fail, hasDim, type Shape, showShape } from '../core/index.ts';

// Which dimensions of an activation are space. An activation is [batch, space..., channel]; the names are the model's own.

/** A setting for every spatial axis, or one for each by name. */
export type PerAxis = number | Readonly<Record<string, number>>;

/** Name of the dimension that counts the images of a batch. */
export const BATCH = 'batch';

/** The channel dimension: the last one. */
export function channelOf(x: { readonly shape: Shape }): Dim {
  return x.shape[x.shape.length - 1];
}

/** Spatial axes: all dimensions but `batch` and the last one. */
export function spaceOf(x: { readonly shape: Shape }, where: string): readonly Dim[] {
  const space = x.shape.slice(0, -1).filter((dim) => dim.name !== BATCH);
  if (space.length === 0)
    fail({
      where,
      problem: 'the input has no spatial dimension',
      expected: `[${BATCH} depth height width channel] or the like`,
      found: showShape(x.shape),
    });
  return space;
}

/** Batch and space: the dimensions that a channel's statistics run over. */
export function allButChannel(x: { readonly shape: Shape }): readonly string[] {
  return x.shape.slice(0, -1).map((dim) => dim.name);
}

/** The value for each spatial axis: a number holds for all, a record names the axes that it means. */
export function perAxis(
  setting: PerAxis,
  x: { readonly shape: Shape },
  where: string,
): Record<string, number> {
  if (typeof setting === 'number')
    return Object.fromEntries(spaceOf(x, where).map((axis) => [axis.name, setting]));
  for (const axis of Object.keys(setting)) dimOf(x.shape, axis, where);
  return { ...setting };
}

/** Number of elements over the named dimensions that `x` has. */
export function countOver(x: { readonly shape: Shape }, over: readonly string[]): number {
  return over.reduce((n, name) => n * (hasDim(x.shape, name) ? dimOf(x.shape, name, 'count').size : 1), 1);
}
