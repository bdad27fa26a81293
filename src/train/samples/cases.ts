import { fail } from '../../core/index.ts';
import {
  type Case,
  ChunkCache,
  channelFiles,
  type Dataset,
  type Grid,
  imageClassOf,
  isPictureName,
  isZarr,
  loadCase,
  normalizationsOf,
  type PreparedCase,
  type PrepareOptions,
  preparedGrid,
  readChannelHeader,
  type Shape3,
  StoredCase,
  voxelCount,
  withLabelMaps,
} from '../../imaging/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { splitOf } from '../config/held-out.ts';
import { channelCount } from '../config/normalization.ts';
import { boundaryCount } from '../config/task/boundary.ts';
import { classifies } from '../config/task/task.ts';
import { sampleShape, stepPatch } from './patches.ts';

/** What a run trains on, and what it only looks at. */
export interface ChosenCases {
  readonly training: readonly Case[];
  readonly validation: readonly Case[];
  /** Names of label values 0, 1, 2... */
  readonly classes: readonly string[];
  /** Files of scans in the folders of the data set that are in none of its cases, as paths from it. */
  readonly unused: readonly string[];
}

/** Divides the cases of a data set as the config says. Throws HalomeshError where it cannot. */
export function chooseCases(
  dataset: Dataset,
  config: Pick<TrainConfig, 'validation' | 'fold' | 'seed' | 'classes' | 'task'>,
): ChosenCases {
  const { cases } = dataset;
  const given = config.classes;
  const whole = classifies(config);
  if (whole) checkImageClasses(dataset);
  const classes = given ?? (whole ? dataset.imageClasses : dataset.labelNames);
  if (classes === undefined || classes.length < 2)
    return fail({
      where: dataset.dir,
      problem: 'the data set does not name at least two labels',
      hint: 'Give "labels" in its dataset.json, or "classes" in the config: ["background", "liver"]',
    });
  if (cases.length === 0)
    fail({
      where: dataset.dir,
      problem: whole ? 'has no image with a class' : 'has no case with a label map',
      expected: 'at least one to train on',
    });
  const split = splitOf(dataset, config);
  const heldOut = new Set(split.validation);
  const training = cases.filter(({ id }) => !heldOut.has(id) && (split.training?.includes(id) ?? true));
  if (training.length === 0)
    fail({
      where: 'config "validation"',
      problem: `expected a case left to train on, found ${split.training === undefined ? `all ${cases.length} held out` : 'none'}`,
    });
  // Label maps are checked against these names when they are read.
  const named = (list: readonly Case[]): Case[] =>
    whole
      ? list.map((entry) => imageCase(entry, classes))
      : withLabelMaps(list).map((entry) => ({ ...entry, labelNames: classes }));
  const validation = named(cases.filter(({ id }) => heldOut.has(id)));
  return { training: named(training), validation, classes, unused: dataset.unused ?? [] };
}

/** Refuses a data set that does not say which classes its images belong to as wholes. */
function checkImageClasses({ dir, imageClasses }: Dataset): void {
  if (imageClasses !== undefined) return;
  fail({
    where: dir,
    problem: 'the data set does not say which class each image belongs to',
    hint: 'Give "class" beside each "image" in its dataset.json, or a table of ids and labels with --image-labels',
  });
}

/** A case whose image has one of these classes; a label map that it may have is not read. */
export function imageCase(entry: Case, classes: readonly string[]): Case {
  imageClassOf(entry, classes);
  const { label: _, labelNames: __, labelCodes: ___, ...rest } = entry;
  return rest;
}

/** Bytes of a voxel of a prepared case: image (float32, of each channel) and labels (one byte). */
export const voxelBytes = (channels = 1): number => 4 * channels + 1;

/** Bytes of a voxel beside that while a case is read: a scan that is resampled, at most 4, of about the same size. */
const READING_BYTES = 4;

/** What all volumes of a training take at most: prepared cases, the batch in flight, and what reading the next one needs. */
export const VOLUME_BYTES = 1.75 * 2 ** 30;

/** Bytes of prepared cases that stay, where the largest has so many voxels and `batch` of them are in flight; one always stays. */
export function keptBytes(voxels: number, batch: number, limitBytes = VOLUME_BYTES, channels = 1): number {
  const beside = (READING_BYTES + voxelBytes(channels) * batch) * voxels;
  return Math.max(voxelBytes(channels) * voxels, limitBytes - beside);
}

/** Voxels of a volume that are read at once where volumes are read a box at a time. */
export const PIECE_VOXELS = 2 ** 24;

/** Bytes of a prepared picture from which on pictures are read by boxes. */
const LARGE_PICTURE = 2 ** 28;

/**
 * Whether the cases of a training are read a box at a time, so that no process holds a whole one: those of a store of preprocessed cases,
 * and pictures where the largest is a large one. `largest`: with so many voxels.
 */
export const readByBoxes = (largest: Case, voxels: number, channels: number): boolean =>
  isZarr(largest.image) ||
  (isPictureName(channelFiles(largest)[0].file) && voxelBytes(channels) * voxels > LARGE_PICTURE);

/** Bytes of expanded chunks of a store, or of what is unpacked of pictures, that a process keeps. */
export const CHUNK_BYTES = 2 ** 27;

/** What a training holds beside its tensors. */
export interface Volumes {
  /** Voxels of the largest case. */
  readonly voxels: number;
  /** Voxels of a sample of a step: the same, or those of a patch; in 2-D those of all slabs. */
  readonly sampleVoxels?: number;
  readonly batch: number;
  /** Of an image; 1 by default. */
  readonly channels?: number;
  /** Regions whose boundaries distances are taken to. */
  readonly boundaries?: number;
  /** Cases to train on. */
  readonly cases: number;
  /** Whether they are read by boxes; see {@link readByBoxes}. */
  readonly stored: boolean;
  /** Processes that share the ranks. */
  readonly processes: number;
}

/** What a step takes of cases of a shape; in 2-D the slabs of its slices, all of one case, count as one sample. */
export function volumesOfStep(
  config: TrainConfig,
  shape: Shape3,
  classes = config.classes?.length ?? 0,
): Pick<Volumes, 'voxels' | 'sampleVoxels' | 'batch' | 'channels' | 'boundaries'> {
  const { batch, slices } = config;
  const channels = channelCount(config);
  const voxels = voxelCount(shape);
  const sampleVoxels = voxelCount(sampleShape(shape, stepPatch(config)));
  const boundaries = boundaryCount(config, classes);
  if (slices === undefined) return { voxels, sampleVoxels, batch, channels, boundaries };
  return { voxels, sampleVoxels: batch * slices * sampleVoxels, batch: 1, channels };
}

/**
 * Bytes of volumes that a process holds while it trains. Cases that are read by boxes: chunks, and the piece that is read, before and after
 * its changes. Scans: those kept, and beside them the whole batch, or such pieces where each of several processes feeds its own rank.
 */
export function trainingBytes(volumes: Volumes): number {
  const { voxels, batch, boundaries = 0 } = volumes;
  return volumeBytes(volumes) + (boundaries > 0 ? batch * boundaryBytes(boundaries) * voxels : 0);
}

/** Bytes of a voxel of a sample whose distances to boundaries are taken: its changed labels, and steps to each boundary from both sides. */
const boundaryBytes = (boundaries: number): number => 1 + 4 * boundaries;

function volumeBytes(volumes: Volumes): number {
  const { voxels, sampleVoxels = voxels, batch, channels, cases, stored, processes } = volumes;
  const bytes = voxelBytes(channels);
  const own = (sampleVoxels * batch) / processes;
  const joined = batch > 1 ? 1 : 0;
  const pieces = (2 + joined) * bytes * Math.min(PIECE_VOXELS, Math.ceil(own));
  if (stored) return Math.min(CHUNK_BYTES, bytes * voxels * cases) + pieces;
  const kept = Math.min(keptBytes(voxels, batch, VOLUME_BYTES, channels), bytes * voxels * cases);
  return kept + (processes > 1 || sampleVoxels !== voxels ? pieces : batch * bytes * voxels);
}

/** Bytes of volumes that a process holds while it segments or judges one of so many voxels: scan, labels, truth. */
export function predictionBytes(voxels: number, channels = 1): number {
  return (voxelBytes(channels) + 2) * voxels;
}

/** The grid that a case will have once it is prepared, from its header alone. */
export async function gridOf(entry: Case, options: PrepareOptions): Promise<Grid> {
  if (!isZarr(entry.image)) return preparedGrid(await readChannelHeader(entry), options);
  const { shape, description } = await StoredCase.open(entry, options, new ChunkCache(0));
  return { shape, affine: description.affine };
}

/** Its shape. */
export async function preparedShape(entry: Case, options: PrepareOptions): Promise<Shape3> {
  return (await gridOf(entry, options)).shape;
}

/**
 * Prepared cases, kept in memory up to a number of bytes; the one unused for longest is forgotten before the next one is read,
 * and read again when it is needed.
 */
export class CaseCache {
  private readonly options: PrepareOptions;
  private readonly batch: number;
  private readonly limitBytes: number;
  private readonly kept = new Map<string, PreparedCase>();
  /** An image that was forgotten, for the next one: the garbage collector would come too late for arrays of this size. */
  private spare: Float32Array | undefined;

  /** `limitBytes`: for all volumes of a training with so many cases in a batch. */
  constructor(options: PrepareOptions, batch: number, limitBytes = VOLUME_BYTES) {
    this.options = options;
    this.batch = batch;
    this.limitBytes = limitBytes;
  }

  /** A prepared case, whose arrays are good until the next one is asked for. */
  async get(entry: Case): Promise<PreparedCase> {
    const known = this.kept.get(entry.image);
    if (known === undefined) await this.makeRoom(entry);
    const prepared = known ?? (await loadCase(entry, this.options, this.spare));
    if (prepared.image === this.spare) this.spare = undefined;
    // A map runs in the order of insertion: the first is the one unused for longest.
    this.kept.delete(entry.image);
    this.kept.set(entry.image, prepared);
    return prepared;
  }

  private async makeRoom(entry: Case): Promise<void> {
    const voxels = voxelCount(await preparedShape(entry, this.options));
    const channels = normalizationsOf(this.options).length;
    const room = keptBytes(voxels, this.batch, this.limitBytes, channels) - voxelBytes(channels) * voxels;
    for (const [file, { image }] of this.kept) {
      if (this.bytes <= room) break;
      this.kept.delete(file);
      this.spare = image.length === channels * voxels ? image : undefined;
    }
  }

  /** Bytes of the cases in memory. */
  get bytes(): number {
    let sum = 0;
    for (const { image, labels } of this.kept.values()) sum += image.byteLength + (labels?.byteLength ?? 0);
    return sum;
  }
}
