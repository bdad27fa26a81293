import { type Affine, isUsableAffine } from '../volume/affine.ts';
import { unitInMm } from '../volume/length-units.ts';
import { affineFromRas } from './raw-voxels.ts';
import type { HeaderFields } from './text-header.ts';

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
