import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Case } from '../dataset/dataset.ts';
import { loadLabels } from '../dataset/labels.ts';
import { readScanSlabs } from '../formats/scan.ts';
import { type CaseDescription, IMAGE, LABELS, ORIGINAL_LABELS, type StoreOptions } from '../store/format.ts';
import {
  createZarr,
  type StoredVoxels,
  voxelsOf,
  writeChunk,
  writeJson,
  type ZarrArray,
} from '../store/zarr-array.ts';
import { ClassCounter } from '../volume/class-counter.ts';
import { IntensitySample } from '../volume/clipped-share.ts';
import { inParallel } from '../volume/in-parallel.ts';
import {
  applyWindow,
  type IntensityWindow,
  paperWindow,
  softTissueWindow,
} from '../volume/intensity-window.ts';
import { IGNORED, ignoresVoxels } from '../volume/label-codes.ts';
import { canonicalGrid, canonicalPlacer } from '../volume/orientation.ts';
import { type Grid, type Shape3, type Volume, type VoxelArray, voxelCount } from '../volume/volume.ts';
import { compactArray } from '../volume/voxel-decoder.ts';
import { preparedGrid } from './preprocess.ts';
import { resampledPlanes } from './resample.ts';
import { resampleLabels } from './resample-labels.ts';
import { axisTaps } from './resample-taps.ts';

/** A case to prepare, the new folder to write it to, and how. */
export interface CaseTask {
  readonly entry: Case;
  readonly folder: string;
  readonly options: StoreOptions;
}

/** Chunks that are compressed and written at a time: as many as Node.js has threads for it. */
const AT_ONCE = 4;

/**
 * Prepares a case and writes it into a new folder. Holds the scan in the type of its file and the labels, and beside them a
 * layer of chunks. Throws ImagingError for files that cannot be used, StoreWriteError where the folder cannot be written.
 */
export async function writeStoredCase(
  entry: Case,
  folder: string,
  options: StoreOptions,
  signal?: AbortSignal,
): Promise<void> {
  const { scan, original } = await readCanonical(entry);
  if (options.window !== undefined) {
    // What it cuts off is lost.
    const sample = new IntensitySample(scan.data.length, scan.shape[2]);
    sample.take(scan.data);
    sample.check(options.window, { file: entry.image, id: entry.id });
  }
  const grid = preparedGrid(original, options);
  const same = grid.shape.every((n, axis) => n === scan.shape[axis]);
  const truth =
    entry.label === undefined
      ? undefined
      : await loadLabels(entry.label, canonicalGrid(original), entry.labelNames, entry.labelCodes);
  const labels = truth && resampleLabels(truth, { shape: grid.shape });
  await mkdirWithGroup(folder);
  const place = (name: string) => path.join(folder, name);
  const limits = options.window && limitsOf(options.window);
  const type = same && isWhole(scan.data, limits) ? '<i2' : '<f4';
  const image = await createZarr(place(IMAGE), grid.shape, type);
  // Means of the windows that trainings use; those of others are taken when they are asked for.
  const windows = options.window === undefined ? [paperWindow, softTissueWindow] : [options.window];
  const counters = windows.map((window) => ({ window, counter: new ClassCounter() }));
  const plane = grid.shape[1] * grid.shape[2];
  let windowed = new Float32Array(0);
  let k = 0;
  const limited = new LayerWriter(image);
  for (const hu of same ? planesOf(scan) : planesAt(scan, grid.shape)) {
    signal?.throwIfAborted();
    if (labels) {
      if (windowed.length === 0) windowed = new Float32Array(plane);
      const classes = labels.data.subarray(k * plane, ++k * plane);
      for (const { window, counter } of counters) counter.add(applyWindow(hu, window, windowed), classes);
    }
    if (limits) limit(hu, limits);
    await limited.add(hu);
  }
  if (labels) await writeWhole(await createZarr(place(LABELS), grid.shape, '|u1'), labels.data, signal);
  if (truth && !same)
    await writeWhole(await createZarr(place(ORIGINAL_LABELS), truth.shape, '|u1'), truth.data, signal);
  const ignores = ignoresVoxels(entry.labelCodes);
  // Without names: up to the highest class there is.
  const classes =
    entry.labelNames?.length ?? (ignores ? counters[0].counter.highestBelow(IGNORED) + 1 : undefined);
  const description: CaseDescription = {
    affine: [...grid.affine],
    original: { shape: original.shape, affine: [...original.affine] },
    filled: grid.shape,
    preprocessing: options,
    classes: labels && counters.map(({ window, counter }) => ({ window, facts: counter.facts(classes) })),
    ...(labels && ignores && { ignored: counters[0].counter.countOf(IGNORED) }),
    source: await sourceOf(entry),
  };
  await writeJson(place('.zattrs'), description);
}

/** What the files of a case are known by: another size or time means another content. */
export async function sourceOf({ image, label }: Case): Promise<CaseDescription['source']> {
  const factsOf = async (file: string) => {
    const { size, mtimeMs } = await stat(file);
    return { file, bytes: size, modified: Math.round(mtimeMs) };
  };
  return { image: await factsOf(image), label: label === undefined ? undefined : await factsOf(label) };
}

/** Makes a folder that is a group of arrays. */
export async function mkdirWithGroup(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeJson(path.join(folder, '.zgroup'), { zarr_format: 2 });
}

/** A scan in RAS+ order, in the type of its file, and the grid of the file. */
async function readCanonical({ image, series }: Case): Promise<{ scan: Volume; original: Grid }> {
  return readScanSlabs(image, { series }, (stored) => {
    const grid = canonicalGrid(stored);
    const data = compactArray(stored, voxelCount(grid.shape));
    const original: Grid = { shape: stored.shape, affine: stored.affine };
    return {
      take: canonicalPlacer(stored, data, grid.shape),
      end: () => ({ scan: { data, ...grid }, original }),
    };
  });
}

/** The planes of the scan at another shape; an array that is used again. */
function planesAt({ data, shape }: Volume, [depth, height, width]: Shape3): Iterable<Float32Array> {
  const plane = shape[1] * shape[2];
  const taps = [axisTaps(shape[0], depth), axisTaps(shape[1], height), axisTaps(shape[2], width)] as const;
  return resampledPlanes(taps, (k, into) => into.set(data.subarray(k * plane, (k + 1) * plane)));
}

/** The planes of the scan as they are; an array that is used again. */
function* planesOf({ data, shape }: Volume): Generator<Float32Array> {
  const plane = new Float32Array(shape[1] * shape[2]);
  for (let k = 0; k < shape[0]; k++) {
    plane.set(data.subarray(k * plane.length, (k + 1) * plane.length));
    yield plane;
  }
}

/**
 * What lies outside of the window gets the whole number next to it: it stays outside, so windowing gives the same bits, and air
 * becomes a constant that takes no room.
 */
function limitsOf({ lower, upper }: IntensityWindow): IntensityWindow {
  return { lower: Math.floor(lower) - 1, upper: Math.ceil(upper) + 1 };
}

function limit(hu: Float32Array, { lower, upper }: IntensityWindow): void {
  for (let n = 0; n < hu.length; n++) hu[n] = hu[n] < lower ? lower : hu[n] > upper ? upper : hu[n];
}

/** Whether int16 keeps all values, those within the limits where there are some. */
function isWhole(data: VoxelArray, limits: IntensityWindow | undefined): boolean {
  const { lower, upper } = limits ?? { lower: -Infinity, upper: Infinity };
  if (data.BYTES_PER_ELEMENT < 2 || data instanceof Int16Array)
    return limits === undefined || inInt16(limits);
  if (limits !== undefined && !inInt16(limits)) return false;
  for (let n = 0; n < data.length; n++) {
    const value = data[n] < lower ? lower : data[n] > upper ? upper : data[n];
    if (value !== Math.trunc(value) || value < -(2 ** 15) || value >= 2 ** 15) return false;
  }
  return true;
}

const inInt16 = ({ lower, upper }: IntensityWindow): boolean => lower >= -(2 ** 15) && upper < 2 ** 15;

/** Writes an array plane by plane, a layer of chunks at a time. */
class LayerWriter {
  private readonly array: ZarrArray;
  private readonly layer: StoredVoxels;
  private planes = 0;
  private layers = 0;

  constructor(array: ZarrArray) {
    const { type, shape, chunks } = array;
    this.array = array;
    this.layer = voxelsOf(type, chunks[0] * shape[1] * shape[2]);
  }

  async add(plane: VoxelArray): Promise<void> {
    const { shape, chunks } = this.array;
    this.layer.set(plane, this.planes++ * plane.length);
    const done = this.layers * chunks[0] + this.planes;
    if (this.planes < chunks[0] && done < shape[0]) return;
    await writeLayer(this.array, this.layers++, this.layer.subarray(0, this.planes * plane.length));
    this.planes = 0;
  }
}

async function writeWhole(array: ZarrArray, data: Uint8Array, signal?: AbortSignal): Promise<void> {
  const size = array.chunks[0] * array.shape[1] * array.shape[2];
  for (let k = 0; k * size < data.length; k++) {
    signal?.throwIfAborted();
    await writeLayer(array, k, data.subarray(k * size, (k + 1) * size));
  }
}

/** Writes the chunks of one layer; `voxels`: its planes, fewer than a chunk has at the far end. */
async function writeLayer(array: ZarrArray, layer: number, voxels: StoredVoxels): Promise<void> {
  const { type, shape, chunks } = array;
  const [, height, width] = shape;
  const planes = voxels.length / (height * width);
  const rows = Math.ceil(height / chunks[1]);
  const columns = Math.ceil(width / chunks[2]);
  const places: Shape3[] = [];
  for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++) places.push([layer, j, i]);
  await inParallel(places, AT_ONCE, async (at) => {
    const chunk = voxelsOf(type, chunks[0] * chunks[1] * chunks[2]);
    const [top, left] = [at[1] * chunks[1], at[2] * chunks[2]];
    const count = Math.min(chunks[2], width - left);
    for (let k = 0; k < planes; k++)
      for (let j = 0; j < Math.min(chunks[1], height - top); j++) {
        const from = (k * height + top + j) * width + left;
        chunk.set(voxels.subarray(from, from + count), (k * chunks[1] + j) * chunks[2]);
      }
    await writeChunk(array, at, chunk);
  });
}
