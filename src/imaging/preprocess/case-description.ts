import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { imageFiles } from '../dataset/channels.ts';
import type { Case } from '../dataset/dataset.ts';
import type { CaseDescription, StoreOptions } from '../store/format.ts';
import { writeJson } from '../store/zarr-array.ts';
import { ClassCounter, factsOfChannels } from '../volume/class-counter.ts';
import { type IntensityWindow, paperWindow, softTissueWindow } from '../volume/intensity-window.ts';
import { IGNORED, ignoresVoxels } from '../volume/label-codes.ts';
import { type Normalization, windowOnly } from '../volume/normalization.ts';
import type { Grid } from '../volume/volume.ts';

// What stands beside the arrays of a case of a store.

/** A case to prepare, the new folder to write it to, and how. */
export interface CaseTask {
  readonly entry: Case;
  readonly folder: string;
  readonly options: StoreOptions;
  /** How a training normalises each channel where it is told nothing else. */
  readonly normalizations: readonly Normalization[];
}

/** The grid of the files of a case, and that of its store. */
export interface MadeChannel {
  readonly original: Grid;
  readonly grid: Grid;
}

/** A way to normalise all channels, and the counters of what the labels cover then. */
export interface Counted {
  readonly normalizations: readonly Normalization[];
  /** As it is told in the store. */
  readonly named:
    | { readonly window: IntensityWindow }
    | { readonly normalizations: readonly Normalization[] };
  readonly counters: readonly ClassCounter[];
}

/** The ways that trainings take: those of others are counted when they are asked for. */
export function countedWays(normalizations: readonly Normalization[], only?: IntensityWindow): Counted[] {
  const counters = () => normalizations.map(() => new ClassCounter());
  const windows = only === undefined ? [paperWindow, softTissueWindow] : [only];
  const [first] = normalizations;
  if (normalizations.length === 1 && first.kind === 'window')
    return windows.map((window) => ({
      normalizations: windowOnly(window),
      named: { window },
      counters: counters(),
    }));
  const way = { normalizations, named: { normalizations }, counters: counters() };
  if (!normalizations.some(({ kind }) => kind === 'window')) return [way];
  return windows.map((window) => {
    const all = normalizations.map((one) => (one.kind === 'window' ? { kind: one.kind, ...window } : one));
    return { normalizations: all, named: { normalizations: all }, counters: counters() };
  });
}

/** Writes what stands beside the arrays of a case; `ways`: what was counted beneath its labels, where it has some. */
export async function describeCase(
  { entry, folder, options }: CaseTask,
  {
    original,
    grid,
    channels,
    ways,
  }: MadeChannel & {
    readonly channels: CaseDescription['channels'];
    readonly ways?: readonly Counted[];
  },
): Promise<void> {
  const ignores = ignoresVoxels(entry.labelCodes);
  // Without names: up to the highest class there is.
  const classes =
    entry.labelNames?.length ?? (ignores && ways ? ways[0].counters[0].highestBelow(IGNORED) + 1 : undefined);
  const description: CaseDescription = {
    affine: [...grid.affine],
    original: { shape: original.shape, affine: [...original.affine] },
    filled: grid.shape,
    preprocessing: options,
    channels,
    classes: ways?.map((way) => ({ ...way.named, facts: factsOfChannels(way.counters, classes) })),
    ...(ways && ignores && { ignored: ways[0].counters[0].countOf(IGNORED) }),
    source: await sourceOf(entry),
  };
  await writeJson(path.join(folder, '.zattrs'), description);
}

/** What the files of a case are known by: another size or time means another content. */
export async function sourceOf(entry: Case): Promise<CaseDescription['source']> {
  const { label } = entry;
  const factsOf = async (file: string) => {
    const { bytes, modified } = await sizeOf(file);
    return { file, bytes, modified: Math.round(modified) };
  };
  const [image, ...others] = imageFiles(entry);
  const further = await Promise.all(others.map(factsOf));
  return {
    image: await factsOf(image),
    label: label === undefined ? undefined : await factsOf(label),
    ...(further.length > 0 && { further }),
    ...(entry.lean && { lean: entry.lean }),
  };
}

/** Bytes and the last change (ms) of a file, or of the files of a folder. */
async function sizeOf(file: string): Promise<{ readonly bytes: number; readonly modified: number }> {
  const found = await stat(file);
  if (!found.isDirectory()) return { bytes: found.size, modified: found.mtimeMs };
  const names = (await readdir(file)).filter((name) => !name.startsWith('.'));
  const all = await Promise.all(names.map((name) => stat(path.join(file, name))));
  return {
    bytes: all.reduce((sum, { size }) => sum + size, 0),
    modified: Math.max(found.mtimeMs, ...all.map(({ mtimeMs }) => mtimeMs)),
  };
}

/** Makes a folder that is a group of arrays. */
export async function mkdirWithGroup(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeJson(path.join(folder, '.zgroup'), { zarr_format: 2 });
}
