import { deflateSync, inflateSync } from 'node:zlib';
import type { StopSignal } from '../../../core/index.ts';
import { createTiffWriter } from '../../../imaging/formats/picture/tiff-write.ts';
import type { BoxWriter } from '../../../imaging/formats/segmentation/picture-labels.ts';
import {
  asValues,
  canonicalGrid,
  type PreparedGeometry,
  type Shape3,
  type VoxelBox,
} from '../../../imaging/index.ts';
import { PictureRestorer } from '../../../imaging/preprocess/picture/restore-picture.ts';
import type { Processes } from '../../../machine/index.ts';
import { together } from '../../../run/index.ts';
import type { SegmentedPart } from '../segmenter.ts';

// The label map of a picture is written box by box as its blocks are computed: no process ever holds the whole.

export interface PictureSettings {
  readonly output: string;
  readonly geometry: PreparedGeometry;
  readonly classValues?: readonly number[];
  readonly processes?: Processes;
  readonly signal?: StopSignal;
}

/** Takes labels of boxes of the prepared picture. */
type TakeBox = (box: VoxelBox, labels: Uint8Array) => Promise<void>;

/**
 * Writes what `segment` gives to a label map that `begin` begins; all processes call it, and process 0 writes. Gives the pixels of
 * each value 0 to 255 there.
 */
export async function writePictureLabels(
  begin: () => Promise<BoxWriter>,
  segment: (take: (part: SegmentedPart) => Promise<void>) => Promise<void>,
  { output, geometry, classValues, processes, signal }: PictureSettings,
): Promise<Float64Array> {
  const counts = new Float64Array(256);
  const writes = (processes?.index ?? 0) === 0;
  const writer = await together(processes, 'the segmentation', async () => (writes ? begin() : undefined));
  const count: TakeBox = async (box, labels) => {
    const values = asValues(labels, classValues);
    for (let n = 0; n < values.length; n++) counts[values[n]]++;
    await writer?.writeBox(box, values);
  };
  try {
    const same = sameShape(geometry.shape, canonicalGrid(geometry.original).shape);
    const write = (each: (take: TakeBox) => Promise<void>): Promise<void> =>
      same || !writes ? each(count) : restored(output, geometry, each, count);
    await write((take) => partsOf(segment, take, processes));
    signal?.throwIfAborted();
    await together(processes, 'the segmentation', async () => writer?.finish());
    return counts;
  } catch (error) {
    await writer?.abort();
    throw error;
  }
}

/** Gives the parts that all processes compute to `take` on process 0. Those of others wait packed until all are computed. */
async function partsOf(
  segment: (take: (part: SegmentedPart) => Promise<void>) => Promise<void>,
  take: TakeBox,
  processes: Processes | undefined,
): Promise<void> {
  if (processes === undefined || processes.ranks.length === 1)
    return segment(({ box, labels }) => take(box, labels));
  const own: { readonly box: VoxelBox; readonly bytes: Buffer }[] = [];
  await segment(async ({ box, labels }) => {
    own.push({ box, bytes: deflateSync(labels, { level: 1 }) });
  });
  const listed = JSON.stringify(own.map(({ box, bytes }) => ({ box, length: bytes.length })));
  const lists = await processes.share('boxes of labels', listed);
  for (const [from, text] of lists.entries())
    for (const [n, { box, length }] of (JSON.parse(text) as { box: VoxelBox; length: number }[]).entries()) {
      const mine = processes.index === from;
      const bytes = mine ? own[n].bytes : new Uint8Array(processes.index === 0 ? length : 0);
      if (from !== 0) await processes.deliver('labels', bytes, from, [0]);
      await together(processes, 'the segmentation', async () => {
        if (processes.index === 0) await take(box, inflateSync(bytes));
      });
    }
}

/**
 * Brings labels of another number of pixels back to those of the file: they are kept packed until all are there, then resampled rows at
 * a time.
 */
async function restored(
  output: string,
  geometry: PreparedGeometry,
  each: (take: TakeBox) => Promise<void>,
  take: TakeBox,
): Promise<void> {
  const [, height, width] = geometry.shape;
  const kept = await createTiffWriter(output, { height, width, samples: 1, type: 'uint8', labels: true });
  try {
    await each(({ start, end }, labels) =>
      kept.put({ row0: start[1], row1: end[1], col0: start[2], col1: end[2] }, labels),
    );
    const restorer = new PictureRestorer(geometry, take);
    await kept.eachRowOfTiles((_, __, pixels) => restorer.rows(Uint8Array.from(pixels)));
  } finally {
    await kept.abort();
  }
}

const sameShape = (a: Shape3, b: Shape3): boolean => a.every((n, axis) => n === b[axis]);

/** Bytes that a process holds for the picture and its labels while it computes blocks: tiles that are kept, packed and begun. */
export const bytesOfPicture = ({ shape }: PreparedGeometry): number => 2 ** 28 + 3 * 512 * shape[2];
