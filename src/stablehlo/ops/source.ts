import { type Attrs, wholeBox } from '../../core/index.ts';
import type { BroadcastAttrs, CastAttrs, ConstantAttrs, TableAttrs } from '../../ops/index.ts';
import type { Held } from '../frames.ts';
import type { Rule } from './site.ts';

// Numbers that are given, and numbers in other types.

/** The same number everywhere. */
export const fill: Rule<ConstantAttrs> = ({ writer, attrs, frame }) => [
  writer.constant(writer.elementOf(attrs.dtype), attrs.value, frame.sizes),
];

/** Given numbers: whole on every rank, which takes its part. */
export const table: Rule<TableAttrs> = (site) => {
  const { attrs, frame, frames, loops, writer } = site;
  const sizes = attrs.shape.map((dim) => dim.size);
  const held: Held = {
    tensor: writer.table(writer.elementOf(attrs.dtype), sizes, attrs.values),
    shape: attrs.shape,
    dtype: attrs.dtype,
    starts: loops.map(() => sizes.map(() => 0)),
    sizes,
    boxes: loops.map(() => wholeBox(attrs.shape)),
    outside: 'anything',
  };
  return [frames.fetch(held, { frame, boxes: loops })];
};

/** To whole numbers towards zero, else to the nearest. */
export const cast: Rule<CastAttrs> = (site) => [site.asOutput(site.input(0, site.frame))];

export const broadcast: Rule<BroadcastAttrs> = (site) => [site.spread(0, site.frame, site.shape)];

/** The new value of a variable: a result of the program. */
export const assign: Rule<Attrs> = (site) => [site.asOutput(site.input(1, site.frame))];
