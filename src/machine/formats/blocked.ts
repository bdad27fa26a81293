import {
  type Box,
  BYTES,
  boxVolume,
  length,
  rowMajorStrides,
  type Shape,
  showShape,
  type TensorType,
} from '../../core/index.ts';
import type { Format, LocalProgram, StoredType } from '../../plan/index.ts';

// How tensors lie in memory. Images lie in channel blocks, [first dim][ceil(C / B)][other dims][B] with C the last dimension and
// B = min(C, 16); everything else lies plainly, row-major. `native/halomesh.h` has the address formula.

/** Channels in a block at most: the lanes of a vector. */
export const LANES = 16;

const extents = (box: Box): number[] => box.map(length);

/** Lanes of a row over `channels`. */
export function lanesOf(channels: number): number {
  return Math.max(1, Math.min(LANES, channels));
}

/** Row-major order. */
export function plainFormat({ dtype }: TensorType): Format {
  return { name: 'plain', bytes: (box) => boxVolume(box) * BYTES[dtype] };
}

/** Blocks of channels; bytes with the padding of the last one. */
export function blockedFormat(type: TensorType): Format {
  const bytes = (box: Box): number => {
    if (box.length === 0) return BYTES[type.dtype];
    const sizes = extents(box);
    const channels = sizes[sizes.length - 1];
    const block = lanesOf(channels);
    return boxVolume(box.slice(0, -1)) * Math.ceil(channels / block) * block * BYTES[type.dtype];
  };
  return { name: 'blocked', bytes };
}

/** Where the elements of a stored box lie. */
export interface Strides {
  /** Channels per block of the last dimension; 1 for plain tensors. */
  readonly block: number;
  /** Elements per step along each dimension; of the last one per block. */
  readonly strides: readonly number[];
}

export function stridesOf(type: StoredType, box: Box): Strides {
  const sizes = extents(box);
  const n = sizes.length;
  if (type.format.name === 'plain' || n < 2) return { block: 1, strides: rowMajorStrides(sizes) };
  const strides = new Array<number>(n);
  const block = lanesOf(sizes[n - 1]);
  let step = block;
  for (let i = n - 2; i >= 1; i--) {
    strides[i] = step;
    step *= sizes[i];
  }
  strides[n - 1] = step;
  strides[0] = step * Math.ceil(sizes[n - 1] / block);
  return { block, strides };
}

/**
 * The format of each tensor of a program. Plain are those with fewer than three dimensions, those shaped like a variable (weights and
 * their gradients), and those whose last dimension is not a channel of any image operation.
 */
export function imageFormats(program: LocalProgram): (type: TensorType) => Format {
  const channels = new Set<string>();
  const lastOf = (shape: Shape): string | undefined => shape[shape.length - 1]?.name;
  for (const { op, call } of program.nodes) {
    for (const i of op.images.inputs) {
      const last = lastOf(call.inputs[i].shape);
      const spatial =
        (call.attrs as { window?: object; size?: object }).window ??
        (call.attrs as { size?: object }).size ??
        {};
      if (last !== undefined && !Object.hasOwn(spatial, last)) channels.add(last);
    }
    if (op.images.output) channels.add(lastOf(call.outputs[0].shape)!);
  }
  const weights = new Set([...program.variables.values()].map((value) => showShape(value.shape)));
  const isPlain = ({ shape }: TensorType): boolean =>
    shape.length < 3 || !channels.has(shape[shape.length - 1].name) || weights.has(showShape(shape));
  return (type) => (isPlain(type) ? plainFormat(type) : blockedFormat(type));
}
