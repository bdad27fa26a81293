import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ClassCounter, factsOfChannels } from '../volume/class-counter.ts';
import { IntensitySample } from '../volume/clipped-share.ts';
import { ImagingError } from '../volume/errors.ts';
import type { IntensityWindow } from '../volume/intensity-window.ts';
import { ignoresVoxels, type LabelCodes } from '../volume/label-codes.ts';
import {
  type IntensityMap,
  type IntensityRange,
  intensityMapOf,
  type Normalization,
  needsStatistics,
  normalize,
  rangesOf,
  windowOnly,
} from '../volume/normalization.ts';
import { checkPlausible } from '../volume/plausible.ts';
import { normalizationsOf, type PreparedCase, type PrepareOptions } from '../volume/prepared-case.ts';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import {
  type ClassFacts,
  channelOf,
  type VoxelBox,
  type VoxelSource,
  wholeBox,
} from '../volume/voxel-source.ts';
import { ChunkCache, readBox } from './chunk-cache.ts';
import { type CaseDescription, IMAGE, imageOf, LABELS, readCaseDescription } from './format.ts';
import { checkPrepared } from './prepared.ts';
import { checkHighest, hint, openLabels, readLabelBox, voxelsIn } from './stored-labels.ts';
import { openZarr, type ZarrArray } from './zarr-array.ts';

/** A case of a store as a data set lists it: with the paths of its arrays. */
export interface StoredEntry {
  readonly id: string;
  readonly image: string;
  readonly label?: string;
  readonly labelNames?: readonly string[];
  readonly labelCodes?: LabelCodes;
  readonly checkWindow?: boolean;
}

/** The arrays of a case. */
interface StoredArrays {
  /** One for each channel. */
  readonly images: readonly ZarrArray[];
  readonly labels?: ZarrArray;
}

/** A case of a store, whose boxes are read from the chunks that hold them. */
export class StoredCase implements VoxelSource {
  readonly id: string;
  readonly shape: Shape3;
  readonly description: CaseDescription;
  private readonly stored: StoredArrays;
  private readonly cache: ChunkCache;
  private readonly normalizations: readonly Normalization[];
  private readonly maps: readonly IntensityMap[];
  private readonly names: readonly string[] | undefined;
  private readonly ignored: boolean;
  private facts: readonly ClassFacts[] | undefined;

  private constructor(
    folder: string,
    description: CaseDescription,
    stored: StoredArrays,
    normalizations: readonly Normalization[],
    cache: ChunkCache,
    { labelNames, labelCodes }: StoredEntry,
  ) {
    this.names = labelNames;
    this.ignored = ignoresVoxels(labelCodes);
    this.normalizations = normalizations;
    this.maps = normalizations.map((normalization, n) => mapOf(folder, description, normalization, n));
    this.id = path.basename(folder);
    this.description = description;
    this.stored = stored;
    this.shape = stored.images[0].shape;
    this.cache = cache;
  }

  /**
   * Opens a case of a store; reads no voxel, or a few chunks where a window is checked. Throws ImagingError where it was prepared in
   * another way than `options` say, has a label without a name, or fails that check.
   */
  static async open(entry: StoredEntry, options: PrepareOptions, cache: ChunkCache): Promise<StoredCase> {
    const folder = path.dirname(entry.image);
    const description = await readCaseDescription(folder);
    checkPrepared(folder, description, options);
    const normalizations = normalizationsOf(options);
    const images: ZarrArray[] = [];
    for (const channel of normalizations.keys())
      images.push(await openZarr(channel === 0 ? entry.image : path.join(folder, imageOf(channel))));
    const labels = entry.label === undefined ? undefined : await openLabels(entry.label);
    const arrays = { images, labels };
    checkShapes(folder, description, arrays);
    const stored = new StoredCase(folder, description, arrays, normalizations, cache, entry);
    if (labels !== undefined) stored.facts = await stored.factsOf(description.classes ?? []);
    stored.checkNames(folder);
    if (entry.checkWindow)
      for (const [channel, normalization] of normalizations.entries())
        if (normalization.kind === 'window') await stored.checkWindow(channel, normalization);
    return stored;
  }

  get channels(): number {
    return this.maps.length;
  }

  get ranges(): readonly IntensityRange[] | undefined {
    return rangesOf(this.maps.map(({ range }) => range)).ranges;
  }

  /** The facts for the normalisation of this case: those that are known, or by a look at all voxels, a layer of chunks at a time. */
  private async factsOf(known: NonNullable<CaseDescription['classes']>): Promise<readonly ClassFacts[]> {
    const { normalizations } = this;
    const found = known.find((of) =>
      isDeepStrictEqual(of.normalizations ?? windowOnly(of.window), normalizations),
    );
    if (found !== undefined) return found.facts;
    const counters = normalizations.map(() => new ClassCounter());
    const [depth, height, width] = this.shape;
    const [step] = this.stored.images[0].chunks;
    for (let k = 0; k < depth; k += step) {
      const box: VoxelBox = { start: [k, 0, 0], end: [Math.min(depth, k + step), height, width] };
      const labels = await this.labels(box);
      for (const [channel, counter] of counters.entries())
        counter.add(await this.image(box, channel), labels);
    }
    return factsOfChannels(
      counters,
      known[0]?.facts.length ?? (this.ignored ? this.names?.length : undefined),
    );
  }

  /** Looks at up to 27 chunks of a channel, spread over the volume. */
  private async checkWindow(channel: number, window: IntensityWindow): Promise<void> {
    const image = this.stored.images[channel];
    const starts = image.shape.map((extent, axis) => {
      const chunks = Math.ceil(extent / image.chunks[axis]);
      const chosen = new Set([0.17, 0.5, 0.83].map((share) => Math.floor(share * chunks)));
      return [...chosen].map((n) => n * image.chunks[axis]);
    });
    const [ks, js, is] = starts;
    const size = voxelCount(image.chunks);
    const sample = new IntensitySample(ks.length * js.length * is.length * size, image.chunks[2]);
    for (const k of ks)
      for (const j of js)
        for (const i of is) {
          const start: Shape3 = [k, j, i];
          const end = (axis: 0 | 1 | 2) => Math.min(start[axis] + image.chunks[axis], image.shape[axis]);
          await readBox(image, { start, end: [end(0), end(1), end(2)] }, this.cache, (hu, from, _, count) => {
            sample.take(hu.subarray(from, from + count));
          });
        }
    sample.check(window, { file: image.folder, id: this.id });
  }

  private checkNames(folder: string): void {
    const { classes = [] } = this;
    const found = classes.findLastIndex(({ count }) => count > 0);
    if (this.names !== undefined) checkHighest(folder, found, this.names);
  }

  get classes(): readonly ClassFacts[] | undefined {
    return this.facts;
  }

  async image(box: VoxelBox, channel = 0): Promise<Float32Array> {
    const array = this.stored.images[channel];
    const out = new Float32Array(voxelsIn(box, array));
    const map = this.maps[channel];
    await readBox(array, box, this.cache, (values, from, to, count) => {
      normalize(values.subarray(from, from + count), map, out.subarray(to, to + count));
    });
    return out;
  }

  async labels(box: VoxelBox): Promise<Uint8Array> {
    const { labels, images } = this.stored;
    if (labels === undefined) {
      const found = 'none in this case';
      throw new ImagingError({
        file: path.dirname(images[0].folder),
        field: LABELS,
        expected: 'labels',
        found,
      });
    }
    return readLabelBox(labels, box, this.cache, this.names, this.ignored);
  }
}

/** A case of a store, whole. */
export async function readStoredCase(entry: StoredEntry, options: PrepareOptions): Promise<PreparedCase> {
  const stored = await StoredCase.open(entry, options, new ChunkCache(0));
  const { id, shape, description } = stored;
  const { affine, original, filled } = description;
  const image = new Float32Array(stored.channels * voxelCount(shape));
  for (let channel = 0; channel < stored.channels; channel++)
    channelOf(image, shape, channel).set(await stored.image(wholeBox(shape), channel));
  const labels = entry.label === undefined ? undefined : await stored.labels(wholeBox(shape));
  const { ranges } = stored;
  return { id, image, ...(ranges && { ranges }), labels, shape, affine, original, filled };
}

/** What stands beside the arrays of a case must fit them. */
function checkShapes(
  folder: string,
  { original, filled, classes = [], ignored = 0 }: CaseDescription,
  { images, labels }: StoredArrays,
): void {
  const [{ shape }] = images;
  const refuse = (field: string, expected: string, found: string): never => {
    throw new ImagingError({ file: folder, field, expected, found, hint });
  };
  checkPlausible({ file: folder, format: 'Zarr', ...original });
  const whole = shape.join('x');
  for (const image of images)
    if (image.shape.join('x') !== whole)
      refuse(`${path.basename(image.folder)}: shape`, `${whole}, that of ${IMAGE}`, image.shape.join('x'));
  if (labels !== undefined && labels.shape.join('x') !== whole)
    refuse('labels: shape', `${whole}, that of the image`, labels.shape.join('x'));
  if (filled.some((n, axis) => n > shape[axis]))
    refuse('filled', `a part of the image of ${whole}`, filled.join('x'));
  for (const [n, { facts }] of classes.entries()) {
    const counted = facts.reduce((sum, { count }) => sum + count, ignored);
    if (counted !== voxelCount(shape))
      refuse(`classes.${n}`, `all ${voxelCount(shape)} voxels of the image`, `${counted}`);
  }
}

/** How a channel is normalised. Throws ImagingError where that needs statistics that the case does not tell. */
function mapOf(
  folder: string,
  { channels }: CaseDescription,
  normalization: Normalization,
  channel: number,
): IntensityMap {
  const statistics = channels?.[channel]?.statistics;
  if (statistics === undefined && needsStatistics(normalization))
    throw new ImagingError({
      file: folder,
      field: 'channels',
      expected: `the statistics of the channel, for ${normalization.kind}`,
      found: 'none, as a store of version 1 has',
      hint,
    });
  return intensityMapOf(normalization, statistics);
}
