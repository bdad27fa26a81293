import { channelFiles, checkChannelCount, checkSameGrid, readChannelSlabs } from '../dataset/channels.ts';
import type { Case } from '../dataset/dataset.ts';
import { loadLabels } from '../dataset/labels.ts';
import { isPictureName } from '../formats/picture/picture-grid.ts';
import { isZarr } from '../store/format.ts';
import { readStoredCase } from '../store/stored-case.ts';
import { type IntensityMap, type IntensityRange, normalize, rangesOf } from '../volume/normalization.ts';
import { canonicalGrid, canonicalPlacer } from '../volume/orientation.ts';
import {
  normalizationsOf,
  type PreparedCase,
  type PreparedGeometry,
  type PrepareOptions,
} from '../volume/prepared-case.ts';
import type { ScanHeader, SlabSink } from '../volume/scan-types.ts';
import {
  arrayLike,
  type Grid,
  type Shape3,
  type Volume,
  type VoxelArray,
  voxelCount,
} from '../volume/volume.ts';
import { compactArray } from '../volume/voxel-decoder.ts';
import { channelOf, wholeBox } from '../volume/voxel-source.ts';
import { ChannelLook } from './channel-look.ts';
import { holdChannel, putNormalized } from './held-channel.ts';
import { preparedGeometry, recut } from './prepared-grid.ts';
import { resampleLabels } from './resample-labels.ts';

export type { PreparedCase, PreparedGeometry, PrepareOptions } from '../volume/prepared-case.ts';
export { preparedGeometry, preparedGrid, restoreCanonicalLabels, restoreLabels } from './prepared-grid.ts';

/**
 * Reads a case and prepares it; of a store of preprocessed cases it reads the whole. Beside what it returns it holds a few slices, and where a scan is resampled
 * one channel of the scan itself, in the type of its file. The image is put in `spare` where that has its length. Throws ImagingError if a file cannot be used,
 * if channels or label map do not lie on the grid of the first channel, if the options contradict each other, or if a window does not show
 * its channel and the case asks for that check.
 */
export async function loadCase(
  entry: Case,
  options: PrepareOptions = {},
  spare?: Float32Array,
): Promise<PreparedCase> {
  if (isZarr(entry.image)) return readStoredCase(entry, options);
  if (isPictureName(channelFiles(entry)[0].file))
    return (await import('./picture/picture-source.ts')).loadPictureCase(entry, options, spare);
  const normalizations = normalizationsOf(options);
  checkChannelCount(entry, normalizations.length);
  let first: ScanHeader | undefined;
  let image: Float32Array = new Float32Array(0);
  let prepared: PreparedGeometry | undefined;
  const ranges: IntensityRange[] = [];
  for (const [channel, normalization] of normalizations.entries()) {
    const done = await readChannelSlabs(entry, channel, (file) => {
      first ??= file;
      checkSameGrid(entry, channel, file, first);
      const geometry = preparedGeometry(entry.id, first, options);
      const voxels = voxelCount(geometry.shape);
      const all = voxels * normalizations.length;
      if (channel === 0) image = spare?.length === all ? spare.fill(0) : new Float32Array(all);
      const into = channelOf(image, geometry.shape, channel);
      const look = new ChannelLook(normalization, file, entry.checkWindow === true);
      const sink = prepareSlices(file, geometry, look, (count) => compactArray(file, count), into);
      const end = () => {
        look.check({ file: file.file, id: entry.id });
        return { geometry, range: sink.end() };
      };
      return { ...sink, end };
    });
    prepared ??= done.geometry;
    ranges.push(done.range);
  }
  const whole: PreparedCase = { ...prepared!, image, ...rangesOf(ranges) };
  if (entry.label === undefined) return whole;
  const labels = await loadLabels(
    entry.label,
    canonicalGrid(whole.original),
    entry.labelNames,
    entry.labelCodes,
  );
  return withLabels(whole, labels);
}

/** As loadCase, from volumes in memory: an image of one channel of any orientation, and RAS+ labels on its grid. */
export function prepareCase(
  id: string,
  image: Volume,
  labels: Volume<Uint8Array> | undefined,
  options: PrepareOptions = {},
): PreparedCase {
  const [depth, height, width] = image.shape;
  const geometry = preparedGeometry(id, image, options);
  const out = new Float32Array(voxelCount(geometry.shape));
  const [normalization] = normalizationsOf(options);
  const look = new ChannelLook(normalization, image, false);
  const sink = prepareSlices(image, geometry, look, (count) => arrayLike(image.data, count), out);
  const plane = height * width;
  for (let k = 0; k < depth; k += 8) sink.take(image.data.subarray(k * plane, (k + 8) * plane), k);
  const prepared = { ...geometry, image: out, ...rangesOf([sink.end()]) };
  return labels === undefined ? prepared : withLabels(prepared, labels);
}

/**
 * Takes a channel of a scan slice by slice and puts it normalised into `image`, which is all 0. One that keeps its voxels is turned on
 * the way; one that is resampled is first put together in RAS+ order, in an array from `allocate`. In the end it tells the range.
 */
function prepareSlices(
  original: Grid,
  { shape, filled }: PreparedGeometry,
  look: ChannelLook,
  allocate: (voxels: number) => VoxelArray,
  image: Float32Array,
): SlabSink<IntensityRange> {
  const source = canonicalGrid(original).shape;
  if (filled.some((n, axis) => n !== source[axis])) {
    const { channel, place } = holdChannel(original, filled, allocate);
    return {
      take(voxels, first) {
        look.take(voxels);
        place(voxels, first);
      },
      end() {
        const map = look.map();
        putNormalized(channel, map, wholeBox(shape), image);
        return map.range;
      },
    };
  }
  const put = canonicalPlacer(original, image, shape);
  const { known } = look;
  let scratch = new Float32Array(0);
  return {
    take(voxels, first) {
      look.take(voxels);
      if (scratch.length < voxels.length) scratch = new Float32Array(voxels.length);
      const slices = scratch.subarray(0, voxels.length);
      slices.set(voxels);
      put(known === undefined ? slices : normalize(slices, known, slices), first);
    },
    end() {
      const map = look.map();
      if (known === undefined) normalizeCorner(image, shape, filled, map);
      fillBeyond(image, shape, filled, map.range.outside);
      return map.range;
    },
  };
}

/** Normalises the corner of an image that a scan fills, in place. */
function normalizeCorner(image: Float32Array, shape: Shape3, filled: Shape3, map: IntensityMap): void {
  for (let k = 0; k < filled[0]; k++)
    for (let j = 0; j < filled[1]; j++) {
      const at = (k * shape[1] + j) * shape[2];
      const row = image.subarray(at, at + filled[2]);
      normalize(row, map, row);
    }
}

/** Sets what lies beyond the corner that a scan fills, where that is not 0. */
function fillBeyond(image: Float32Array, shape: Shape3, filled: Shape3, outside: number): void {
  if (outside === 0 || filled.every((n, axis) => n === shape[axis])) return;
  for (let k = 0; k < shape[0]; k++)
    for (let j = 0; j < shape[1]; j++) {
      const at = (k * shape[1] + j) * shape[2];
      const from = k < filled[0] && j < filled[1] ? filled[2] : 0;
      image.fill(outside, at + from, at + shape[2]);
    }
}

function withLabels(prepared: PreparedCase, labels: Volume<Uint8Array>): PreparedCase {
  const { filled, shape } = prepared;
  return { ...prepared, labels: recut(resampleLabels(labels, { shape: filled }).data, filled, shape) };
}
