import { type Affine, isUsableAffine } from '../volume/affine.ts';
import { unitInMm } from '../volume/length-units.ts';
import { affineFromRas } from './raw-voxels.ts';
import { HeaderFields } from './text-header.ts';

/** Which way x and y of a space point; z always points to the head. */
const spaces: ReadonlyMap<string, readonly [x: 'R' | 'L', y: 'A' | 'P']> = new Map([
  ['right-anterior-superior', ['R', 'A']],
  ['ras', ['R', 'A']],
  ['left-anterior-superior', ['L', 'A']],
  ['las', ['L', 'A']],
  ['left-posterior-superior', ['L', 'P']],
  ['lps', ['L', 'P']],
]);

/**
 * The affine in mm of the axes of an NRRD header. Without a `space` nothing is known of the orientation; as in ITK the axes then
 * count as LPS. Throws ImagingError for axes or units that make no sense.
 */
export function affineOfNrrd(fields: HeaderFields): { affine: Affine; oriented: boolean } {
  const space = fields.get('space')?.toLowerCase();
  const toward = spaces.get(space ?? 'lps');
  if (toward === undefined) {
    const expected = 'right-anterior-superior, left-anterior-superior or left-posterior-superior';
    return fields.fail('space', expected, space ?? 'nothing');
  }
  const directions = fields.get('space directions');
  const { ofSpace, ofAxes } = unitsOf(fields, directions !== undefined);
  const inMm = (lengths: readonly number[]) => lengths.map((length, axis) => length * ofSpace[axis]);
  const toRas = ([x, y, z]: readonly number[]) => [toward[0] === 'L' ? -x : x, toward[1] === 'P' ? -y : y, z];
  const columns =
    directions === undefined
      ? spacingColumns(fields, ofAxes)
      : vectors(fields, 'space directions', 3).map(inMm);
  const origin = fields.get('space origin') === undefined ? [0, 0, 0] : vectors(fields, 'space origin', 1)[0];
  const affine = affineFromRas(columns.map(toRas), toRas(inMm(origin)));
  if (!isUsableAffine(affine)) {
    fields.fail('space directions', 'three axes that span space', directions ?? fields.get('spacings') ?? '');
  }
  return { affine, oriented: space !== undefined && directions !== undefined };
}

/** mm of the units of each axis of space, and of each axis of the array. */
interface Units {
  readonly ofSpace: readonly number[];
  readonly ofAxes: readonly number[];
}

/**
 * `space units` are those of directions and origin, `units` those of spacings. Some programs write `units` beside directions; they
 * are taken then where they are one unit and nothing contradicts them.
 */
function unitsOf(fields: HeaderFields, hasDirections: boolean): Units {
  const space = unitsIn(fields, 'space units');
  const axes = unitsIn(fields, 'units');
  const alike = axes?.every((mm) => mm === axes[0]) ?? false;
  if (hasDirections && axes !== undefined) {
    const agrees = alike && (space ?? axes).every((mm) => mm === axes[0]);
    if (!agrees) fields.fail('units', 'those of space units, or none', fields.need('units'));
  }
  const none = [1, 1, 1];
  return { ofSpace: space ?? (alike ? axes : undefined) ?? none, ofAxes: axes ?? space ?? none };
}

/** `"mm" "mm" "um"`, or without quotes, or one for all; undefined where nothing is said. */
function unitsIn(fields: HeaderFields, name: string): number[] | undefined {
  const text = fields.get(name, name.replace(' ', ''));
  if (text === undefined) return undefined;
  const found = [...text.matchAll(/"([^"]*)"|'([^']*)'|([^\s"',]+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare,
  );
  if (found.length !== 3 && found.length !== 1) fields.fail(name, 'three units such as "mm" "mm" "mm"', text);
  const words = found.length === 1 ? [found[0], found[0], found[0]] : found;
  if (words.every((word) => /^\??$/.test(word))) return undefined;
  return words.map((word) => {
    const hint = 'Write the file again with lengths in mm.';
    return unitInMm(word) ?? fields.fail(name, 'units of length such as mm, um, cm or m', word, hint);
  });
}

/** `(1,0,0) (0,1,0) (0,0,3)` */
function vectors(fields: HeaderFields, name: string, count: number): number[][] {
  const text = fields.need(name);
  const found = text.match(/\([^()]*\)/g) ?? [];
  if (found.length !== count || text.replace(/\([^()]*\)/g, '').trim() !== '')
    fields.fail(name, `${count} vectors such as (1,0,0)`, text);
  return found.map((vector) => fields.numbers(name, vector.slice(1, -1).replaceAll(',', ' '), 3));
}

function spacingColumns(fields: HeaderFields, units: readonly number[]): number[][] {
  const text = fields.get('spacings') ?? '1 1 1';
  const values = fields.numbers('spacings', text, 3);
  if (!values.every((value) => value > 0)) fields.fail('spacings', 'positive numbers', text);
  const [x, y, z] = values.map((value, axis) => value * units[axis]);
  return [
    [x, 0, 0],
    [0, y, 0],
    [0, 0, z],
  ];
}

/** Fields with an entry for each axis, apart by white space; texts in quotes and vectors are one entry. */
const perAxis = [
  'sizes',
  'kinds',
  'space directions',
  'spacings',
  'units',
  'centers',
  'centerings',
  'labels',
  'thicknesses',
  'axis mins',
  'axismins',
  'axis maxs',
  'axismaxs',
];

/** Kinds of axes that are places, and not what stands at one. */
const places = new Set(['domain', 'space']);

const entriesOf = (text: string): string[] => text.match(/"[^"]*"|\([^()]*\)|[^\s"()]+/g) ?? [];

/**
 * The fields of a header of three dimensions; of one of four, without the axis that is a list of a single element, as exports of
 * vectors and colours of one component are, and segmentations of one layer. Throws ImagingError for other numbers of dimensions, and
 * where no axis, or more than one, is such a list.
 */
export function withoutListAxis(fields: HeaderFields): HeaderFields {
  const dimension = fields.need('dimension');
  if (dimension === '3') return fields;
  const hint = 'Export the scan as one 3-D volume.';
  if (dimension !== '4')
    return fields.fail('dimension', '3, or 4 with a list of one element', dimension, hint);
  const sizes = fields.sizes('sizes', fields.need('sizes'), 4);
  const kinds = entriesOf(fields.get('kinds') ?? '').map((kind) => kind.toLowerCase());
  const directions = entriesOf(fields.get('space directions') ?? '').map((entry) => entry.toLowerCase());
  const isList = (axis: number): boolean => {
    if (sizes[axis] !== 1) return false;
    if (directions.length === 4) return directions[axis] === 'none';
    return kinds.length === 4 ? !places.has(kinds[axis]) : axis === 0;
  };
  const lists = [0, 1, 2, 3].filter(isList);
  if (lists.length !== 1)
    return fields.fail(
      'dimension',
      '3, or 4 with a list of one element',
      `4, sizes ${sizes.join(' ')}`,
      hint,
    );
  const left = new Map(fields.names().map((name) => [name, fields.need(name)]));
  left.set('dimension', '3');
  for (const name of perAxis) {
    const text = left.get(name);
    if (text === undefined) continue;
    const entries = entriesOf(text);
    // One unit may hold for all axes.
    if (entries.length === 4) left.set(name, entries.toSpliced(lists[0], 1).join(' '));
  }
  return new HeaderFields(fields.file, left);
}
