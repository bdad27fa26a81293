import { HalomeshError } from '../../core/index.ts';
import { DEVICE_WORDS, type DeviceChoice, isDeviceChoice } from '../../machine/device-names.ts';
import { NORMALIZATIONS, type NormalizationName } from '../../train/config/choices.ts';
import { MOST_SIZE, MOST_VOXELS, SPACING } from '../../train/config/limits.ts';
import { DIMENSIONS } from '../../train/config/split-dimensions.ts';

// Values of flags. Every error names the flag, what is expected and what was found.

/** A command line that asks for something impossible; the process ends with 2. */
export class UsageError extends HalomeshError {}

/** Turns the text after a flag into its value. */
export type Parser<T> = (text: string) => T;

/** Throws the error of a flag whose value is none. */
export function refuse(flag: string, problem: string, expected: string, found: string, hint?: string): never {
  throw new UsageError({ where: flag, problem, expected, found: `"${found}"`, hint });
}

/** A whole number of at least `least` (and at most `most`). */
export function count(flag: string, least = 1, most = Number.MAX_SAFE_INTEGER): Parser<number> {
  const upTo = most === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${most}`;
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    return refuse(flag, 'value', `a whole number of at least ${least}${upTo}`, text);
  };
}

/** A flag that can be given again: all of its values, in order. */
export const repeated = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
];

/** `1,2,4` as rising whole numbers, each at most `most`. */
export function counted(flag: string, most?: number): Parser<readonly number[]> {
  return (text) => {
    const numbers = text.split(',').map((part) => count(flag, 1, most)(part.trim()));
    return [...new Set(numbers)].sort((a, b) => a - b);
  };
}

/** A number above 0. */
export function positive(flag: string, unit = ''): Parser<number> {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value) && value > 0) return value;
    return refuse(flag, 'value', `a number above 0${unit}`, text);
  };
}

function sized(flag: string, unit: string, inMm: number): Parser<number> {
  const [least, most] = [SPACING.least / inMm, SPACING.most / inMm];
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= least && value <= most) return value;
    return refuse(flag, 'value', `a number from ${least} to ${most} (${unit})`, text);
  };
}

/** Size of a voxel, mm. */
export const spacing = (flag: string): Parser<number> => sized(flag, 'mm', 1);
/** Size of a pixel, microns. */
export const mpp = (flag: string): Parser<number> => sized(flag, 'microns', 1e-3);

/** `96,128,128` as voxels along depth, height and width. */
export function patch(flag: string): Parser<readonly [number, number, number]> {
  return (text) => {
    const [depth, height, width, ...rest] = text.split(',').map((part) => Number(part.trim() || Number.NaN));
    if (rest.length === 0 && [depth, height, width].every((n) => Number.isSafeInteger(n) && n >= 1)) {
      if (depth * height * width <= MOST_VOXELS) return [depth, height, width];
      refuse(flag, 'value', `at most 2^31 voxels together (${MOST_SIZE} along each side)`, text);
    }
    return refuse(flag, 'value', 'voxels along depth, height and width, such as 96,128,128', text);
  };
}

/** A number from 0 to 1. */
export function share(flag: string): Parser<number> {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= 0 && value <= 1) return value;
    return refuse(flag, 'value', 'a number from 0 to 1', text);
  };
}

/** `-512,512` as a range of Hounsfield units. */
export function hounsfield(flag: string): Parser<{ readonly lower: number; readonly upper: number }> {
  return (text) => {
    const ends = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    const [lower, upper] = ends;
    if (ends.length === 2 && ends.every(Number.isFinite) && lower < upper) return { lower, upper };
    return refuse(flag, 'value', 'two numbers of HU, the lower one first, such as -512,512', text);
  };
}

/** `zscore`, or `ct,zscore`: one for all channels, or one for each; `auto`. */
export function normalization(
  flag: string,
): Parser<'auto' | NormalizationName | readonly NormalizationName[]> {
  return (text) => {
    if (text.trim() === 'auto') return 'auto';
    const names = words(flag)(text).map(oneOf(flag, NORMALIZATIONS));
    return names.length === 1 ? names[0] : names;
  };
}

/** `2`, or `liver=3,tumour=1`: a number of at least 0, or one for each name. Names may have spaces. */
export function numberOrNamed(
  flag: string,
  example: string,
): Parser<number | Readonly<Record<string, number>>> {
  const number = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));
  const sound = (value: number): boolean => Number.isFinite(value) && value >= 0;
  return (text) => {
    const expected = `a number of at least 0, or numbers by name such as ${example}`;
    if (!text.includes('=')) {
      const value = number(text);
      return sound(value) ? value : refuse(flag, 'value', expected, text);
    }
    const named = new Map<string, number>();
    for (const part of namedParts(text)) {
      const at = part.lastIndexOf('=');
      const [name, value] = [part.slice(0, Math.max(0, at)).trim(), number(part.slice(at + 1))];
      if (name === '' || !sound(value)) refuse(flag, 'value', expected, text);
      if (named.has(name)) refuse(flag, `"${name}" is given twice`, 'each name once', text);
      named.set(name, value);
    }
    return Object.fromEntries(named);
  };
}

/** `a=1,b=2` in parts. A comma before which there is no equals sign is one of a name. */
function namedParts(text: string): string[] {
  const parts: string[] = [];
  let begun: string | undefined;
  for (const piece of text.split(',')) {
    const part: string = begun === undefined || begun.trim() === '' ? piece : `${begun},${piece}`;
    begun = part.includes('=') ? undefined : part;
    if (begun === undefined) parts.push(part);
  }
  return begun === undefined ? parts : [...parts, begun];
}

/** `case7,case9` as a list. */
export function listOf(flag: string, example: string): Parser<readonly string[]> {
  return (text) => {
    const words = text.split(',').map((word) => word.trim());
    return words.includes('') ? refuse(flag, 'value', `a list such as ${example}`, text) : words;
  };
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** A number of bytes with its unit, `20GiB` or `500 MB`, of at least `least`. */
export function byteCount(flag: string, least = 1): Parser<number> {
  return (text) => {
    const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text) ?? [];
    const bytes = Number(number) * (BYTE_UNITS[unit?.toLowerCase()] ?? Number.NaN);
    if (bytes >= least) return Math.floor(bytes);
    if (bytes > 0)
      refuse(flag, 'value', `at least ${least / 1e6}MB, which a process takes before it computes`, text);
    return refuse(flag, 'value', 'bytes with a unit, such as 20GiB or 500MB', text);
  };
}

/** One of a few words. */
export function oneOf<const T extends readonly string[]>(flag: string, choices: T): Parser<T[number]> {
  return (text) =>
    choices.find((choice) => choice === text) ?? refuse(flag, 'value', choices.join(' or '), text);
}

/** A device, by its name or the library of a plug-in. */
export function deviceChoice(flag: string): Parser<DeviceChoice> {
  return (text) => (isDeviceChoice(text) ? text : refuse(flag, 'value', DEVICE_WORDS.join(' or '), text));
}

/** `depth=2,height=2` as parts by dimension, or `auto`. */
export function split(flag: string): Parser<Readonly<Record<string, number>> | 'auto'> {
  return (text) => {
    if (text.trim() === 'auto') return 'auto';
    const parts = counts(flag, text, 'depth=2,height=2');
    for (const dim of Object.keys(parts)) needDimension(flag, dim, text);
    return parts;
  };
}

/** `rows=2,cols=2` as ranks by mesh axis. */
export function mesh(flag: string): Parser<Readonly<Record<string, number>>> {
  return (text) => counts(flag, text, 'rows=2,cols=2');
}

/** `depth:rows,height:cols` as mesh axes by dimension. */
export function layout(flag: string): Parser<Readonly<Record<string, string>>> {
  return (text) => {
    const axes = pairs(flag, text, ':', 'depth:rows,height:cols');
    for (const dim of Object.keys(axes)) needDimension(flag, dim, text);
    return axes;
  };
}

/** `0.2` as a share of the cases, `case7,case9` as a list of them, `split.json` or `ids.txt` as a file that names them. */
export function heldOut(flag: string): Parser<number | string | readonly string[]> {
  return (text) => {
    if (/\.(json|txt)$/i.test(text)) return text;
    const expected = 'a share of the cases such as 0.2, ids such as case7,case9, or a .json or .txt file';
    const ids = text.split(',').map((id) => id.trim());
    if (ids.some((id) => id === '')) return refuse(flag, 'value', expected, text);
    const share = Number(text);
    if (Number.isNaN(share)) return ids;
    return share > 0 && share < 1 ? share : refuse(flag, 'value', expected, text);
  };
}

/** `liver,tumour` as a list; commas part its items. A flag that is given again adds to it. */
export function words(flag: string): (text: string, before?: readonly string[]) => readonly string[] {
  return (text, before = []) => {
    const found = text.split(',').map((word) => word.trim());
    if (found.includes(''))
      refuse(flag, 'value', 'words with commas between them, such as liver,tumour', text);
    return [...before, ...found];
  };
}

/** `tumour=50,cyst=20` as values by name. A flag that is given again adds to them. */
export function valuesOf<T>(
  flag: string,
  example: string,
  value: Parser<T>,
): (text: string, before?: Readonly<Record<string, T>>) => Readonly<Record<string, T>> {
  return (text, before = {}) => {
    const found = namedParts(text).map((part) => {
      // A name may have an equals sign in it.
      const at = part.lastIndexOf('=');
      const [name, one] = [part.slice(0, Math.max(0, at)).trim(), part.slice(at + 1).trim()];
      if (!name || !one) refuse(flag, 'value', `such as ${example}`, text);
      return [name, value(one)] as const;
    });
    return { ...before, ...Object.fromEntries(found) };
  };
}

function counts(flag: string, text: string, example: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(pairs(flag, text, '=', example)).map(([name, value]) => {
      if (!/^\d+$/.test(value) || Number(value) < 1)
        refuse(flag, `parts of "${name}"`, 'a whole number of at least 1', value);
      return [name, Number(value)];
    }),
  );
}

function pairs(flag: string, text: string, mark: '=' | ':', example: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const part of text.split(',')) {
    const [name, value, ...rest] = part.split(mark).map((word) => word.trim());
    if (!name || !value || rest.length > 0 || !/^[A-Za-z_]\w*$/.test(name))
      refuse(flag, 'value', `pairs such as ${example}`, text);
    if (Object.hasOwn(found, name)) refuse(flag, `"${name}" is given twice`, `each name once`, text);
    found[name] = value;
  }
  return found;
}

function needDimension(flag: string, dim: string, text: string): void {
  if ((DIMENSIONS as readonly string[]).includes(dim)) return;
  const near = nearest(dim, DIMENSIONS);
  const hint = near === undefined ? undefined : `Did you mean ${near}?`;
  refuse(flag, `no dimension "${dim}"`, `${DIMENSIONS.join(', ')}`, text, hint);
}

/** The choice that a mistyped word was most likely meant to be. */
function nearest(word: string, choices: readonly string[]): string | undefined {
  const [best] = choices
    .map((choice) => ({ choice, distance: editDistance(word.toLowerCase(), choice) }))
    .sort((a, b) => a.distance - b.distance);
  return best.distance <= 2 || best.choice.startsWith(word) ? best.choice : undefined;
}

/** Letters to insert, remove or change to get from one word to another. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}
