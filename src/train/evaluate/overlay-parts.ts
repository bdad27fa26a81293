import { systemErrorText } from '../../files/index.ts';
import {
  boxShape,
  layersOf,
  putBox,
  type Shape3,
  takeBox,
  type VoxelBox,
  type VoxelSource,
  voxelCount,
  windowRange,
} from '../../imaging/index.ts';
import type { Processes } from '../../machine/index.ts';
import { type InOnePiece, sumOver, together } from '../../run/index.ts';
import {
  type OverlayFrame,
  savePicture,
  sliceOf,
  slicesPicture,
  VIEWS,
  type View,
  type ViewSlices,
  VolumeFacts,
  viewsOf,
} from '../pictures/index.ts';
import { bytesOf, eachPart, floatsOf, overlapOf, within } from '../predict/volume-parts.ts';

/** Two label maps of a box, [depth, height, width]. */
export interface ComparedBox {
  readonly box: VoxelBox;
  readonly truth: Uint8Array;
  readonly labels: Uint8Array;
}

/**
 * Draws a picture of an evaluation, which is worth more than its pictures: goes on where one of them cannot be drawn, and says so.
 */
export async function attemptPicture(
  draw: () => Promise<void>,
  onNote: ((text: string) => void) | undefined,
): Promise<void> {
  try {
    await draw();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const problem = (systemErrorText(error) ?? error.message).replace(/\.$/, '');
    onNote?.(`${problem}. The evaluation goes on without this picture`);
  }
}

/** Voxels of the image that are looked at at once. */
const PIECE_VOXELS = 2 ** 22;

/**
 * Draws the overlay of a case that lies in boxes on the processes: the image in the boxes `own` of `source`, the label maps in those
 * of `compared`. What decides the picture is counted by each and summed; three slices come to process 0, which writes. All processes
 * call it; of the frame those but process 0 need only the shape and whether it is a picture.
 */
export async function drawOwnParts(
  processes: Processes | undefined,
  { source, own, compared }: { source: VoxelSource; own: VoxelBox; compared: ComparedBox },
  frame: Omit<OverlayFrame, 'truth' | 'prediction'>,
  { inOnePiece, onNote }: { readonly inOnePiece: InOnePiece; readonly onNote?: (text: string) => void },
): Promise<void> {
  const { shape } = source;
  const counted = await together(processes, 'the scan', async () => {
    const facts = new VolumeFacts(shape);
    facts.addMaps([compared.truth, compared.labels], compared.box);
    for (const piece of layersOf(own, PIECE_VOXELS)) facts.addImage(await pictured(source, piece));
    return facts.numbers;
  });
  const facts = new VolumeFacts(shape);
  facts.add(await sumOver(processes, 'what a picture shows', counted));
  const views: Partial<Record<View, ViewSlices>> = {};
  for (const view of viewsOf(frame)) {
    const plane = planeOf(shape, VIEWS[view].across, facts.at[view]);
    const seen = overlapOf(own, plane);
    const image = await together(processes, 'the scan', () => pictured(source, seen));
    const labelled = overlapOf(compared.box, plane);
    const map = (whole: Uint8Array): Uint8Array =>
      takeBox(whole, boxShape(compared.box), within(labelled, compared.box));
    const slice = <T extends Float32Array | Uint8Array>(data: T) =>
      sliceOf(data, boxShape(plane), view, 0, !frame.picture);
    const at = { processes, plane };
    const pixels = await gathered(at, { box: seen, bytes: bytesOf(image) }, 4);
    const truth = await gathered(at, { box: labelled, bytes: map(compared.truth) }, 1);
    const prediction = await gathered(at, { box: labelled, bytes: map(compared.labels) }, 1);
    if ((processes?.index ?? 0) === 0)
      views[view] = { image: slice(floatsOf(pixels)), truth: slice(truth), prediction: slice(prediction) };
  }
  if ((processes?.index ?? 0) !== 0) return;
  const shown = { ...frame, truth: true, prediction: true };
  const draw = async (): Promise<void> =>
    savePicture(frame.file, await inOnePiece(() => slicesPicture(shown, facts, (view) => views[view]!)));
  await attemptPicture(draw, onNote);
}

/** The first channel of a box, its range as 0 to 1. */
async function pictured(source: VoxelSource, box: VoxelBox): Promise<Float32Array> {
  const image = await source.image(box);
  const range = source.ranges?.[0];
  if (range === undefined || range === windowRange || !(range.most > range.least)) return image;
  const { least, most } = range;
  return image.map((value) => (value - least) / (most - least));
}

/** The bytes of a plane on process 0, from the part that each process has of it. */
async function gathered(
  { processes, plane }: { readonly processes: Processes | undefined; readonly plane: VoxelBox },
  mine: { readonly box: VoxelBox; readonly bytes: Uint8Array },
  voxelBytes: number,
): Promise<Uint8Array> {
  // As a volume of bytes.
  const wide = ([depth, height, width]: Shape3): Shape3 => [depth, height, width * voxelBytes];
  const shape = wide(boxShape(plane));
  const whole = new Uint8Array((processes?.index ?? 0) === 0 ? voxelCount(shape) : 0);
  const parts = mine.bytes.length === 0 ? [] : [mine];
  await eachPart(processes, { label: 'a slice', parts, voxelBytes, to: [0] }, ({ box, bytes }) => {
    const { start, end } = within(box, plane);
    putBox(whole, shape, { start: wide(start), end: wide(end) }, bytes);
  });
  return whole;
}

/** The plane `at` across an axis of a volume. */
function planeOf(shape: Shape3, across: 0 | 1 | 2, at: number): VoxelBox {
  const side = (n: number, others: Shape3): Shape3 => {
    const [k, j, i] = others.map((other, axis) => (axis === across ? n : other));
    return [k, j, i];
  };
  return { start: side(at, [0, 0, 0]), end: side(at + 1, shape) };
}
