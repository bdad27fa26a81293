import { availableParallelism } from 'node:os';
import { type Case, openDataset } from '../dataset/dataset.ts';
import type { DatasetPatterns } from '../dataset/dataset-files.ts';
import { loadLabels } from '../dataset/labels.ts';
import { readScanHeader, readScanSlabs } from '../formats/scan.ts';
import { IntensitySample } from '../volume/clipped-share.ts';
import { ImagingError } from '../volume/errors.ts';
import { inParallel } from '../volume/in-parallel.ts';
import { softTissueWindow } from '../volume/intensity-window.ts';
import { IGNORED, ignoresVoxels } from '../volume/label-codes.ts';
import { canonicalGrid, fromCanonical, orientationCode, orientationOf } from '../volume/orientation.ts';
import type { ScanFormat } from '../volume/scan-types.ts';
import { type Shape3, spacingOf, voxelCount, voxelVolume } from '../volume/volume.ts';
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

/** What a data set has in its label maps and beneath them, of one case or of all. */
export interface Print {
  readonly voxels: number;
  readonly classes: readonly ClassPrint[];
  /** Beneath all labels above 0. */
  readonly foreground?: Intensities;
}

export interface CasePrint extends Print {
  readonly id: string;
  readonly format: ScanFormat;
  /** Voxels and mm (depth, height, width), in RAS+ order. */
  readonly shape: Shape3;
  readonly spacing: Shape3;
  /** Where i, j and k of the file point, such as `LPS`. */
  readonly orientation: string;
  /** Share of the voxels within the body that the window of the default preset cuts off; absent where all voxels are alike. */
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
  /** Cases by orientation. */
  readonly orientations: Readonly<Record<string, number>>;
  readonly all: Print;
  readonly cases: readonly CasePrint[];
}

/**
 * Spacings, sizes, shares of the labels and the intensities beneath them, of all cases with a label map.
 * Throws ImagingError for the first case that cannot be read, and where there is none.
 */
export async function fingerprintDataset(
  dir: string,
  options: FingerprintOptions = {},
): Promise<Fingerprint> {
  const { cases, labelNames, name } = await openDataset(dir, options);
  if (cases.length === 0) {
    const expected = 'at least one with a label map';
    throw new ImagingError({ file: dir, field: 'cases', expected, found: 'none' });
  }
  const counted: CountedCase[] = [];
  let done = 0;
  await inParallel(cases.keys(), options.together ?? availableParallelism(), async (n) => {
    counted[n] = await countCase(cases[n]);
    options.onCase?.(cases[n].id, ++done, cases.length);
  });
  const most = Math.max(...counted.map(({ classes }) => classes.length), labelNames?.length ?? 0);
  const names = Array.from({ length: most }, (_, value) => labelNames?.[value] ?? String(value));
  const orientations: Record<string, number> = {};
  for (const { facts } of counted)
    orientations[facts.orientation] = (orientations[facts.orientation] ?? 0) + 1;
  return {
    ...{ data: dir, name, orientations },
    spacing: spreadOf(counted.map(({ facts }) => facts.spacing)),
    shape: spreadOf(counted.map(({ facts }) => facts.shape)),
    all: printOf(counted, names),
    cases: counted.map((one) => ({ ...one.facts, ...printOf([one], names) })),
  };
}

interface CountedCase {
  readonly facts: Omit<CasePrint, keyof Print>;
  /** In millilitres, of one voxel. */
  readonly voxelVolume: number;
  /** By label value. */
  readonly classes: readonly IntensityCounts[];
}

async function countCase({ id, image, series, label, labelNames, labelCodes }: Case): Promise<CountedCase> {
  const header = await readScanHeader(image, { series });
  const grid = canonicalGrid(header);
  const orientation = orientationOf(header.affine);
  // In the order of the image's file, so that both can be gone through together.
  const labels = fromCanonical(await loadLabels(label!, grid, labelNames, labelCodes), orientation).data;
  const left = ignoresVoxels(labelCodes);
  const classes: IntensityCounter[] = [];
  const plane = header.shape[1] * header.shape[2];
  const sample = new IntensitySample(voxelCount(header.shape), header.shape[2]);
  await readScanSlabs(image, { series }, () => ({
    take(voxels, first) {
      const start = first * plane;
      sample.take(voxels);
      for (let n = 0; n < voxels.length; n++) {
        const value = labels[start + n];
        if (left && value === IGNORED) continue;
        classes[value] ??= new IntensityCounter();
        classes[value].add(voxels[n]);
      }
    },
    end: () => undefined,
  }));
  const spacing = spacingOf(grid);
  return {
    facts: {
      ...{ id, format: header.format, shape: grid.shape, spacing },
      orientation: orientationCode(header.affine),
      clipped: sample.share(softTissueWindow)?.clipped,
    },
    voxelVolume: voxelVolume(grid) / 1000,
    classes: Array.from(classes, (counter) => (counter ?? new IntensityCounter()).counts()),
  };
}

function printOf(cases: readonly CountedCase[], names: readonly string[]): Print {
  const voxels = cases.reduce((sum, { facts }) => sum + voxelCount(facts.shape), 0);
  const counts = names.map((_, value) => mergeCounts(cases.flatMap(({ classes }) => classes[value] ?? [])));
  const volume = (value: number) =>
    cases.reduce((sum, { classes, voxelVolume }) => sum + (classes[value]?.count ?? 0) * voxelVolume, 0);
  const classes = names.map((name, value): ClassPrint => {
    const { count } = counts[value];
    const intensities = summaryOf(counts[value]);
    return { value, name, voxels: count, share: count / voxels, volume: volume(value), intensities };
  });
  return { voxels, classes, foreground: summaryOf(mergeCounts(counts.slice(1))) };
}

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
