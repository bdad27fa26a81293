import { availableParallelism } from 'node:os';
import {
  channelFiles,
  checkSameGrid,
  readChannelHeader,
  readChannelSlabs,
  withStoredChannels,
} from '../dataset/channels.ts';
import { type Case, openDataset } from '../dataset/dataset.ts';
import type { DatasetPatterns } from '../dataset/dataset-files.ts';
import { loadLabels } from '../dataset/labels.ts';
import { IntensitySample } from '../volume/clipped-share.ts';
import { ImagingError } from '../volume/errors.ts';
import { inParallel } from '../volume/in-parallel.ts';
import { softTissueWindow } from '../volume/intensity-window.ts';
import { IGNORED, ignoresVoxels } from '../volume/label-codes.ts';
import { isCt } from '../volume/normalization.ts';
import { canonicalGrid, fromCanonical, orientationCode, orientationOf } from '../volume/orientation.ts';
import { isPictureFormat, type ScanFormat } from '../volume/scan-types.ts';
import { type Grid, type Shape3, spacingOf, type Volume, voxelCount, voxelVolume } from '../volume/volume.ts';
import {
  type Intensities,
  IntensityCounter,
  type IntensityCounts,
  mergeCounts,
  summaryOf,
} from './intensity-counts.ts';

export interface FingerprintOptions extends DatasetPatterns {
  /** Called after each case. */
  readonly onCase?: (id: string, done: number, all: number) => void;
  /** Cases read at the same time; as many as there are processors by default. */
  readonly together?: number;
}

/** The voxels of one label. */
export interface ClassPrint {
  readonly value: number;
  readonly name: string;
  readonly voxels: number;
  /** Of all voxels. */
  readonly share: number;
  /** In millilitres. */
  readonly volume: number;
  /** Absent where there are no voxels. */
  readonly intensities?: Intensities;
}

/** What lies beneath the labels in one of several channels. */
export interface ChannelPrint {
  readonly name: string;
  /** Share of the voxels that are 0: of a scan whose outside was set to 0, most of it. */
  readonly zeros: number;
  /** By label value, and beneath all labels above 0; absent where there are no voxels. */
  readonly classes: readonly { readonly name: string; readonly intensities?: Intensities }[];
  readonly foreground?: Intensities;
}

/** What a data set has in its label maps and beneath them, of one case or of all; intensities are those of the first channel. */
export interface Print {
  readonly voxels: number;
  readonly classes: readonly ClassPrint[];
  /** Beneath all labels above 0. */
  readonly foreground?: Intensities;
  /** All channels, where there are several. */
  readonly channels?: readonly ChannelPrint[];
}

export interface CasePrint extends Print {
  readonly id: string;
  /** The class of the image as a whole, where it is known. */
  readonly imageLabel?: string;
  readonly format: ScanFormat;
  /** Voxels and mm (depth, height, width), in RAS+ order. */
  readonly shape: Shape3;
  readonly spacing: Shape3;
  /** Where i, j and k of the file point, such as `LPS`. */
  readonly orientation: string;
  /**
   * Share of the voxels within the body that the window of the default preset cuts off in the first channel; absent where that is not CT by
   * its name, and where all voxels are alike.
   */
  readonly clipped?: number;
}

/** Smallest, middle and largest of all cases, along (depth, height, width) in RAS+ order. */
export interface Spread {
  readonly least: Shape3;
  readonly median: Shape3;
  readonly most: Shape3;
}

export interface Fingerprint {
  readonly data: string;
  readonly name: string;
  readonly spacing: Spread;
  readonly shape: Spread;
  /** Cases of each class that images belong to as a whole, where these are known. */
  readonly imageClasses?: Readonly<Record<string, number>>;
  /** Cases by orientation. */
  readonly orientations: Readonly<Record<string, number>>;
  readonly all: Print;
  readonly cases: readonly CasePrint[];
}

/**
 * Spacings, sizes, shares of the labels and the intensities beneath them, of all labelled cases. Images
 * that have one label and no label map count as they are, under one name.
 * Throws ImagingError for the first case that cannot be read, and where there is none.
 */
export async function fingerprintDataset(
  dir: string,
  options: FingerprintOptions = {},
): Promise<Fingerprint> {
  const { cases, labelNames, channelNames = [''], imageClasses, name } = await openDataset(dir, options);
  if (cases.length === 0) {
    const expected = 'at least one with a label map or a class';
    throw new ImagingError({ file: dir, field: 'cases', expected, found: 'none' });
  }
  const counted: CountedCase[] = [];
  let done = 0;
  await inParallel(cases.keys(), options.together ?? availableParallelism(), async (n) => {
    counted[n] = await countCase(withStoredChannels(cases[n], channelNames.length), channelNames[0]);
    options.onCase?.(cases[n].id, ++done, cases.length);
  });
  const mapped = cases.some(({ label }) => label !== undefined);
  const most = Math.max(
    ...counted.map(({ channels }) => channels[0].classes.length),
    labelNames?.length ?? 0,
  );
  const names = mapped
    ? Array.from({ length: most }, (_, value) => labelNames?.[value] ?? String(value))
    : ['all voxels'];
  const orientations: Record<string, number> = {};
  for (const { facts } of counted)
    orientations[facts.orientation] = (orientations[facts.orientation] ?? 0) + 1;
  return {
    ...{ data: dir, name, orientations },
    ...(imageClasses && { imageClasses: casesByClass(imageClasses, cases) }),
    spacing: spreadOf(counted.map(({ facts }) => facts.spacing)),
    shape: spreadOf(counted.map(({ facts }) => facts.shape)),
    all: printOf(counted, names, channelNames),
    cases: counted.map((one) => ({ ...one.facts, ...printOf([one], names, channelNames) })),
  };
}

/** Cases of each class that images belong to as a whole. */
export function casesByClass(
  classes: readonly string[],
  cases: readonly Pick<Case, 'imageLabel'>[],
): Readonly<Record<string, number>> {
  const count = (name: string): number => cases.filter(({ imageLabel }) => imageLabel === name).length;
  return Object.fromEntries(classes.map((name) => [name, count(name)]));
}

interface CountedCase {
  readonly facts: Omit<CasePrint, keyof Print>;
  /** In millilitres, of one voxel. */
  readonly voxelVolume: number;
  readonly channels: readonly CountedChannel[];
}

interface CountedChannel {
  readonly zeros: number;
  /** By label value. */
  readonly classes: readonly IntensityCounts[];
}

async function countCase(entry: Case, firstChannel: string): Promise<CountedCase> {
  const header = await readChannelHeader(entry);
  const grid = canonicalGrid(header);
  const canonical =
    entry.label === undefined
      ? undefined
      : await loadLabels(entry.label, grid, entry.labelNames, entry.labelCodes);
  // A channel without a name counts as CT.
  const hounsfield = !isPictureFormat(header.format) && (firstChannel === '' || isCt(firstChannel));
  const sample = new IntensitySample(voxelCount(header.shape), header.shape[2]);
  const channels: CountedChannel[] = [];
  for (const channel of channelFiles(entry).keys())
    channels.push(await countChannel(entry, channel, header, canonical, channel === 0 ? sample : undefined));
  return {
    facts: {
      ...{ id: entry.id, format: header.format, shape: grid.shape, spacing: spacingOf(grid) },
      ...(entry.imageLabel !== undefined && { imageLabel: entry.imageLabel }),
      orientation: orientationCode(header.affine),
      ...(hounsfield && { clipped: sample.share(softTissueWindow)?.clipped }),
    },
    voxelVolume: voxelVolume(grid) / 1000,
    channels,
  };
}

/** Counts a channel of a case whose first one has the header, all as value 0 without labels; `sample` gets some of its voxels. */
async function countChannel(
  entry: Case,
  channel: number,
  first: Grid,
  canonical: Volume<Uint8Array> | undefined,
  sample?: IntensitySample,
): Promise<CountedChannel> {
  return readChannelSlabs(entry, channel, (header) => {
    checkSameGrid(entry, channel, header, first);
    // In the order of the channel's file, so that both can be gone through together.
    const labels = canonical && fromCanonical(canonical, orientationOf(header.affine)).data;
    const left = ignoresVoxels(entry.labelCodes);
    const classes: IntensityCounter[] = [];
    const plane = header.shape[1] * header.shape[2];
    let zeros = 0;
    return {
      take(voxels, from) {
        const start = from * plane;
        sample?.take(voxels);
        for (let n = 0; n < voxels.length; n++) {
          if (voxels[n] === 0) zeros++;
          const value = labels === undefined ? 0 : labels[start + n];
          if (left && value === IGNORED) continue;
          classes[value] ??= new IntensityCounter();
          classes[value].add(voxels[n]);
        }
      },
      end: () => ({
        zeros,
        classes: Array.from(classes, (counter) => (counter ?? new IntensityCounter()).counts()),
      }),
    };
  });
}

function printOf(
  cases: readonly CountedCase[],
  names: readonly string[],
  channelNames: readonly string[],
): Print {
  const voxels = cases.reduce((sum, { facts }) => sum + voxelCount(facts.shape), 0);
  const countsIn = (channel: number) =>
    names.map((_, value) =>
      mergeCounts(cases.flatMap(({ channels }) => channels[channel].classes[value] ?? [])),
    );
  const counts = countsIn(0);
  const volume = (value: number) =>
    cases.reduce(
      (sum, { channels, voxelVolume }) => sum + (channels[0].classes[value]?.count ?? 0) * voxelVolume,
      0,
    );
  const classes = names.map((name, value): ClassPrint => {
    const { count } = counts[value];
    const intensities = summaryOf(counts[value]);
    return { value, name, voxels: count, share: count / voxels, volume: volume(value), intensities };
  });
  const print = { voxels, classes, foreground: foregroundOf(counts) };
  if (channelNames.length === 1) return print;
  const channels = channelNames.map((name, channel): ChannelPrint => {
    const own = countsIn(channel);
    const zeros = cases.reduce((sum, one) => sum + one.channels[channel].zeros, 0) / voxels;
    const beneath = names.map((label, value) => ({ name: label, intensities: summaryOf(own[value]) }));
    return { name, zeros, classes: beneath, foreground: foregroundOf(own) };
  });
  return { ...print, channels };
}

const foregroundOf = (counts: readonly IntensityCounts[]): Intensities | undefined =>
  summaryOf(mergeCounts(counts.slice(1)));

function spreadOf(triples: readonly Shape3[]): Spread {
  const along = (axis: number) => triples.map((triple) => triple[axis]).sort((a, b) => a - b);
  const each = (pick: (sorted: readonly number[]) => number): Shape3 => [
    pick(along(0)),
    pick(along(1)),
    pick(along(2)),
  ];
  const middle = (sorted: readonly number[]) => {
    const half = Math.floor(sorted.length / 2);
    return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  };
  return { least: each((s) => s[0]), median: each(middle), most: each((s) => s[s.length - 1]) };
}
