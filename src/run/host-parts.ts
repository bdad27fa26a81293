import { type Box, boxVolume, fail, isEmpty, rowMajorStrides, showBox } from '../core/index.ts';
import type { Device, HostArray, Tensor } from '../machine/index.ts';
import { gather } from './rows.ts';

/** An input: all its numbers, row-major, or a function that gives those of a box, so that nobody needs to hold the whole. */
export type Feed = HostArray | ((box: Box) => HostArray | Promise<HostArray>);

/** Numbers that pass between a host array and a box at once. */
const PIECE = 2 ** 20;

/**
 * Writes the numbers of `box` of a whole row-major array of the tensor's shape into the tensor, a piece at a time: beside the
 * array nothing of the size of the box is held.
 */
export function writePart(device: Device, tensor: Tensor, box: Box, whole: HostArray): void {
  const sizes = tensor.shape.map((dim) => dim.size);
  const strides = rowMajorStrides(sizes);
  // Where only the outermost dimension is cut, the box lies in one piece.
  if (box.every((r, i) => i === 0 || r.end - r.start === sizes[i])) {
    const from = box.length === 0 ? 0 : box[0].start * strides[0];
    device.write(tensor, box, whole.subarray(from, from + boxVolume(box)));
  } else for (const piece of piecesOf(box)) device.write(tensor, piece, gather(whole, piece, strides));
}

/** Numbers that a function is asked for at once: more, since what it reads from may lie in chunks. */
const ASKED = 2 ** 22;

/** As {@link writePart}, from a function that gives the numbers of a box. */
export async function writeBoxes(
  device: Device,
  tensor: Tensor,
  box: Box,
  read: (box: Box) => HostArray | Promise<HostArray>,
  where: string,
): Promise<void> {
  for (const piece of piecesOf(box, ASKED)) {
    const numbers = await read(piece);
    if (numbers.length !== boxVolume(piece))
      fail({
        where: `${where} ${showBox(piece)}`,
        problem: 'wrong number of elements',
        expected: String(boxVolume(piece)),
        found: String(numbers.length),
      });
    device.write(tensor, piece, numbers);
  }
}

/** A box cut along its longest dimension but the last into pieces of about PIECE numbers. */
export function piecesOf(box: Box, most = PIECE): Box[] {
  if (isEmpty(box)) return [];
  const extents = box.map((r) => r.end - r.start);
  const outer = extents.slice(0, -1);
  const along = outer.indexOf(Math.max(...outer));
  if (along < 0 || boxVolume(box) <= most) return [box];
  const layers = Math.max(1, Math.floor((most * extents[along]) / boxVolume(box)));
  const pieces: Box[] = [];
  for (let at = box[along].start; at < box[along].end; at += layers) {
    const end = Math.min(at + layers, box[along].end);
    pieces.push(box.map((r, i) => (i === along ? { start: at, end } : r)));
  }
  return pieces;
}
