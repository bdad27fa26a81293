import { type Box, boxVolume, showBox } from './box.ts';
import { fail } from './errors.ts';
import { rowMajorStrides, type Shape } from './shape.ts';

/** A block of a tensor held as float64, row-major over `box`: what reference implementations work on. */
export interface Block {
  readonly shape: Shape;
  readonly box: Box;
  readonly data: Float64Array;
}

/** A zeroed block. */
export function zeros(shape: Shape, box: Box): Block {
  return { shape, box, data: new Float64Array(boxVolume(box)) };
}

const stridesOf = new WeakMap<Box, number[]>();

/** Position of a global coordinate in a block's data. */
export function offset(block: Block, index: readonly number[]): number {
  let strides = stridesOf.get(block.box);
  if (!strides) {
    strides = rowMajorStrides(block.box.map((r) => r.end - r.start));
    stridesOf.set(block.box, strides);
  }
  let position = 0;
  for (let i = 0; i < block.box.length; i++) {
    const { start, end } = block.box[i];
    if (index[i] < start || index[i] >= end)
      fail({
        where: 'reference',
        problem: `coordinate [${index.join(' ')}] lies outside the block that was fetched`,
        expected: showBox(block.box),
        hint: 'The read rule of this operation is wrong',
      });
    position += (index[i] - start) * strides[i];
  }
  return position;
}

export function get(block: Block, index: readonly number[]): number {
  return block.data[offset(block, index)];
}

export function set(block: Block, index: readonly number[], value: number): void {
  block.data[offset(block, index)] = value;
}

export function add(block: Block, index: readonly number[], value: number): void {
  block.data[offset(block, index)] += value;
}
