import path from 'node:path';
import { ClassCounter } from '../volume/class-counter.ts';
import { IntensitySample } from '../volume/clipped-share.ts';
import { ImagingError } from '../volume/errors.ts';
import { type IntensityWindow, paperWindow, windowLine } from '../volume/intensity-window.ts';
import { IGNORED, ignoresVoxels, type LabelCodes } from '../volume/label-codes.ts';
import { checkPlausible } from '../volume/plausible.ts';
import type { PreparedCase, PrepareOptions } from '../volume/prepared-case.ts';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { type ClassFacts, type VoxelBox, type VoxelSource, wholeBox } from '../volume/voxel-source.ts';
import { ChunkCache, readBox } from './chunk-cache.ts';
import { type CaseDescription, isZarr, LABELS, ORIGINAL_LABELS, readCaseDescription } from './format.ts';
import { checkPrepared } from './prepared.ts';
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

/** A case of a store, whose boxes are read from the chunks that hold them. */
export class StoredCase implements VoxelSource {
  readonly id: string;
  readonly shape: Shape3;
  readonly description: CaseDescription;
  private readonly stored: { readonly image: ZarrArray; readonly labels?: ZarrArray };
  private readonly cache: ChunkCache;
  private readonly window: IntensityWindow;
  private readonly names: readonly string[] | undefined;
  private readonly ignored: boolean;
  private facts: readonly ClassFacts[] | undefined;

  private constructor(
    folder: string,
    description: CaseDescription,
    stored: { readonly image: ZarrArray; readonly labels?: ZarrArray },
    window: IntensityWindow,
    cache: ChunkCache,
    { labelNames, labelCodes }: StoredEntry,
  ) {
    this.names = labelNames;
    this.ignored = ignoresVoxels(labelCodes);
    this.window = window;
    this.id = path.basename(folder);
    this.description = description;
    this.stored = stored;
    this.shape = stored.image.shape;
    this.cache = cache;
  }

  /**
   * Opens a case of a store; reads no voxel, or a few chunks where the window is checked. Throws ImagingError where it was prepared in
   * another way than `options` say, has a label without a name, or fails that check.
   */
  static async open(entry: StoredEntry, options: PrepareOptions, cache: ChunkCache): Promise<StoredCase> {
    const folder = path.dirname(entry.image);
    const description = await readCaseDescription(folder);
    checkPrepared(folder, description.preprocessing, options);
    const image = await openZarr(entry.image);
    const labels = entry.label === undefined ? undefined : await openLabels(entry.label);
    checkShapes(folder, description, image, labels);
    const stored = new StoredCase(
      folder,
      description,
      { image, labels },
      options.window ?? paperWindow,
      cache,
      entry,
    );
    if (labels !== undefined) stored.facts = await stored.factsOf(description.classes ?? []);
    stored.checkNames(folder);
    if (entry.checkWindow) await stored.checkWindow();
    return stored;
  }

  /** The facts for the window of this case: those that are known, or by a look at all voxels, a layer of chunks at a time. */
  private async factsOf(known: NonNullable<CaseDescription['classes']>): Promise<readonly ClassFacts[]> {
    const { lower, upper } = this.window;
    const found = known.find(({ window }) => window.lower === lower && window.upper === upper);
    if (found !== undefined) return found.facts;
    const counter = new ClassCounter();
    const [depth, height, width] = this.shape;
    for (let k = 0; k < depth; k += this.stored.image.chunks[0]) {
      const end = Math.min(depth, k + this.stored.image.chunks[0]);
      const box: VoxelBox = { start: [k, 0, 0], end: [end, height, width] };
      counter.add(await this.image(box), await this.labels(box));
    }
    return counter.facts(known[0]?.facts.length ?? (this.ignored ? this.names?.length : undefined));
  }

  /** Looks at up to 27 chunks, spread over the volume. */
  private async checkWindow(): Promise<void> {
    const { image } = this.stored;
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
    sample.check(this.window, { file: image.folder, id: this.id });
  }

  private checkNames(folder: string): void {
    const { classes = [] } = this;
    const found = classes.findLastIndex(({ count }) => count > 0);
    if (this.names !== undefined) checkHighest(folder, found, this.names);
  }

  get classes(): readonly ClassFacts[] | undefined {
    return this.facts;
  }

  async image(box: VoxelBox): Promise<Float32Array> {
    const out = new Float32Array(voxelsIn(box, this.stored.image));
    const { scale, shift } = windowLine(this.window);
    await readBox(this.stored.image, box, this.cache, (hu, from, to, count) => {
      for (let n = 0; n < count; n++) {
        const value = hu[from + n] * scale + shift;
        out[to + n] = value < 0 ? 0 : value > 1 ? 1 : value;
      }
    });
    return out;
  }

  async labels(box: VoxelBox): Promise<Uint8Array> {
    const { labels, image } = this.stored;
    if (labels === undefined) {
      const found = 'none in this case';
      throw new ImagingError({ file: path.dirname(image.folder), field: LABELS, expected: 'labels', found });
    }
    return readLabelBox(labels, box, this.cache, this.names, this.ignored);
  }
}

/**
 * A box of a label map of a case of a store, in RAS+ order, as it was prepared or on the voxels of its file, whichever has this
 * shape; `labels`: folder of the prepared one; `ignored`: there may be voxels to leave out. Throws ImagingError for a label beyond
 * `names`.
 */
export async function readStoredLabels(
  labels: string,
  shape: Shape3,
  box: VoxelBox = wholeBox(shape),
  names?: readonly string[],
  ignored = false,
): Promise<Uint8Array> {
  const original = path.join(path.dirname(labels), ORIGINAL_LABELS);
  const shapes: string[] = [];
  for (const folder of [labels, original]) {
    if (!isZarr(folder)) continue;
    const array = await openLabels(folder);
    if (array.shape.every((n, axis) => n === shape[axis]))
      return readLabelBox(array, box, new ChunkCache(0), names, ignored);
    shapes.push(array.shape.join('x'));
  }
  const found = shapes.join(' and ');
  throw new ImagingError({ file: labels, field: 'shape', expected: shape.join('x'), found });
}

function highestOf(labels: Uint8Array, ignored: boolean): number {
  let highest = 0;
  for (const label of labels) if (label > highest && !(ignored && label === IGNORED)) highest = label;
  return highest;
}

function checkHighest(folder: string, found: number, names: readonly string[]): void {
  if (found < names.length) return;
  throw new ImagingError({
    file: folder,
    field: LABELS,
    expected: `one of ${names.map((name, value) => `${value} ${name}`).join(', ')}`,
    found: `${found}`,
    hint: 'Name all labels in "classes".',
  });
}

/** A case of a store, whole. */
export async function readStoredCase(entry: StoredEntry, options: PrepareOptions): Promise<PreparedCase> {
  const stored = await StoredCase.open(entry, options, new ChunkCache(0));
  const { id, shape, description } = stored;
  const { affine, original, filled } = description;
  const image = await stored.image(wholeBox(shape));
  const labels = entry.label === undefined ? undefined : await stored.labels(wholeBox(shape));
  return { id, image, labels, shape, affine, original, filled };
}

/** Opens an array of labels. */
async function openLabels(folder: string): Promise<ZarrArray> {
  const array = await openZarr(folder);
  if (array.type === '|u1') return array;
  throw new ImagingError({
    file: path.join(folder, '.zarray'),
    field: 'dtype',
    expected: '|u1, as labels are bytes',
    found: array.type,
    hint,
  });
}

/** What stands beside the arrays of a case must fit them. */
function checkShapes(
  folder: string,
  { original, filled, classes = [], ignored = 0 }: CaseDescription,
  { shape }: ZarrArray,
  labels: ZarrArray | undefined,
): void {
  const refuse = (field: string, expected: string, found: string): never => {
    throw new ImagingError({ file: folder, field, expected, found, hint });
  };
  checkPlausible({ file: folder, format: 'Zarr', ...original });
  const whole = shape.join('x');
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

const hint = 'Remove the folder of this case and run halomesh preprocess again.';

/** Throws ImagingError for a label beyond `names`. */
async function readLabelBox(
  array: ZarrArray,
  box: VoxelBox,
  cache: ChunkCache,
  names: readonly string[] | undefined,
  ignored: boolean,
): Promise<Uint8Array> {
  const out = new Uint8Array(voxelsIn(box, array));
  await readBox(array, box, cache, (labels, from, to, count) => {
    for (let n = 0; n < count; n++) out[to + n] = labels[from + n];
  });
  if (names !== undefined) checkHighest(path.dirname(array.folder), highestOf(out, ignored), names);
  return out;
}

/** Voxels of a box, which must lie within the array. */
function voxelsIn({ start, end }: VoxelBox, { folder, shape }: ZarrArray): number {
  if (start.some((n, axis) => n < 0 || n > end[axis] || end[axis] > shape[axis]))
    throw new ImagingError({
      file: folder,
      field: 'box',
      expected: `a box within ${shape.join('x')}`,
      found: `${start.join(', ')} to ${end.join(', ')}`,
    });
  return voxelCount([end[0] - start[0], end[1] - start[1], end[2] - start[2]]);
}
