import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { sameForm, systemErrorReason } from '../../files/index.ts';
import { isPictureName, outlineEnding, pictureEnding } from '../formats/picture/picture-grid.ts';
import { ImagingError } from '../volume/errors.ts';
import type { ChannelFile } from '../volume/scan-types.ts';
import type { LabelMapping } from './named-labels.ts';

/** What the files of scans end in: one for each scan, so of a pair its header. */
const ending = /\.(nii(\.gz)?|hdr(\.gz)?|nrrd|nhdr|mha|mhd)$/i;

/** The ending of a scan, a picture or outlines on one, as far as it is one; empty where it is none. */
const endingOf = (name: string): string =>
  [ending, pictureEnding, outlineEnding].map((kind) => kind.exec(name)?.[0]).find((found) => found) ?? '';

/** Whether a file in a folder of scans, or one of pictures, is meant to be used, by its name. */
export const isDataName = (name: string, pictures: boolean): boolean =>
  ending.test(name) || (pictures && endingOf(name) !== '');

/**
 * Images and their label maps, as paths from the folder of the data set; `*` stands for the case's id. In the images `{channel}` stands
 * for the name of a channel, and `{t1,t2}` for one of these names, in the order of the channels.
 */
export interface DatasetPatterns {
  /** What values of its label maps stand for: `{"4": 3, "5": "ignore"}`. */
  readonly mapLabels?: LabelMapping;
  /** Whether scans whose axes lean (gantry tilt) are resampled to upright grids, and their label maps with them. */
  readonly resampleTilt?: boolean;
  /** Such as `*_ct.nii.gz`, `*_{channel}.nii.gz`, or `*_ct` for folders of DICOM series. */
  readonly images?: string;
  /** Such as `*_seg.nii.gz`. */
  readonly labels?: string;
  /** A table `id,label` (.csv) with the class of each image as a whole: see readImageLabels. */
  readonly imageLabels?: string;
}

/** One scan and, where there is one, its label map. */
export interface FoundCase {
  readonly id: string;
  /** Of several channels the first one's. */
  readonly image: string;
  readonly channels?: readonly ChannelFile[];
  readonly label?: string;
  /** The class of the image as a whole. */
  readonly imageLabel?: string;
}

/** The cases of a folder, and what is wrong with its files. */
export interface FoundCases {
  readonly cases: readonly FoundCase[];
  readonly faults: readonly ImagingError[];
  /** Names of the channels, where the files tell that there are several. */
  readonly channelNames?: readonly string[];
}

/** The volumes of one file as channels. */
export const volumesOf = (file: string, count: number): ChannelFile[] =>
  Array.from({ length: count }, (_, volume) => ({ file, volume, volumes: count }));

/**
 * A file's name without folder and ending, and without the channel number of nnU-Net, unless label maps have the same number in
 * their names: then it counts patients.
 */
export function caseId(file: string, isLabelled: (id: string) => boolean = () => false): string {
  const whole = sameForm(stem(path.basename(file.replaceAll('\\', '/'))));
  return isLabelled(whole) ? whole : whole.replace(/_0000$/, '');
}

/** A file's name without the ending of a scan. */
export const stem = (name: string): string => name.slice(0, name.length - endingOf(name).length);

/** The number at the end of a file's name, by which nnU-Net tells channels, and the name before it; undefined where there is none. */
export function channelNumber(
  name: string,
): { readonly series: string; readonly channel: number } | undefined {
  const found = /^(.+)_(\d{4})$/.exec(sameForm(stem(name)));
  return found === null ? undefined : { series: found[1], channel: Number(found[2]) };
}

/** What listCases is told of the files that it looks for. */
export interface ListOptions {
  /** Only files that end so. */
  readonly fileEnding?: string;
  /** Channels of a scan, where they are known. */
  readonly channels?: number;
}

/**
 * Cases of a folder of images, and of one of labels if it is given, in the way of the Decathlon and of nnU-Net v2: files of any
 * format that is read, or folders of DICOM series; pictures where there are no scans. Files `a_0000`, `a_0001`... are the channels of one scan, unless label maps have
 * these numbers too; where several channels are known, a file without a number holds them as its volumes.
 */
export async function listCases(
  dir: string,
  images: string,
  labels: string | undefined,
  { fileEnding, channels: known }: ListOptions = {},
): Promise<FoundCases> {
  const all = await namesIn(path.join(dir, images));
  // Pictures beside scans are drawn from them.
  const pictures = !all.some(({ name, folder }) => folder || ending.test(name));
  const names = all
    .filter(
      ({ name, folder }) =>
        folder ||
        (fileEnding
          ? name.toLowerCase().endsWith(fileEnding.toLowerCase())
          : (pictures ? pictureEnding : ending).test(name)),
    )
    .map(({ name }) => name);
  const labelNames =
    labels === undefined ? [] : (await namesIn(path.join(dir, labels))).map(({ name }) => name);
  // A letter with an accent has two forms, and both files of a case may not have the same.
  const idOf = (name: string): string => sameForm(stem(name));
  const labelled = new Set(labelNames.map(idOf));
  const faults: ImagingError[] = [];
  if (fileEnding && names.length === 0 && all.length > 0)
    faults.push(unfitEnding(dir, images, fileEnding, all));
  const numbered = new Map<string, Map<number, string>>();
  for (const name of names) {
    const found = labelled.has(idOf(name)) ? undefined : channelNumber(name);
    if (found === undefined) continue;
    numbered.set(found.series, (numbered.get(found.series) ?? new Map()).set(found.channel, name));
  }
  const count = known ?? (labels === undefined ? 1 : mostAlike(numbered));
  const place = (name: string): string => path.join(dir, images, name);
  const cases: FoundCase[] = [];
  for (const name of names) {
    const number = labelled.has(idOf(name)) ? undefined : channelNumber(name);
    const siblings = number && numbered.get(number.series);
    const first = Math.min(...(siblings?.keys() ?? []));
    // Where the first channel is missing the next one stands for the case, so that its name is that of the others.
    const isChannel = first === 0 || (count > 1 && first < count);
    const id = number && isChannel ? number.series : caseId(name, (whole) => labelled.has(whole));
    if (number && isChannel && number.channel > first && (count > 1 || labels !== undefined)) {
      if (number.channel >= count) faults.push(furtherChannel(place(name), number.series, count));
      continue;
    }
    const channels = count === 1 ? undefined : channelsOfCase(place, name, number && siblings, count);
    const image = unwrapped(channels?.[0].file ?? place(name));
    if (labels === undefined) {
      cases.push({ id, image, ...(channels && { channels }) });
      continue;
    }
    const own = labelNames.filter((label) => isDataName(label, isPictureName(name)) && idOf(label) === id);
    const same = own.find((label) => label.slice(stem(label).length) === name.slice(stem(name).length));
    if (own.length > 1 && same === undefined) {
      const expected = `one label map of case ${id}`;
      faults.push(
        new ImagingError({ file: path.join(dir, labels), field: 'labels', expected, found: own.join(', ') }),
      );
    }
    const likely = `${id}${fileEnding ?? (endingOf(name) || '.nii.gz')}`;
    const label = path.join(dir, labels, same ?? own[0] ?? likely);
    cases.push({ id, image, ...(channels && { channels }), label: unwrapped(label) });
  }
  const channelNames =
    known === undefined && count > 1 ? Array.from({ length: count }, (_, n) => `${n}`) : undefined;
  return { cases, faults, ...(channelNames && { channelNames }) };
}

/** How many channels most scans have by the numbers of their files; of numbers as frequent the larger one. */
function mostAlike(numbered: ReadonlyMap<string, ReadonlyMap<number, string>>): number {
  const times = new Map<number, number>();
  for (const files of numbered.values())
    if (files.has(0))
      times.set(Math.max(...files.keys()) + 1, (times.get(Math.max(...files.keys()) + 1) ?? 0) + 1);
  const [most] = [...times].sort(([a, timesOfA], [b, timesOfB]) => timesOfB - timesOfA || b - a);
  return most?.[0] ?? 1;
}

/** The channels of a scan: its numbered files, of which those that are missing are named as the first is, or the volumes of one file. */
function channelsOfCase(
  place: (name: string) => string,
  name: string,
  files: ReadonlyMap<number, string> | undefined,
  count: number,
): ChannelFile[] {
  // A picture holds its colours in one file, which nnU-Net gives the number 0 all the same.
  if (files === undefined || (files.size === 1 && isPictureName(name)))
    return volumesOf(unwrapped(place(name)), count);
  const likely = (channel: number): string =>
    `${stem(name).replace(/_\d{4}$/, '')}_${String(channel).padStart(4, '0')}${name.slice(stem(name).length)}`;
  return Array.from({ length: count }, (_, channel) => ({
    file: unwrapped(place(files.get(channel) ?? likely(channel))),
  }));
}

function furtherChannel(file: string, series: string, count: number): ImagingError {
  return new ImagingError({
    file,
    field: `channels of case ${series}`,
    expected: count === 1 ? 'one, _0000' : `${count}, _0000 to _${String(count - 1).padStart(4, '0')}`,
    found: path.basename(file),
    hint: 'Name all channels in "channel_names" of dataset.json, or move this file to another folder.',
  });
}

function unfitEnding(
  dir: string,
  images: string,
  fileEnding: string,
  all: readonly { readonly name: string }[],
): ImagingError {
  const endings = new Set(all.map(({ name }) => endingOf(name) || path.extname(name) || name));
  const found = [...endings].slice(0, 5).join(', ');
  return new ImagingError({
    file: path.join(dir, 'dataset.json'),
    field: 'file_ending',
    expected: `what the files in ${images} end in (${found})`,
    found: `"${fileEnding}"`,
    hint: 'Correct it, or take it out.',
  });
}

/**
 * The one file of a scan in a folder that is named like a file, as some programs unpack `a.nii.gz`; everything else as it is. A folder
 * of that kind with several scans in it is left to whoever opens it.
 */
export function unwrapped(file: string): string {
  if (stem(path.basename(file)) === path.basename(file)) return file;
  try {
    if (!statSync(file).isDirectory()) return file;
    const scans = readdirSync(file).filter((name) => !name.startsWith('.') && ending.test(name));
    const inner = path.join(file, scans[0] ?? '');
    return scans.length === 1 && statSync(inner).isFile() ? inner : file;
  } catch {
    return file; // whoever opens it says what is wrong with it
  }
}

/** What lies in a folder; nothing where there is none. */
export async function namesIn(folder: string): Promise<{ name: string; folder: boolean }[]> {
  if (!existsSync(folder)) return [];
  try {
    return (await readdir(folder, { withFileTypes: true }))
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => ({ name: entry.name, folder: isFolder(path.join(folder, entry.name), entry) }));
  } catch (error) {
    const found = systemErrorReason(error);
    throw new ImagingError({ file: folder, field: 'path', expected: 'a folder', found }, { cause: error });
  }
}

/** Whether an entry is a folder or leads to one. */
function isFolder(file: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
