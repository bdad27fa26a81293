import { channelFiles, checkSameGrid, withStoredChannels } from '../dataset/channels.ts';
import type { Case } from '../dataset/dataset.ts';
import { notesOf } from '../formats/scan-notes.ts';
import { troubleWith, windowHint, windowText } from '../volume/clipped-share.ts';
import { ImagingError, type ImagingProblem } from '../volume/errors.ts';
import { softTissueWindow } from '../volume/intensity-window.ts';
import { knownValues, type LabelCodes } from '../volume/label-codes.ts';
import type { Normalization } from '../volume/normalization.ts';
import { canonicalGrid, orientationCode, orientationOnto } from '../volume/orientation.ts';
import { isPictureFormat, type ScanFormat, type ScanHeader } from '../volume/scan-types.ts';
import { describeGrid, type Shape3, spacingOf } from '../volume/volume.ts';
import { type ImageFacts, readImageFacts } from './image-facts.ts';
import { type LabelFacts, readLabelFacts } from './label-facts.ts';

/** Something wrong: a fault, which makes the case useless, or a warning, which somebody should look at. */
export interface Finding extends ImagingProblem {
  readonly level: 'fault' | 'warning';
}

/** What was found of one case. What could not be read is absent. */
export interface CaseReport {
  readonly id: string;
  /** `unlabelled`: its label map should be there and is not. */
  readonly kind: 'training' | 'unlabelled' | 'test';
  readonly format?: ScanFormat;
  /** Voxels and mm (depth, height, width), as stored. */
  readonly shape?: Shape3;
  readonly spacing?: Shape3;
  /** Where i, j and k point, such as `LPS`. */
  readonly orientation?: string;
  /** Smallest and largest finite value, of the first of several channels. */
  readonly range?: readonly [number, number];
  /** The same of each channel, where there are several. */
  readonly channels?: readonly { readonly name: string; readonly range?: readonly [number, number] }[];
  /** The class of the image as a whole, where it is known. */
  readonly imageLabel?: string;
  /** Voxels of each label value that occurs. */
  readonly labels?: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

/** What is told of the data set to those who look at one of its cases. */
export interface VerifyContext {
  readonly labelNames?: readonly string[];
  readonly labelCodes?: LabelCodes;
  readonly channelNames?: readonly string[];
  /** How a training normalises each channel where it is told nothing else: in a window where voxels should be Hounsfield units. */
  readonly normalizations: readonly Normalization[];
}

/** Reads a case's files to the last byte and collects all that is wrong; `hash` is of the image's voxels. */
export async function verifyCase(
  entry: Case,
  kind: CaseReport['kind'],
  { labelNames, labelCodes, channelNames, normalizations }: VerifyContext,
): Promise<{ readonly report: CaseReport; readonly hash?: string }> {
  const { id, label, imageLabel } = entry;
  const findings: Finding[] = [];
  const seen = await channelFacts(entry, normalizations, findings);
  const [facts] = seen;
  let labels: LabelFacts | undefined;
  if (label !== undefined) {
    labels = await attempt(findings, () => readLabelFacts(label, facts?.header, labelNames, labelCodes));
    const known = knownValues(labelNames, labelCodes);
    if (labels !== undefined) findings.push(...labelFindings(label, labels, known, facts?.header));
  }
  const counted = labels?.counts.flatMap((count, value) => (count > 0 ? [[value, count]] : []));
  const header = facts?.header;
  const ranges = seen.map((one) =>
    one && one.lowest <= one.highest ? ([one.lowest, one.highest] as const) : null,
  );
  const report: CaseReport = {
    ...{ id, kind, findings },
    ...(header && {
      format: header.format,
      shape: header.shape,
      spacing: spacingOf(header),
      orientation: orientationCode(header.affine),
    }),
    ...(ranges[0] && { range: ranges[0] }),
    ...(ranges.length > 1 && {
      channels: ranges.map((range, n) => ({ name: channelNames?.[n] ?? `${n}`, ...(range && { range }) })),
    }),
    ...(imageLabel !== undefined && { imageLabel }),
    ...(counted && { labels: Object.fromEntries(counted) }),
  };
  const hashes = seen.map((one) => one?.hash);
  return { report, ...(hashes.every((hash) => hash !== undefined) && { hash: hashes.join(' ') }) };
}

/** What is known of each channel; undefined for those that cannot be read. */
async function channelFacts(
  entry: Case,
  normalizations: readonly Normalization[],
  findings: Finding[],
): Promise<readonly (ImageFacts | undefined)[]> {
  const all = withStoredChannels(entry, normalizations.length);
  const places = channelFiles(all);
  const seen: (ImageFacts | undefined)[] = [];
  for (const channel of places.keys()) {
    const facts = await attempt(findings, async () => {
      const found = await readImageFacts(all, channel);
      const first = seen.find((one) => one !== undefined);
      if (first !== undefined) checkSameGrid(all, channel, found.header, first.header);
      return found;
    });
    seen.push(facts);
    if (facts === undefined) continue;
    const found = imageFindings(places[channel].file, facts, normalizations[channel]);
    // All channels lie on one grid: what is said of that is said once.
    const said =
      places[channel].file === places[0].file ? ['spacing', 'shape', 'header'] : ['spacing', 'shape'];
    const told = (finding: Finding) => channel === 0 || !said.includes(finding.field);
    findings.push(...found.filter(told));
  }
  return seen;
}

/** What a reader gives, or undefined where it refuses a file, which then is a finding. */
async function attempt<T>(findings: Finding[], read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ImagingError)) throw error;
    findings.push(faultOf(error));
    return undefined;
  }
}

/** An error as a finding. */
export function faultOf({ file, field, expected, found, hint }: ImagingProblem): Finding {
  return { level: 'fault', file, field, expected, found, hint };
}

function imageFindings(file: string, facts: ImageFacts, normalization: Normalization): Finding[] {
  const windowed = normalization.kind === 'window';
  const { lowest, highest, nonFinite, firstNonFinite, header } = facts;
  const findings: Finding[] = [];
  const add = (level: Finding['level'], field: string, expected: string, found: string, hint?: string) =>
    findings.push({ level, file, field, expected, found, hint });
  if (nonFinite > 0) {
    const where = `the first at (depth, height, width) = (${firstNonFinite?.join(', ')})`;
    add('fault', 'voxels', 'finite numbers', `${nonFinite} NaN or infinite voxels, ${where}`);
  }
  if (lowest === highest) add('fault', 'voxels', 'an image', `the same value ${lowest} everywhere`);
  else if (windowed && header.format !== 'Zarr' && lowest <= highest) {
    // A store keeps what its window leaves.
    const hint = 'Hounsfield units are -1000 for air and about 50 for the liver.';
    const range = `values from ${number(lowest)} to ${number(highest)}`;
    if (lowest > -150) add('warning', 'voxels', 'Hounsfield units, with air or fat below -150', range, hint);
    else if (highest < 100) add('warning', 'voxels', 'Hounsfield units, with bone above 100', range, hint);
    else if (lowest < -10_000 || highest > 50_000)
      add('warning', 'voxels', 'Hounsfield units, from -10000 to 50000', range, hint);
  }
  const share = windowed ? facts.sample.share(softTissueWindow) : undefined;
  const trouble = share && troubleWith(share);
  if (share !== undefined && trouble !== undefined)
    add(
      'warning',
      `window ${windowText(softTissueWindow)}`,
      'one that shows the inside of the body',
      trouble,
      windowHint(share),
    );
  const spacing = spacingOf(header);
  const isFlat = isPictureFormat(header.format);
  if (!isFlat && spacing.some((mm) => mm < 0.1 || mm > 10))
    add('warning', 'spacing', '0.1 to 10 mm', `${spacing.map(number).join(' x ')} mm`);
  if (header.shape.slice(isFlat ? 1 : 0).some((n) => n < 8))
    add('warning', 'shape', 'at least 8 voxels along each axis', header.shape.join(' x '));
  for (const note of notesOf(header)) add('warning', 'header', 'nothing unusual', note);
  if (!header.oriented) {
    const hint = `Taken as ${orientationCode(header.affine)}.`;
    add('warning', 'orientation', 'axes that the file gives directions to', 'none', hint);
  }
  return findings;
}

function labelFindings(
  file: string,
  { header, counts, strange, strangeVoxels }: LabelFacts,
  known: string | undefined,
  image: ScanHeader | undefined,
): Finding[] {
  const findings: Finding[] = [];
  for (const note of notesOf(header))
    findings.push({ level: 'warning', file, field: 'header', expected: 'nothing unusual', found: note });
  const wanted = image && canonicalGrid(image);
  if (wanted !== undefined && orientationOnto(header, wanted) === undefined) {
    const expected = `the image's grid (in RAS+ order: ${describeGrid(wanted)})`;
    const found = `${describeGrid(canonicalGrid(header))} in RAS+ order`;
    findings.push({ level: 'fault', file, field: 'geometry', expected, found });
  }
  if (strangeVoxels > 0) {
    const values = strange.map(({ value, count, first }) => `${value} in ${count} (${first.join(', ')})`);
    const more = strange.reduce((sum, { count }) => sum + count, 0) < strangeVoxels ? ', and others' : '';
    findings.push({
      level: 'fault',
      file,
      field: 'labels',
      expected: known === undefined ? 'whole numbers from 0 to 255' : `one of ${known}`,
      found: `value in number of voxels (the first): ${values.join(', ')}${more}`,
      hint: 'Correct the label map, or the labels in dataset.json, or say what the value stands for (--map-labels).',
    });
  } else if (counts.slice(1).every((count) => count === 0)) {
    const found = 'background alone';
    findings.push({ level: 'warning', file, field: 'labels', expected: 'some label above 0', found });
  }
  return findings;
}

const number = (value: number): string => String(+value.toPrecision(6));
