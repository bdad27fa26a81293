import { printable } from '../../core/index.ts';
import { classNamesProblem } from '../store/dataset-names.ts';
import { ImagingError } from '../volume/errors.ts';
import { IGNORED, type LabelCodes } from '../volume/label-codes.ts';
import { IGNORE, type NamedRegion, regionsByClass } from './label-regions.ts';

/** Values of label maps and the values that they stand for: `{"4": 3, "255": "ignore"}`. */
export type LabelMapping = Readonly<Record<string, number | 'ignore'>>;

/** Names of classes 0, 1, 2... and what values mean. */
export interface NamedLabels {
  readonly labelNames?: readonly string[];
  readonly labelCodes?: LabelCodes;
}

/**
 * Classes of a data set whose dataset.json gives `named`, names by value, after `mapping`: a value that stands for another has no
 * class of its own, and the others are numbered in rising order. `regions`: sets of values that are found one by one. Throws ImagingError that names `file` where they make no classes.
 */
export function namedLabels(
  named: ReadonlyMap<number, string> | undefined,
  mapping: LabelMapping | undefined,
  file: string,
  regions?: readonly NamedRegion[],
): NamedLabels {
  const moved = new Map(
    Object.entries(mapping ?? {}).filter(([value, to]) => to === IGNORE || Number(value) !== to),
  );
  if (named === undefined) return moved.size === 0 ? {} : { labelCodes: unnamedCodes(moved, file) };
  const values = [...named.keys()]
    .filter((value) => named.get(value) !== IGNORE && !moved.has(`${value}`))
    .sort((a, b) => a - b);
  const labelNames = values.map((value) => named.get(value)!);
  const classOf: Record<string, number> = {};
  for (const [cls, value] of values.entries()) classOf[value] = cls;
  for (const [value, name] of named) if (name === IGNORE) classOf[value] = IGNORED;
  for (const [value, to] of moved) {
    if (to !== IGNORE && !values.includes(to)) {
      const known = values.map((one) => `${one} ${named.get(one)}`).join(', ');
      refuse(file, `one of ${known}, or ignore`, `${value}=${to}`);
    }
    classOf[value] = to === IGNORE ? IGNORED : values.indexOf(to);
  }
  const problem = values[0] !== 0 ? 'no name for 0, the background' : classNamesProblem(labelNames);
  if (problem !== undefined)
    throw new ImagingError({
      file,
      field: 'labels',
      expected: 'names of values, 0 among them',
      found: problem,
    });
  const left = Object.values(classOf).includes(IGNORED);
  if (left && labelNames.length > IGNORED)
    throw new ImagingError({
      file,
      field: 'labels',
      expected: `at most ${IGNORED} classes beside a label to ignore`,
      found: `${labelNames.length}`,
    });
  if (regions !== undefined) {
    const sets = regionsByClass(regions, classOf, file);
    return { labelNames, labelCodes: { classOf, classValues: values, regions: sets } };
  }
  const plain = moved.size === 0 && !left && values.every((value, cls) => value === cls);
  return plain ? { labelNames } : { labelNames, labelCodes: { classOf, classValues: values } };
}

/** Values that no dataset.json names are classes, but for those that stand for others. */
function unnamedCodes(moved: ReadonlyMap<string, number | 'ignore'>, file: string): LabelCodes {
  const classOf: Record<string, number> = {};
  for (let value = 0; value < IGNORED; value++) if (!moved.has(`${value}`)) classOf[value] = value;
  for (const [value, to] of moved) {
    if (to !== IGNORE && classOf[to] !== to) refuse(file, 'a value that stands for itself', `${value}=${to}`);
    classOf[value] = to === IGNORE ? IGNORED : to;
  }
  return { classOf };
}

function refuse(file: string, expected: string, found: string): never {
  throw new ImagingError({ file, field: 'map of labels', expected, found: printable(found) });
}
