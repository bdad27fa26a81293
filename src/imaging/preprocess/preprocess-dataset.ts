import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { StopSignal } from '../../core/index.ts';
import {
  beginPartialFolder,
  inside,
  isInside,
  isLockName,
  isSamePath,
  lockFolder,
  makeFolder,
} from '../../files/index.ts';
import { imageFiles } from '../dataset/channels.ts';
import { openDataset } from '../dataset/dataset.ts';
import type { LabelMapping } from '../dataset/named-labels.ts';
import { refuseSameNames } from '../store/dataset-names.ts';
import { isStore, readCaseDescription, readStoreDescription, type StoreOptions } from '../store/format.ts';
import { describe, otherPreparation } from '../store/prepared.ts';
import { StoreWriteError, writeJson } from '../store/zarr-array.ts';
import { ImagingError } from '../volume/errors.ts';
import { inParallel } from '../volume/in-parallel.ts';
import type { IntensityWindow } from '../volume/intensity-window.ts';
import type { LabelCodes } from '../volume/label-codes.ts';
import { defaultNormalizations, windowOnly } from '../volume/normalization.ts';
import { type CaseTask, mkdirWithGroup, sourceOf } from './case-description.ts';
import { type CaseRunner, ownThread, workerThread } from './case-runner.ts';

export interface PreprocessOptions {
  /** Folder of the data set. */
  readonly data: string;
  /** Patterns of its images and label maps; see openDataset. */
  readonly images?: string;
  readonly labels?: string;
  /** A table with the class of each image as a whole; see openDataset. */
  readonly imageLabels?: string;
  /** What values of label maps stand for; see openDataset. */
  readonly mapLabels?: LabelMapping;
  /** Whether scans whose axes lean are resampled to upright grids; see openDataset. */
  readonly resampleTilt?: boolean;
  /** Folder of the store: a new one, or one to go on with. */
  readonly out: string;
  /** Resample to this voxel size, mm. Not together with size. */
  readonly spacing?: number;
  /** Resample to a cube of this many voxels a side. */
  readonly size?: number;
  /** Keep no more of the scans than this range of HU: takes less room. All is kept by default. */
  readonly window?: IntensityWindow;
  /** Cases that are prepared at a time, each in a thread of its own; 1 (default) works in this thread. */
  readonly jobs?: number;
  /** When it is aborted, cases in the making are given up, and the result comes at once. */
  readonly signal?: StopSignal;
  /** Called for every case, when it is written, found finished or has failed. */
  readonly onCase?: (done: PreprocessedCase) => void;
}

export interface PreprocessedCase {
  readonly id: string;
  readonly outcome: 'written' | 'kept' | 'failed';
  /** Why it failed. */
  readonly error?: Error;
  /** Cases done so far, and all. */
  readonly done: number;
  readonly all: number;
}

export interface PreprocessResult {
  /** Ids of cases by what became of them; where it was interrupted, some are in none of them. */
  readonly written: readonly string[];
  readonly kept: readonly string[];
  readonly failed: readonly { readonly id: string; readonly error: Error }[];
  readonly interrupted: boolean;
}

/**
 * Prepares all cases of a data set that have labels and writes them into a store, from which a training reads boxes. Finished
 * cases are kept unless their files have changed; a case gets its name when it is whole. A case that cannot be read leaves the
 * others alone. Throws ImagingError where the store was made in another way, and StoreWriteError where it cannot be written: then
 * too all finished cases are kept, and the same call goes on with the others.
 */
export async function preprocess(options: PreprocessOptions): Promise<PreprocessResult> {
  const { data, out, spacing, size, window, onCase } = options;
  const dataset = await openDataset(data, options);
  if (dataset.preprocessed !== undefined)
    throw new ImagingError({
      file: data,
      field: 'data set',
      expected: 'scans',
      found: 'a store of preprocessed cases',
    });
  if (dataset.cases.length === 0)
    throw new ImagingError({
      file: data,
      field: 'cases',
      expected: 'at least one with labels',
      found: 'none',
    });
  if (spacing !== undefined && size !== undefined) {
    const found = `spacing ${spacing} and size ${size}`;
    throw new ImagingError({ field: 'preprocessing', expected: 'spacing or size', found });
  }
  const { name, labelNames, labelCodes, channelNames, imageClasses, cases } = dataset;
  const normalizations =
    window !== undefined && (channelNames?.length ?? 1) === 1
      ? windowOnly(window)
      : defaultNormalizations(channelNames, window);
  if (window !== undefined && !normalizations.some(({ kind }) => kind === 'window'))
    throw new ImagingError({
      file: data,
      field: 'window',
      expected: 'a channel of CT',
      found: channelNames?.join(', ') ?? 'none',
      hint: 'Leave the window out: other channels are kept as they are.',
    });
  const settings: StoreOptions = { spacing, size, window };
  refuseSameNames(
    cases.map(({ id }) => id),
    data,
  );
  refuseOwnData(out, [
    data,
    ...cases.flatMap((one) => [...imageFiles(one), ...(one.label ? [one.label] : [])]),
  ]);
  await checkFolder(out, settings, labelCodes);
  makeFolder(out);
  const lock = lockFolder(out, 'preprocessing');
  const result = {
    written: [] as string[],
    kept: [] as string[],
    failed: [] as { id: string; error: Error }[],
  };
  const all = cases.length;
  const tell = (id: string, outcome: PreprocessedCase['outcome'], error?: Error): void => {
    if (error === undefined) result[outcome === 'kept' ? 'kept' : 'written'].push(id);
    else result.failed.push({ id, error });
    const done = result.written.length + result.kept.length + result.failed.length;
    onCase?.({ id, outcome, error, done, all });
  };
  // A full disk ends the cases in the making too.
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]);
  let fault: { readonly error: unknown } | undefined;
  const jobs = Math.min(options.jobs ?? 1, all);
  const free: CaseRunner[] = Array.from({ length: jobs }, () => (jobs === 1 ? ownThread : workerThread()));
  const runners = [...free];
  try {
    await mkdirWithGroup(out);
    const ids = cases.map(({ id }) => id);
    await writeJson(path.join(out, '.zattrs'), {
      halomesh: {
        version: 2,
        name,
        label_names: labelNames,
        label_codes: labelCodes,
        channels: channelNames,
        ...(dataset.pictures && { pictures: true }),
        preprocessing: settings,
        cases: ids,
        image_classes: imageClasses,
        image_labels: imageClasses && cases.map(({ imageLabel }) => imageLabel),
      },
    });
    await inParallel(cases, jobs, async (entry) => {
      const runner = free.pop()!;
      let failure: Error | undefined;
      let outcome: 'written' | 'kept' | 'failed' = 'failed';
      try {
        signal.throwIfAborted();
        lock.touch();
        const task = { entry, folder: inside(out, entry.id), options: settings, normalizations };
        outcome = await once(task, runner, signal);
      } catch (error) {
        if (signal.aborted && error === signal.reason) throw error;
        if (error instanceof StoreWriteError || !(error instanceof Error)) {
          fault ??= { error };
          stop.abort(error);
          throw error;
        }
        failure = error;
      } finally {
        free.push(runner);
      }
      tell(entry.id, outcome, failure);
    });
  } catch (error) {
    // Cases that were given up say no more than that; what went wrong beside them is not lost.
    if (fault !== undefined) throw fault.error;
    if (error !== options.signal?.reason) throw error;
  } finally {
    for (const runner of runners) await runner.close();
    lock.release();
  }
  return { ...result, interrupted: options.signal?.aborted ?? false };
}

/** Writes a case unless it is there. */
async function once(task: CaseTask, runner: CaseRunner, signal: AbortSignal): Promise<'written' | 'kept'> {
  const { entry, folder } = task;
  if (lstatSync(folder, { throwIfNoEntry: false }) !== undefined) {
    refuseLinks(folder);
    const { source } = await readCaseDescription(folder);
    const now = await sourceOf(entry);
    const facts = ({ image, label, further = [], lean = '' }: typeof source) =>
      [image, label, ...further].map((one) => [one?.bytes, one?.modified].join()).join(' ') + lean;
    const same = facts(source) === facts(now);
    if (same) return 'kept';
    await rm(folder, { recursive: true });
  }
  const partial = beginPartialFolder(folder);
  try {
    await runner.run({ ...task, folder: partial.path }, signal);
    partial.finish();
    return 'written';
  } finally {
    partial.discard();
  }
}

/** What a link leads to is not the store's: it is neither kept as a case of it nor removed. */
function refuseLinks(folder: string): void {
  if (!lstatSync(folder).isSymbolicLink()) return;
  throw new ImagingError({
    file: folder,
    field: 'case',
    expected: 'a folder of the store',
    found: 'a link',
    hint: 'Remove the link, or move what it leads to here.',
  });
}

/** Refuses a store that would hold the data that are read: cases of a store are removed when their scans have changed. */
function refuseOwnData(out: string, files: readonly string[]): void {
  if (!existsSync(out)) return;
  const found = files.find(
    (file) => isSamePath(out, file) || isInside(realpathSync(out), realpathSync(file)),
  );
  if (found === undefined) return;
  const hint = 'Give another folder.';
  throw new ImagingError({ file: out, field: 'store', expected: 'a folder without the data', found, hint });
}

/** Refuses a folder with something else in it, and a store that was made in another way. */
async function checkFolder(
  out: string,
  settings: StoreOptions,
  codes: LabelCodes | undefined,
): Promise<void> {
  if (isStore(out)) {
    const { preprocessing, label_codes: stored } = await readStoreDescription(out);
    const [wanted, found] = [settings, preprocessing].map(describe);
    if (wanted !== found) throw otherPreparation(out, wanted, found);
    const meaning = (one: LabelCodes | undefined): string => JSON.stringify(one) ?? 'classes as they are';
    if (!isDeepStrictEqual(codes, stored))
      throw otherPreparation(out, `labels ${meaning(codes)}`, `labels ${meaning(stored)}`);
    return;
  }
  if (existsSync(out) && !statSync(out).isDirectory())
    throw new ImagingError({ file: out, field: 'store', expected: 'a folder', found: 'a file' });
  if (!existsSync(out) || readdirSync(out).every((name) => name === '.zgroup' || isLockName(name))) return;
  throw new ImagingError({
    file: out,
    field: 'store',
    expected: 'a new folder, or a store to go on with',
    found: 'a folder with other files',
    hint: 'Give another folder.',
  });
}
