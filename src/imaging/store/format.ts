import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { IntensityWindow } from '../volume/intensity-window.ts';
import type { ChannelStatistics, Normalization } from '../volume/normalization.ts';
import type { Shape3 } from '../volume/volume.ts';
import { readJsonAs } from './json-file.ts';
import { shapeOfAtMost } from './shape-schema.ts';
import { mostVoxels } from './zarr-array.ts';

// A store of preprocessed cases is a Zarr group: STORE/.zattrs says how it was made and of which cases, STORE/CASE is a group
// of one case with the arrays `image` (values of the file, Hounsfield units in CT, RAS+ order: depth, height, width), `image_1`, `image_2`...
// of further channels, `labels`, and, where the scan was resampled, `original_labels` on the voxels of the file in RAS+ order.

/** Names of the arrays of a case. */
export const IMAGE = 'image';
/** The array of a channel. */
export const imageOf = (channel: number): string => (channel === 0 ? IMAGE : `${IMAGE}_${channel}`);
export const LABELS = 'labels';
export const ORIGINAL_LABELS = 'original_labels';

/** Channels of a scan at most. */
export const mostChannels = 64;

const finite = z.number();
const whole = z.int().min(0);
const shape = shapeOfAtMost(mostVoxels);
const affine = z.array(finite).length(16, { error: '16 numbers, row by row' });
const grid = z.object({ shape, affine });
const window = z
  .object({ lower: finite, upper: finite })
  .refine(({ lower, upper }) => lower < upper, { error: 'a lower end below the upper one' });
const counted = z.object({ count: whole, mean: finite, deviation: finite.min(0) });
const statistics: z.ZodType<ChannelStatistics> = z.object({
  ...{ count: whole, mean: finite, deviation: finite.min(0), least: finite, most: finite },
  nonZero: counted,
});
const normalization: z.ZodType<Normalization> = z.union([
  z.object({ kind: z.literal('window'), lower: finite, upper: finite }),
  z.object({
    kind: z.literal('clip'),
    lower: finite,
    upper: finite,
    mean: finite,
    deviation: finite.positive(),
  }),
  z.object({ kind: z.literal('zscore'), nonZero: z.boolean().optional() }),
  z.object({ kind: z.enum(['rescale', 'rgb', 'none']) }),
]);
const source = z.object({ file: z.string(), bytes: whole, modified: finite });

/** How the cases of a store were prepared; with a window: what lies outside of it is lost. */
export interface StoreOptions {
  /** mm of a voxel along each axis. */
  readonly spacing?: number;
  /** Voxels along each axis. */
  readonly size?: number;
  readonly window?: IntensityWindow;
}

const options: z.ZodType<StoreOptions> = z.object({
  spacing: finite.positive().optional(),
  size: whole.min(1).optional(),
  window: window.optional(),
});

const byte = whole.max(255);
const labelCodes = z.object({
  classOf: z.record(z.string(), byte),
  classValues: z.array(byte).optional(),
  regions: z
    .array(z.object({ name: z.string(), classes: z.array(byte.min(1)).min(1), written: byte.min(1) }))
    .min(1)
    .optional(),
});

/** What stands beside the cases of a store. */
export interface StoreDescription {
  /** Of this format; the first has one channel, whose statistics it does not tell. */
  readonly version: 1 | 2;
  readonly name: string;
  readonly label_names?: string[];
  /** What the values of the label maps mean, where they are not the classes themselves, which is what the store holds. */
  readonly label_codes?: { readonly classOf: Record<string, number>; readonly classValues?: number[] };
  /** Names of the channels, where the data set gives them or there are several. */
  readonly channels?: string[];
  /** Whether its cases were pictures. */
  readonly pictures?: boolean;
  readonly preprocessing: StoreOptions;
  /** Ids of all cases of the data set that are labelled. */
  readonly cases: string[];
  /** Names of the classes that images belong to as a whole, and that of each case, where they are known. */
  readonly image_classes?: string[];
  readonly image_labels?: string[];
}

const root: z.ZodType<{ readonly halomesh: StoreDescription }> = z.object({
  halomesh: z.object({
    version: z.literal([1, 2], { error: '1 or 2, the version of the store' }),
    name: z.string(),
    label_names: z.array(z.string()).optional(),
    label_codes: labelCodes.optional(),
    channels: z.array(z.string()).min(1).max(mostChannels).optional(),
    pictures: z.boolean().optional(),
    preprocessing: options,
    cases: z.array(z.string()).min(1),
    image_classes: z.array(z.string()).optional(),
    image_labels: z.array(z.string()).optional(),
  }),
});

/** A file that a case was made from, as it was then. */
export interface StoredSource {
  readonly file: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** What stands beside the arrays of a case: enough to bring a segmentation back to the file. */
export interface CaseDescription {
  /** Row by row, voxels (k, j, i) to mm. */
  readonly affine: number[];
  readonly original: { readonly shape: Shape3; readonly affine: number[] };
  readonly filled: Shape3;
  readonly preprocessing: StoreOptions;
  /** What is known of each channel of the file, and the window that it was cut off at, if it was. */
  readonly channels?: { readonly statistics: ChannelStatistics; readonly window?: IntensityWindow }[];
  /** By label value, for images that are normalised in some ways: `window` where that of one channel is all. */
  readonly classes?: {
    readonly window?: IntensityWindow;
    readonly normalizations?: readonly Normalization[];
    readonly facts: readonly {
      readonly count: number;
      readonly mean: number;
      readonly means?: readonly number[];
    }[];
  }[];
  /** Voxels that are left out of all counts. */
  readonly ignored?: number;
  readonly source: {
    readonly image: StoredSource;
    readonly label?: StoredSource;
    readonly further?: StoredSource[];
    /** `resample` where the files lean and were brought to an upright grid. */
    readonly lean?: string;
  };
}

const caseOfStore: z.ZodType<CaseDescription> = z.object({
  affine,
  original: grid,
  filled: shape,
  preprocessing: options,
  channels: z
    .array(z.object({ statistics, window: window.optional() }))
    .min(1)
    .max(mostChannels)
    .optional(),
  classes: z
    .array(
      z
        .object({
          window: window.optional(),
          normalizations: z.array(normalization).readonly().optional(),
          facts: z
            .array(z.object({ count: whole, mean: finite, means: z.array(finite).readonly().optional() }))
            .readonly(),
        })
        .refine((given) => (given.window === undefined) !== (given.normalizations === undefined), {
          error: 'a window, or normalizations',
        }),
    )
    .optional(),
  ignored: whole.optional(),
  source: z.object({
    image: source,
    label: source.optional(),
    further: z.array(source).optional(),
    lean: z.string().optional(),
  }),
});

const attributes = (folder: string): string => path.join(folder, '.zattrs');

/** Whether a folder is a store, finished or not. */
export const isStore = (dir: string): boolean =>
  existsSync(attributes(dir)) && existsSync(path.join(dir, '.zgroup'));

/** Whether a path is that of an array of a store. */
export const isZarr = (folder: string): boolean => existsSync(path.join(folder, '.zarray'));

export async function readStoreDescription(dir: string): Promise<StoreDescription> {
  return (await readJsonAs(attributes(dir), root)).halomesh;
}

export function readCaseDescription(folder: string): Promise<CaseDescription> {
  return readJsonAs(attributes(folder), caseOfStore);
}
