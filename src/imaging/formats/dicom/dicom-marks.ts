import type { Attributes } from './dicom-attributes.ts';
import { type FrameGroups, written } from './dicom-groups.ts';

// What tells slices apart that lie at one place: those of several echoes, phases or directions of diffusion.

/** What a slice says of itself by one attribute. */
export interface Mark {
  readonly name: string;
  readonly value: string;
  /** Whether values rise with time from slice to slice, so that only their order at one place tells volumes apart. */
  readonly ranked?: boolean;
}

type Kind = 'text' | 'doubles' | 'ranked';

/** Attributes in the order in which they are asked, by tag: the first that tell volumes apart name them. */
const attributes: readonly (readonly [tag: string, kind: Kind, name: string])[] = [
  ['x00209056', 'text', 'Stack ID'],
  ['x00200100', 'text', 'Temporal Position Identifier'],
  ['x00189087', 'doubles', 'Diffusion b-value'],
  ['x00189089', 'doubles', 'Diffusion Gradient Orientation'],
  ['x00189082', 'doubles', 'Effective Echo Time'],
  ['x00180081', 'text', 'Echo Time'],
  ['x00180086', 'text', 'Echo Numbers'],
  ['x00180082', 'text', 'Inversion Time'],
  ['x00180080', 'text', 'Repetition Time'],
  ['x00181314', 'text', 'Flip Angle'],
  ['x00209241', 'doubles', 'Nominal Percentage of Cardiac Phase'],
  ['x00209245', 'doubles', 'Nominal Percentage of Respiratory Phase'],
  ['x00180060', 'text', 'KVP'],
  ['x00181210', 'text', 'Convolution Kernel'],
  ['x00080008', 'text', 'Image Type'],
  ['x00180024', 'text', 'Sequence Name'],
  ['x00181060', 'ranked', 'Trigger Time'],
  ['x00200012', 'ranked', 'Acquisition Number'],
  ['x00080032', 'ranked', 'Acquisition Time'],
  ['x00204000', 'text', 'Image Comments'],
];

/** Values that have one length in any writing. */
const shortest = (value: string): string => {
  const number = Number(value);
  return value.trim() === '' || Number.isNaN(number) ? value.trim() : String(+number.toPrecision(7));
};

function markOf(data: Attributes, [tag, kind, name]: (typeof attributes)[number]): Mark | undefined {
  if (!data.has(tag)) return undefined;
  const values = kind === 'doubles' ? data.float64s(tag).map(String) : data.all(tag).split('\\');
  const value = kind === 'ranked' ? data.text(tag) : values.map(shortest).join(' ').slice(0, 80);
  if (value === '') return undefined;
  return { name, value, ...(kind === 'ranked' && { ranked: true }) };
}

/** What the slice of a file says of itself. */
export const marksOf = (data: Attributes): readonly Mark[] =>
  attributes.flatMap((attribute) => markOf(data, attribute) ?? []);

/** Names of what frames are counted by. */
const dimensions: Readonly<Record<string, string>> = {
  x00209128: 'Temporal Position Index',
  x00189082: 'Effective Echo Time',
  x00189087: 'Diffusion b-value',
  x00189089: 'Diffusion Gradient Orientation',
  x00209153: 'Nominal Cardiac Trigger Delay Time',
  x00209241: 'Nominal Percentage of Cardiac Phase',
  x00209245: 'Nominal Percentage of Respiratory Phase',
  x00209254: 'Respiratory Interval Time',
  x00089007: 'Frame Type',
  x00189341: 'Contrast/Bolus Usage Sequence',
};

/** What says where a frame lies, and not of which volume it is: Stack ID, In-Stack Position, Image Position, Plane Position, Slice Location. */
const places = new Set(['x00209056', 'x00209057', 'x00200032', 'x00209113', 'x00201041']);

/** What frame n, counted from 0, of an image says of itself: of what kind it is, its groups, and its place in each dimension. */
export function frameMarks(data: Attributes, frames: FrameGroups, n: number, kind: string): readonly Mark[] {
  const within = (item: Attributes) => item.tags().flatMap((tag) => item.items(tag));
  const groups = within(frames.own(n));
  const items = [...groups, ...groups.flatMap(within)];
  const own = attributes.flatMap((attribute) => {
    const item = items.find((one) => one.has(attribute[0]));
    return (item && markOf(item, attribute)) ?? [];
  });
  const index = frames.find('content', n)?.uint32s('x00209157') ?? [];
  const counted = data.items('x00209222').flatMap((item, place): Mark[] => {
    const pointer = item.tagValue('x00209165');
    if (pointer === undefined || index[place] === undefined || places.has(pointer)) return [];
    const name = dimensions[pointer] ?? written(pointer);
    if (own.some((mark) => mark.name === name)) return [];
    return [{ name, value: String(index[place]) }];
  });
  return [...(kind === '' ? [] : [{ name: 'Frame Type', value: kind }]), ...own, ...counted];
}
