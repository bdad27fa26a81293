import { type Box, boxVolume, fail, piecesOf, rowMajorStrides, showBox, volume } from '../core/index.ts';
import type { Device, HostArray, Tensor } from '../machine/index.ts';
import { gather, onePiece } from './rows.ts';

/** Reads the numbers of a box of an input, row-major. */
export type BoxReader = (box: Box) => HostArray | Promise<HostArray>;

/** Reads boxes of at most so many numbers. */
export interface BoxSource {
  readonly read: BoxReader;
  readonly most: number;
}

/**
 * An input: all its numbers, row-major, or what gives those of a box, so that nobody needs to hold the whole. Inputs of one shape
 * (a last dimension of size 1 apart) and one `most` are asked for the same boxes, one after the other.
 */
export type Feed = HostArray | BoxReader | BoxSource;

/** Numbers that pass between a host array and a box at once. */
const PIECE = 2 ** 20;

/**
 * Writes the numbers of `box` of a whole row-major array of the tensor's shape into the tensor, a piece at a time: beside the
 * array nothing of the size of the box is held.
 */
export function writePart(device: Device, tensor: Tensor, box: Box, whole: HostArray): void {
  const sizes = tensor.shape.map((dim) => dim.size);
  const strides = rowMajorStrides(sizes);
  const piece = onePiece(whole, box, strides);
  if (piece !== undefined) device.upload(tensor, box, piece);
  else for (const piece of piecesOf(box, PIECE)) device.upload(tensor, piece, gather(whole, piece, strides));
}

/** Numbers that a function is asked for at once: more, since what it reads from may lie in chunks. */
const ASKED = 2 ** 22;

/** As {@link writePart}, from what gives the numbers of a box: the writings of its pieces, to be done in any order. */
export function boxWrites(
  device: Device,
  tensor: Tensor,
  box: Box,
  source: BoxReader | BoxSource,
  where: string,
): (() => Promise<void>)[] {
  const { read, most } = typeof source === 'function' ? { read: source, most: ASKED } : source;
  return piecesOf(box, most).map((piece) => async () => {
    const numbers = await read(piece);
    if (numbers.length !== boxVolume(piece))
      fail({
        where: `${where} ${showBox(piece)}`,
        problem: 'wrong number of elements',
        expected: String(boxVolume(piece)),
        found: String(numbers.length),
      });
    device.upload(tensor, piece, numbers);
  });
}

/** The writings, in order, of `box` of a tensor of an input. `where` names the input in errors. */
export function feedWrites(
  device: Device,
  tensor: Tensor,
  box: Box,
  feed: Feed,
  where: string,
): readonly (() => Promise<void> | void)[] {
  if (typeof feed === 'function' || 'read' in feed) return boxWrites(device, tensor, box, feed, where);
  const count = volume(tensor.shape);
  if (feed.length !== count)
    fail({
      where,
      problem: 'wrong number of elements',
      expected: String(count),
      found: String(feed.length),
    });
  return [() => writePart(device, tensor, box, feed)];
}
