import path from 'node:path';
import { loadLabelBox } from '../../dataset/labels.ts';
import { imageOf, LABELS, ORIGINAL_LABELS } from '../../store/format.ts';
import { createZarr, type StoredVoxels, voxelsOf, type ZarrArray } from '../../store/zarr-array.ts';
import { ImagingError } from '../../volume/errors.ts';
import { intensityMapOf, normalize } from '../../volume/normalization.ts';
import { canonicalGrid } from '../../volume/orientation.ts';
import type { Shape3 } from '../../volume/volume.ts';
import type { VoxelBox } from '../../volume/voxel-source.ts';
import { type CaseTask, countedWays, describeCase, mkdirWithGroup } from '../case-description.ts';
import { writeRows } from '../layer-writer.ts';
import { preparedGrid } from '../prepared-grid.ts';
import { PictureCase } from './picture-case.ts';

/**
 * Prepares a case whose image is a picture and writes it into a new folder, as writeStoredCase does. Holds the rows of one row of chunks,
 * of all channels. Throws ImagingError for files that cannot be used, StoreWriteError where the folder cannot be written.
 */
export async function writeStoredPicture(task: CaseTask, signal?: AbortSignal): Promise<void> {
  const { entry, folder, options, normalizations } = task;
  if (options.window !== undefined)
    throw new ImagingError({
      file: entry.image,
      field: 'window',
      expected: 'a scan in Hounsfield units',
      found: 'a picture',
      hint: 'Leave the window out.',
    });
  const picture = await PictureCase.open(entry, { ...options, normalizations });
  const { original } = picture.geometry;
  const grid = preparedGrid(original, { ...options, plane: true });
  const [, height, width] = grid.shape;
  const place = (name: string) => path.join(folder, name);
  await mkdirWithGroup(folder);
  const type = picture.storedType;
  const images: ZarrArray[] = [];
  for (const channel of normalizations.keys())
    images.push(await createZarr(place(imageOf(channel)), grid.shape, type));
  const labels = entry.label === undefined ? undefined : await createZarr(place(LABELS), grid.shape, '|u1');
  const statistics = await picture.statistics();
  const ways = labels === undefined ? [] : countedWays(normalizations);
  const maps = ways.map((way) => way.normalizations.map((one, n) => intensityMapOf(one, statistics[n])));
  for (const { rows, layer } of layersOf(images[0])) {
    signal?.throwIfAborted();
    const [row0, row1] = rows;
    const box: VoxelBox = { start: [0, row0, 0], end: [1, row1, width] };
    const classes = labels && (await picture.labels(box));
    const layers: readonly StoredVoxels[] = images.map(() => voxelsOf(type, (row1 - row0) * width));
    await picture.read(box, [...images.keys()], ({ start }, channel, values) => {
      const at = (start[1] - row0) * width;
      layers[channel].set(values, at);
      if (classes === undefined) return;
      const covered = classes.subarray(at, at + values.length);
      for (const [n, { counters }] of ways.entries())
        counters[channel].add(normalize(values, maps[n][channel], new Float32Array(values.length)), covered);
    });
    for (const [channel, image] of images.entries()) await writeRows(image, layer, layers[channel]);
    if (labels && classes) await writeRows(labels, layer, classes);
  }
  const stored = canonicalGrid(original);
  if (labels && (stored.shape[1] !== height || stored.shape[2] !== width)) {
    const array = await createZarr(place(ORIGINAL_LABELS), stored.shape, '|u1');
    for (const { rows, layer } of layersOf(array)) {
      signal?.throwIfAborted();
      const box: VoxelBox = { start: [0, rows[0], 0], end: [1, rows[1], stored.shape[2]] };
      await writeRows(
        array,
        layer,
        await loadLabelBox(entry.label!, stored, box, entry.labelNames, entry.labelCodes),
      );
    }
  }
  const channels = statistics.map((one) => ({ statistics: one }));
  await describeCase(task, { original, grid, channels, ...(labels && { ways }) });
}

/** The rows of chunks of a picture. */
function* layersOf({ shape, chunks }: { readonly shape: Shape3; readonly chunks: Shape3 }): Generator<{
  readonly layer: number;
  readonly rows: readonly [from: number, to: number];
}> {
  for (let layer = 0; layer * chunks[1] < shape[1]; layer++)
    yield { layer, rows: [layer * chunks[1], Math.min((layer + 1) * chunks[1], shape[1])] };
}
