import { classNamesProblem } from '../store/dataset-names.ts';
import { ImagingError } from '../volume/errors.ts';
import { IGNORED, type LabelRegion } from '../volume/label-codes.ts';

// Regions of nnU-Net v2: `labels` names lists of values, which may overlap, and `regions_class_order` says which value a
// segmentation gets where a region is found; later ones are written over earlier ones.

/** The `labels` of a dataset.json: values by names, or lists of values. */
export type GivenLabels = ReadonlyMap<string, string | number | readonly number[]>;

/** A region as a dataset.json names it. */
export interface NamedRegion {
  readonly name: string;
  /** Values of label maps that belong to it. */
  readonly values: readonly number[];
  /** The one of them that segmentations are written with. */
  readonly value: number;
}

/** The name in a dataset.json that marks voxels to leave out. */
export const IGNORE = 'ignore';

const isList = (entry: unknown): entry is readonly number[] => Array.isArray(entry);

/** Whether labels are regions: any of them has several values. */
export const hasRegions = (labels: GivenLabels): boolean =>
  [...labels.values()].some((entry) => isList(entry) && entry.length > 1);

/**
 * The regions of a data set in the order in which they are written, and names of the values that label maps have: that of the region
 * which has the value alone, else `label 2`. Throws ImagingError that names `file` for what makes none.
 */
export function regionsOf(
  labels: GivenLabels,
  order: readonly number[] | undefined,
  file: string,
): { readonly names: ReadonlyMap<number, string>; readonly regions: readonly NamedRegion[] } {
  const refuse = (field: string, expected: string, found: string): never => {
    throw new ImagingError({ file, field, expected, found });
  };
  const show = (values: readonly unknown[]): string => `[${values.slice(0, 20).join(', ')}]`;
  const names = new Map<number, string>();
  const given: { name: string; values: readonly number[] }[] = [];
  for (const [name, entry] of labels) {
    const field = `labels.${name}`;
    if (typeof entry === 'string') refuse(field, 'a value, or a list of values', `"${entry}"`);
    const values = isList(entry) ? entry : [entry as number];
    if (values.length === 0) refuse(field, 'at least one value', 'none');
    for (const value of values)
      if (!(Number.isInteger(value) && value >= 0 && value < 256))
        refuse(field, 'values from 0 to 255', `${value}`);
    if (new Set(values).size < values.length) refuse(field, 'each value once', show(values));
    const apart = values[0] === 0 ? 'background' : name === IGNORE ? IGNORE : undefined;
    if (apart === undefined) given.push({ name, values });
    else if (values.length > 1) refuse(field, `one value of the ${apart}`, show(values));
    else if (names.has(values[0]))
      refuse(field, 'a value of its own', `${values[0]} of "${names.get(values[0])}"`);
    else names.set(values[0], name);
  }
  if (!names.has(0)) refuse('labels', 'a name for 0, the background, beside regions', 'none');
  const problem = classNamesProblem([names.get(0), ...given.map(({ name }) => name)]);
  if (problem !== undefined) refuse('labels', 'one name for each region', problem);
  const wanted = `${given.length} values, one for each of ${given.map(({ name }) => name).join(', ')}`;
  if (order === undefined) refuse('regions_class_order', wanted, 'nothing');
  if (order!.length !== given.length || new Set(order).size < given.length)
    refuse('regions_class_order', `${wanted}, each once`, show(order!));
  const regions = given.map(({ name, values }, n): NamedRegion => {
    const value = order![n];
    const others = values.filter((one) => names.get(one) !== undefined);
    if (others.length > 0)
      refuse(`labels.${name}`, 'no value of the background or of what is ignored', show(values));
    if (!values.includes(value))
      refuse(`regions_class_order.${n}`, `a value of "${name}", one of ${values.join(', ')}`, `${value}`);
    return { name, values, value };
  });
  for (const value of new Set(given.flatMap(({ values }) => values))) {
    const own = given.find(({ values }) => values.length === 1 && values[0] === value);
    names.set(value, own?.name ?? `label ${value}`);
  }
  return { names, regions };
}

/**
 * The same by classes, once it is known which class (or {@link IGNORED}) each value is: values that stand for the background or
 * are left out belong to no region.
 */
export function regionsByClass(
  regions: readonly NamedRegion[],
  classOf: Readonly<Record<string, number>>,
  file: string,
): readonly LabelRegion[] {
  const found = regions.map(({ name, values, value }) => {
    const classes = [...new Set(values.map((one) => classOf[one]))].filter(
      (cls) => cls > 0 && cls !== IGNORED,
    );
    classes.sort((a, b) => a - b);
    const written = classOf[value];
    if (!classes.includes(written))
      throw new ImagingError({
        file,
        field: 'map of labels',
        expected: `a value of the region "${name}" for ${value}, which it is written with`,
        found: written === IGNORED ? 'ignore' : 'the background',
      });
    return { name, classes, written };
  });
  for (const [n, { name, written }] of found.entries()) {
    const other = found.slice(0, n).find((one) => one.written === written);
    if (other === undefined) continue;
    const expected = 'values of their own that regions are written with';
    throw new ImagingError({
      file,
      field: 'map of labels',
      expected,
      found: `one for "${other.name}" and "${name}"`,
    });
  }
  return found;
}
