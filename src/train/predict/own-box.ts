import type { StopSignal } from '../../core/index.ts';
import {
  boxOfSlices,
  boxShape,
  canonicalGrid,
  fromCanonical,
  type Grid,
  orientationOf,
  putBox,
  type SliceWriter,
  takeBox,
  type VoxelBox,
  type VoxelSource,
  voxelCount,
  wholeBox,
  writeSlices,
} from '../../imaging/index.ts';
import type { Processes } from '../../machine/index.ts';
import { together } from '../../run/index.ts';
import type { OpenRun } from './open-run.ts';
import type { SegmentedPart, SegmentOptions } from './segmenter.ts';
import { eachPart, hullOf, overlapOf, within } from './volume-parts.ts';

// What each process computes of a segmentation stays with it: a box of labels.

/** Labels of a box, [depth, height, width]; a box without voxels where other processes have them all. */
export interface OwnBox {
  readonly box: VoxelBox;
  readonly labels: Uint8Array;
}

const NOTHING: VoxelBox = { start: [0, 0, 0], end: [0, 0, 0] };

/**
 * Segments a volume, of which each process keeps what it computes: together the volume once. All processes call it; `take` gets the
 * parts as they come.
 */
export async function segmentOwn(
  run: Pick<OpenRun, 'segmentParts'>,
  source: VoxelSource,
  options: SegmentOptions,
  processes: Processes | undefined,
  take?: (part: SegmentedPart) => void,
): Promise<OwnBox> {
  const { shape } = source;
  const alone = (processes?.ranks.length ?? 1) === 1;
  const found: OwnBox[] = [];
  let whole: Uint8Array | undefined;
  await run.segmentParts(source, options, (part) => {
    take?.(part);
    const { box, labels } = part;
    if (!alone || labels.length === voxelCount(shape)) found.push({ box, labels });
    else {
      whole ??= new Uint8Array(voxelCount(shape));
      putBox(whole, shape, box, labels);
    }
  });
  if (whole !== undefined) return { box: wholeBox(shape), labels: whole };
  if (found.length === 1) return found[0];
  const box = found.map((part) => part.box).reduce(hullOf, NOTHING);
  const labels = new Uint8Array(voxelCount(boxShape(box)));
  if (found.reduce((sum, part) => sum + part.labels.length, 0) !== labels.length)
    throw new RangeError('unreachable: the blocks of a process fill a box');
  for (const part of found) putBox(labels, boxShape(box), within(part.box, box), part.labels);
  return { box, labels };
}

/** Bytes of labels that pass process 0 at a time on their way into a file. */
const SLAB_BYTES = 2 ** 24;

/**
 * Writes the labels of all processes, which lie on the canonical grid of `original`, to a file on that grid, which `begin` begins; all
 * call it. A few slices at a time come to process 0, which writes them. Gives the voxels of each label 0 to 255, on process 0.
 */
export async function writeOwnLabels(
  begin: () => Promise<SliceWriter>,
  original: Grid,
  own: OwnBox,
  { processes, signal }: { readonly processes?: Processes; readonly signal?: StopSignal },
): Promise<Float64Array> {
  const [depth, height, width] = original.shape;
  const { affine } = canonicalGrid(original);
  const writes = (processes?.index ?? 0) === 0;
  const counts = new Float64Array(256);
  const writer = await together(processes, 'the segmentation', async () => (writes ? begin() : undefined));
  try {
    const slices = Math.max(1, Math.floor(SLAB_BYTES / (height * width)));
    for (let first = 0; first < depth; first += slices) {
      signal?.throwIfAborted();
      const end = Math.min(first + slices, depth);
      const box = boxOfSlices(original, first, end);
      const shape = boxShape(box);
      const slab = new Uint8Array(writes ? voxelCount(shape) : 0);
      const mine = overlapOf(own.box, box);
      const bytes = takeBox(own.labels, boxShape(own.box), within(mine, own.box));
      const parts = bytes.length === 0 ? [] : [{ box: mine, bytes }];
      await eachPart(processes, { label: 'labels', parts, voxelBytes: 1, to: [0] }, (part) => {
        putBox(slab, shape, within(part.box, box), part.bytes);
      });
      await together(processes, 'the segmentation', async () => {
        if (writer === undefined) return;
        for (let n = 0; n < slab.length; n++) counts[slab[n]]++;
        const { data } = fromCanonical({ data: slab, shape, affine }, orientationOf(original.affine));
        await writeSlices(writer, data, height * width);
      });
    }
    signal?.throwIfAborted();
    await together(processes, 'the segmentation', async () => writer?.finish());
    return counts;
  } catch (error) {
    await writer?.abort();
    throw error;
  }
}
