import { ImagingError } from '../../volume/errors.ts';
import { withoutCopies } from './dicom-extras.ts';
import type { Mark } from './dicom-marks.ts';
import type { DicomSlice } from './dicom-slice.ts';
import { areAlike, dot, normalOf, sameMm } from './dicom-stack.ts';

// A series, or a file of frames, may hold several volumes: echoes, phases, directions of diffusion, stacks of other directions.

interface NamedVolume {
  /** What it differs from the others by; empty where there is one. */
  readonly name: string;
  readonly slices: readonly DicomSlice[];
}

/** Characters of a list of volumes in a message. */
const longestList = 480;

/**
 * The slices of volume number `wanted`, counted from 0, of those that slices are of; all, where they are of one. Throws ImagingError that
 * lists the volumes where it is not there, and where there are several and none is asked for.
 */
export async function ofOneVolume(
  where: string,
  slices: readonly DicomSlice[],
  wanted: number | undefined,
): Promise<readonly DicomSlice[]> {
  const volumes = volumesOf(slices);
  if (wanted === undefined && volumes.length > 1) {
    // The same slices may have come twice under other numbers.
    const { slices: single } = await withoutCopies(slices);
    if (volumesOf(single).length === 1) return slices;
  }
  return chosenVolume(where, volumes, wanted);
}

function chosenVolume(
  where: string,
  volumes: readonly NamedVolume[],
  wanted: number | undefined,
): readonly DicomSlice[] {
  const chosen = volumes[wanted ?? 0];
  if (chosen !== undefined && (volumes.length === 1 || wanted !== undefined)) return chosen.slices;
  if (volumes.length === 1)
    throw new ImagingError({ file: where, field: 'volume', expected: '0, the only one', found: `${wanted}` });
  const all = listed(volumes);
  throw new ImagingError({
    file: where,
    field: 'volume',
    expected: wanted === undefined ? 'one' : `one of ${all}`,
    found: wanted === undefined ? `${volumes.length}: ${all}` : `${wanted}`,
    hint: 'Choose one by its number (--volume of predict), or write it to a file of its own first, for example with dcm2niix.',
  });
}

/** Volumes by number, as many as a message has room for. */
function listed(volumes: readonly NamedVolume[]): string {
  const list: string[] = [];
  for (const [n, { name, slices }] of volumes.entries()) {
    list.push(`${n} (${name}, ${slices.length === 1 ? '1 slice' : `${slices.length} slices`})`);
    const left = volumes.length - list.length;
    if (left > 0 && list.join('; ').length > longestList) return [...list, `and ${left} more`].join('; ');
  }
  return list.join('; ');
}

/** The volumes that slices are of, in the order of what tells them apart; one where slices share places and nothing does. */
function volumesOf(slices: readonly DicomSlice[]): readonly NamedVolume[] {
  const kinds = groupsOf(slices, (slice) => markIn(slice, 'Frame Type'));
  return kinds.flatMap(({ name, slices: own }) => {
    const stacks = stacksOf(own);
    return stacks.flatMap((stack, n) => {
      const names = [
        ...(kinds.length > 1 ? [name] : []),
        ...(stacks.length > 1 ? [stackName(stack, n)] : []),
      ];
      return toldApart(stack).map((volume) => ({
        ...volume,
        name: [...names, volume.name].filter((text) => text !== '').join(', '),
      }));
    });
  });
}

/** Frames of one file may lie in stacks of several directions; slices in files of their own that do so are refused by their geometry. */
function stacksOf(slices: readonly DicomSlice[]): readonly (readonly DicomSlice[])[] {
  if (slices.some(({ frame }) => frame === undefined)) return [slices];
  const stacks: DicomSlice[][] = [];
  for (const slice of slices) {
    const stack = stacks.find(([first]) => areAlike(slice, first));
    if (stack === undefined) stacks.push([slice]);
    else stack.push(slice);
  }
  return stacks;
}

function stackName([first]: readonly DicomSlice[], n: number): string {
  const id = markIn(first, 'Stack ID');
  return id === '' ? `stack ${n + 1}` : `Stack ID ${id}`;
}

/** Slices of one size and direction by what those at one place differ by; all as one volume where nothing tells them apart. */
function toldApart(slices: readonly DicomSlice[]): readonly NamedVolume[] {
  const whole = [{ name: '', slices }];
  const places = placesOf(slices);
  if (places.every((place) => place.length === 1)) return whole;
  const ranked = withRanks(places);
  const names = [...new Set(slices.flatMap(({ marks }) => marks.map(({ name }) => name)))];
  const value = (slice: DicomSlice, name: string) => ranked.get(slice)?.get(name) ?? '';
  const key = (slice: DicomSlice, by: readonly string[]) =>
    JSON.stringify(by.map((name) => value(slice, name)));
  const distinct = (by: readonly string[]) =>
    places.reduce((sum, place) => sum + new Set(place.map((slice) => key(slice, by))).size, 0);
  const chosen: string[] = [];
  let told = places.length;
  for (const name of names) {
    // What has other values at other places does not tell volumes apart.
    const sets = places.map((place) => [...new Set(place.map((slice) => value(slice, name)))].sort());
    if (sets.some((set) => set.join('\n') !== sets[0].join('\n'))) continue;
    const now = distinct([...chosen, name]);
    if (now > told) chosen.push(name);
    told = Math.max(told, now);
  }
  const volumes = groupsOf(slices, (slice) => key(slice, chosen));
  const complete = volumes.every(({ slices: own }) => placesOf(own).length === places.length);
  if (volumes.length < 2 || !complete) return whole;
  const natural = new Intl.Collator('en', { numeric: true });
  const order = (slice: DicomSlice) => chosen.map((name) => value(slice, name));
  return volumes
    .toSorted(({ slices: [a] }, { slices: [b] }) => {
      const [one, other] = [order(a), order(b)];
      const n = one.findIndex((text, i) => text !== other[i]);
      return byNumber(one[n], other[n]) || natural.compare(one[n], other[n]);
    })
    .map(({ slices: own }) => {
      const words = chosen.map((name) => `${name} ${value(own[0], name) || 'none'}`);
      return { name: words.join(', '), slices: own };
    });
}

const byNumber = (a: string, b: string): number => {
  const difference = Number(a) - Number(b);
  return Number.isNaN(difference) ? 0 : difference;
};

/** The marks of each slice by name; in place of what rises with time its place among those of the slices at one place. */
function withRanks(
  places: readonly (readonly DicomSlice[])[],
): ReadonlyMap<DicomSlice, ReadonlyMap<string, string>> {
  const found = new Map<DicomSlice, ReadonlyMap<string, string>>();
  for (const place of places) {
    const ranks = new Map<string, ReadonlyMap<string, string>>();
    const ranksOf = (name: string): ReadonlyMap<string, string> => {
      const values = [...new Set(place.map((slice) => markIn(slice, name)))];
      values.sort((a, b) => Number(a) - Number(b));
      return new Map(values.map((value, n) => [value, String(n + 1)]));
    };
    const rankOf = ({ name, value }: Mark): string => {
      const known = ranks.get(name) ?? ranksOf(name);
      ranks.set(name, known);
      return known.get(value) ?? '';
    };
    for (const slice of place) {
      const marks = slice.marks.map((mark) => [mark.name, mark.ranked ? rankOf(mark) : mark.value] as const);
      found.set(slice, new Map(marks));
    }
  }
  return found;
}

/** Slices by where they lie along the normal of their plane. */
function placesOf(slices: readonly DicomSlice[]): readonly (readonly DicomSlice[])[] {
  const normal = normalOf(slices[0]);
  const height = ({ position }: DicomSlice) => dot(position, normal);
  const places: DicomSlice[][] = [];
  for (const slice of slices.toSorted((a, b) => height(a) - height(b))) {
    const last = places.at(-1);
    if (last !== undefined && height(slice) - height(last[0]) < sameMm) last.push(slice);
    else places.push([slice]);
  }
  return places;
}

const markIn = ({ marks }: DicomSlice, name: string): string =>
  marks.find((mark) => mark.name === name)?.value ?? '';

function groupsOf(
  slices: readonly DicomSlice[],
  keyOf: (slice: DicomSlice) => string,
): readonly { readonly name: string; readonly slices: readonly DicomSlice[] }[] {
  const groups = new Map<string, DicomSlice[]>();
  for (const slice of slices) {
    const key = keyOf(slice);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [slice]);
    else group.push(slice);
  }
  return [...groups].map(([name, own]) => ({ name, slices: own }));
}
