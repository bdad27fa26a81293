import type { Attributes } from './dicom-attributes.ts';
import { type FrameGroups, type Group, groups, written } from './dicom-groups.ts';

// Which functional groups an enhanced image may have: those that are read, and those that change neither where voxels lie nor what
// their values mean. All others are refused, since what they say would be missed.

/** Groups that tell how a frame was acquired, triggered, reconstructed or shall be shown (PS3.3, C.7.6.16.2, C.8.13, C.8.15, C.8.22). */
const told = [
  // Referenced Image, Derivation Image, Frame Anatomy, Temporal Position; what a conversion from single slices had no place for
  ...['x00081140', 'x00089124', 'x00209071', 'x00209310', 'x00209170', 'x00209171', 'x00209172'],
  // Frame VOI LUT, Frame Display Shutter, Patient Orientation in Frame: how it is shown
  ...['x00289132', 'x00189472', 'x00209450'],
  // Cardiac and Respiratory Synchronization, Contrast/Bolus and Radiopharmaceutical Usage, Irradiation Event, Patient Physiological State
  ...['x00189118', 'x00209253', 'x00189341', 'x00189737', 'x00189477', 'x00189771'],
  // CT: Acquisition Type and Details, Table Dynamics, Position, Geometry, Reconstruction, Exposure, X-Ray Details, Additional X-Ray Source
  ...['x00189301', 'x00189304', 'x00189308', 'x00189326', 'x00189312', 'x00189314', 'x00189321'],
  ...['x00189325', 'x00189360'],
  // MR: Timing, FOV/Geometry, Echo, Modifier, Imaging Modifier, Receive and Transmit Coil, Diffusion, Averages, Spatial Saturation,
  // Velocity Encoding, Arterial Spin Labeling
  ...['x00189112', 'x00189125', 'x00189114', 'x00189115', 'x00189006', 'x00189042', 'x00189049'],
  ...['x00189117', 'x00189119', 'x00189107', 'x00189197', 'x00189251'],
  // PET: Frame Acquisition, Detector Motion Details, Table Dynamics, Position, Frame Correction Factors, Reconstruction
  ...['x00189732', 'x00189733', 'x00189734', 'x00189735', 'x00189736', 'x00189749'],
];

/** Sequences that tell of what kind a frame is: CT, MR and PET Image Frame Type. */
const kinds = ['x00189329', 'x00189226', 'x00189751'];

/** Real World Value Mapping: other numbers for the same pixels. */
const realWorld = 'x00409096';

const { segment: _, ...read } = groups;
const used = Object.entries(read) as readonly (readonly [Group, (typeof groups)[Group]])[];
const known = new Set<string>([...told, ...kinds, ...used.map(([, [tag]]) => tag), realWorld]);

/** A group of a manufacturer's own, which may add to the standard's and changes nothing of it (PS3.2, 7.3). */
const isPrivate = (tag: string): boolean => Number.parseInt(tag.slice(4, 5), 16) % 2 === 1;

/** Says no to a frame, which is counted from 1. */
export type FailFrame = (field: string, expected: string, found: string, hint?: string) => never;

/** Throws ImagingError where a frame has groups that are not known, or one that is read twice and says different things. */
export function checkGroups(frames: FrameGroups, n: number, fail: FailFrame): void {
  const all = frames.all(n);
  const other = all.flatMap((item) => item.tags()).find((tag) => !known.has(tag) && !isPrivate(tag));
  if (other !== undefined) {
    const expected = 'groups that are read, or that change neither places nor values of voxels';
    fail(`Functional group ${written(other)}`, expected, `another one of frame ${n + 1}`);
  }
  for (const [group, [tag, name]] of used) {
    const found = all.map((item) => item.items(tag));
    const count = found.reduce((sum, items) => sum + items.length, 0);
    if (count > 1 && (found.some((items) => items.length > 1) || !isSaidTwice(group, found.flat())))
      fail(name, 'one', `${count} of frame ${n + 1} and of all frames`);
  }
}

/** Whether two items of a group say the same. */
function isSaidTwice(group: Group, [one, other]: readonly Attributes[]): boolean {
  const tags = repeated.flatMap(([of, tag]) => (of === group ? [tag] : []));
  return tags.length > 0 && tags.every((tag) => one.all(tag) === other.all(tag));
}

/** What kind of image a frame is, in words that are the same for all frames of a scan: its type, part of complex numbers, and unit. */
export function kindOf(frames: FrameGroups, n: number, fail: FailFrame): string {
  const items = frames.all(n).flatMap((item) => kinds.flatMap((tag) => item.items(tag)));
  for (const item of items)
    if (item.text('x00089206') === 'DISTORTED')
      fail('Volumetric Properties', 'undistorted pixels', `DISTORTED in frame ${n + 1}`);
  const unit = frames.find('values', n)?.text('x00281054') ?? '';
  const words = [...items.flatMap((item) => [item.all('x00089007'), item.text('x00089208')]), unit];
  return words.filter((word) => word !== '').join(', ');
}

/** Slope and intercept of a frame. Throws ImagingError for such that are no numbers, and where its real world values are others. */
export function scalingOf(
  data: Attributes,
  frames: FrameGroups,
  n: number,
  fail: FailFrame,
): { readonly slope: number; readonly intercept: number } {
  const group = frames.find('values', n) ?? outside(data, 'values');
  const number = (tag: string, name: string): number => {
    const value = group?.decimal(tag);
    if (value !== undefined && Number.isFinite(value)) return value;
    return fail(`${name} of frame ${n + 1}`, 'a number', group?.all(tag) || 'nothing');
  };
  const slope = group === undefined ? 1 : number('x00281053', 'Rescale Slope');
  const intercept = group === undefined ? 0 : number('x00281052', 'Rescale Intercept');
  if (slope === 0) fail(`Rescale Slope of frame ${n + 1}`, 'another number than 0', '0');
  for (const item of frames.all(n).flatMap((all) => all.items(realWorld))) {
    const [by, plus] = [item.float64('x00409225'), item.float64('x00409224')];
    if (by !== undefined && plus !== undefined && isNear(by, slope) && isNear(plus, intercept)) continue;
    const expected = `the values of Rescale Slope and Intercept (${slope}, ${intercept})`;
    const found = by === undefined || plus === undefined ? 'a table' : `${by}, ${plus}`;
    const hint = 'Which values are meant is not known. Convert the file to NIfTI, for example with dcm2niix.';
    fail(`Real World Value Mapping of frame ${n + 1}`, expected, found, hint);
  }
  return { slope, intercept };
}

/** Decimal strings have 10 digits or so. */
const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));

/** Attributes of the groups that are read, which a file may repeat outside of them. */
const repeated = [
  ['position', 'x00200032', 'Image Position (Patient)'],
  ['orientation', 'x00200037', 'Image Orientation (Patient)'],
  ['measures', 'x00280030', 'Pixel Spacing'],
  ['values', 'x00281052', 'Rescale Intercept'],
  ['values', 'x00281053', 'Rescale Slope'],
] as const;

/** The file itself in place of a group that it lacks, where it says outside of groups what all frames have. */
export const outside = (data: Attributes, group: Group): Attributes | undefined =>
  repeated.some(([of, tag]) => of === group && data.text(tag) !== '') ? data : undefined;

/** Throws ImagingError where a file says otherwise outside of its functional groups. */
export function checkOutside(data: Attributes, frames: FrameGroups, n: number, fail: FailFrame): void {
  for (const [group, tag, name] of repeated) {
    if (data.text(tag) === '') continue;
    const found = frames.find(group, n);
    if (found === undefined) continue;
    const [own, other] = [found.all(tag), data.all(tag)];
    const [a, b] = [own, other].map((text) => text.split('\\').map((value) => Number(value.trim())));
    if (own !== '' && a.length === b.length && a.every((value, i) => isNear(value, b[i]))) continue;
    fail(`${name} outside of functional groups`, `that of frame ${n + 1} (${own || 'none'})`, other);
  }
}
