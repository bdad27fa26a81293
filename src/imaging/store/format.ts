import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonAs } from './json-file.ts';
import { mostVoxels, shapeOfAtMost } from './zarr-array.ts';

// A store of preprocessed cases is a Zarr group: STORE/.zattrs says how it was made and of which cases, STORE/CASE is a group
// of one case with the arrays `image` (Hounsfield units, RAS+ order: depth, height, width), `labels`, and, where the scan was
// resampled, `original_labels` on the voxels of the file in RAS+ order.

/** Names of the arrays of a case. */
export const IMAGE = 'image';
export const LABELS = 'labels';
export const ORIGINAL_LABELS = 'original_labels';

const finite = z.number();
const whole = z.int().min(0);
const shape = shapeOfAtMost(mostVoxels);
const affine = z.array(finite).length(16, { error: '16 numbers, row by row' });
const grid = z.object({ shape, affine });
const window = z
  .object({ lower: finite, upper: finite })
  .refine(({ lower, upper }) => lower < upper, { error: 'a lower end below the upper one' });
const source = z.object({ file: z.string(), bytes: whole, modified: finite });

const options = z.object({
  spacing: finite.positive().optional(),
  size: whole.min(1).optional(),
  window: window.optional(),
});

/** How the cases of a store were prepared; with a window: what lies outside of it is lost. */
export type StoreOptions = z.infer<typeof options>;

const byte = whole.max(255);
const labelCodes = z.object({ classOf: z.record(z.string(), byte), classValues: z.array(byte).optional() });

const root = z.object({
  halomesh: z.object({
    /** Of this format. */
    version: z.literal(1, { error: '1, the version of the store' }),
    name: z.string(),
    label_names: z.array(z.string()).optional(),
    /** What the values of the label maps mean, where they are not the classes themselves, which is what the store holds. */
    label_codes: labelCodes.optional(),
    preprocessing: options,
    /** Ids of all cases of the data set with a label map. */
    cases: z.array(z.string()).min(1),
  }),
});
export type StoreDescription = z.infer<typeof root>['halomesh'];

const caseOfStore = z.object({
  affine,
  original: grid,
  filled: shape,
  preprocessing: options,
  /** By label value, for images of some windows. */
  classes: z.array(z.object({ window, facts: z.array(z.object({ count: whole, mean: finite })) })).optional(),
  /** Voxels that are left out of all counts. */
  ignored: whole.optional(),
  /** Files that the case was made from, as they were then: modified in milliseconds since 1970. */
  source: z.object({ image: source, label: source.optional() }),
});

/** What stands beside the arrays of a case: enough to bring a segmentation back to the file. */
export type CaseDescription = z.infer<typeof caseOfStore>;

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
