import {
  type Box,
  BYTES,
  boxVolume,
  fail,
  length,
  rowMajorStrides,
  type Shape,
  showShape,
  type TensorType,
} from '../../core/index.ts';
import type { LocalProgram, StoredType } from '../../plan/index.ts';
import type { Tensor } from '../device.ts';
import { type Address, after } from './library.ts';
import type { Five, Operand, View } from './structs.ts';

// How tensors lie in memory. Images lie in channel blocks, [first dim][ceil(C / B)][other dims][B] with C the last dimension and
// B = min(C, 16); everything else lies plainly, row-major. `native/halomesh.h` has the address formula.

/** Channels in a block at most: the lanes of a vector. */
export const LANES = 16;

/** A tensor of the CPU device. */
export interface CpuTensor extends Tensor {
  readonly address: Address;
  /** Channels per block of the last dimension; 1 for plain tensors. */
  readonly block: number;
  /** Elements per step along each dimension; of the last one per block. */
  readonly strides: readonly number[];
}

const extents = (box: Box): number[] => box.map(length);

/** Lanes of a row over `channels`. */
export function lanesOf(channels: number): number {
  return Math.max(1, Math.min(LANES, channels));
}

/** Bytes of a stored box, padding of the last block included. */
export function storageBytes(type: StoredType, box: Box): number {
  if (type.plain || box.length === 0) return boxVolume(box) * BYTES[type.dtype];
  const sizes = extents(box);
  const channels = sizes[sizes.length - 1];
  const block = lanesOf(channels);
  return boxVolume(box.slice(0, -1)) * Math.ceil(channels / block) * block * BYTES[type.dtype];
}

export function cpuTensor(address: Address, type: StoredType, box: Box): CpuTensor {
  const { shape, dtype } = type;
  const sizes = extents(box);
  const n = sizes.length;
  if (type.plain || n < 2) return { shape, dtype, box, address, block: 1, strides: rowMajorStrides(sizes) };
  const strides = new Array<number>(n);
  const block = lanesOf(sizes[n - 1]);
  let step = block;
  for (let i = n - 2; i >= 1; i--) {
    strides[i] = step;
    step *= sizes[i];
  }
  strides[n - 1] = step;
  strides[0] = step * Math.ceil(sizes[n - 1] / block);
  return { shape, dtype, box, address, block, strides };
}

/**
 * Which tensors of a program lie plainly: those with fewer than three dimensions, those shaped like a variable (weights and
 * their gradients), and those whose last dimension is not a channel of any image operation.
 */
export function plainTypes(program: LocalProgram): (type: TensorType) => boolean {
  const channels = new Set<string>();
  for (const { op, call } of program.nodes) {
    for (const i of op.images.inputs) {
      const { shape } = call.inputs[i];
      const last = shape[shape.length - 1]?.name;
      const spatial =
        (call.attrs as { window?: object; size?: object }).window ??
        (call.attrs as { size?: object }).size ??
        {};
      if (last !== undefined && !Object.hasOwn(spatial, last)) channels.add(last);
    }
    const out = call.outputs[0].shape;
    if (op.images.output) channels.add(out[out.length - 1].name);
  }
  const weights = new Set([...program.variables.values()].map((value) => showShape(value.shape)));
  return ({ shape }) =>
    shape.length < 3 || !channels.has(shape[shape.length - 1].name) || weights.has(showShape(shape));
}

/** Which of the canonical dimensions n, d, h, w, c (0 to 4) each named dimension of an iteration takes. */
export type Slots = ReadonlyMap<string, number>;

const C = 4;

/** Last dimension to c, first to n when there are three or more, the others to w, h, d from the right. */
export function defaultSlots(shape: Shape): Slots {
  const slots = new Map<string, number>();
  const n = shape.length;
  shape.forEach((dim, i) => {
    if (i === n - 1) slots.set(dim.name, C);
    else if (i === 0 && n >= 3) slots.set(dim.name, 0);
    else slots.set(dim.name, C - (n - 1 - i));
  });
  return slots;
}

/** Five numbers by slot; absent dimensions get `absent`. */
export function five(shape: Shape, slots: Slots, value: (i: number) => number, absent: number): Five {
  const result: [number, number, number, number, number] = [absent, absent, absent, absent, absent];
  shape.forEach((dim, i) => {
    const slot = slots.get(dim.name);
    if (slot !== undefined) result[slot] = value(i);
  });
  return result;
}

/** A stored tensor seen by slots. Only the dimension in slot c may be blocked. */
export function viewOf(tensor: CpuTensor, slots: Slots): View {
  const { shape, box, strides } = tensor;
  const last = shape.length - 1;
  const blocked = tensor.block > 1 && slots.get(shape[last].name) === C;
  // A blocked last dimension of one block is contiguous: its elements may take any slot.
  const extent = last < 0 ? 0 : box[last].end - box[last].start;
  if (tensor.block > 1 && !blocked && extent > tensor.block)
    fail({
      where: 'device cpu',
      problem: `"${shape[last].name}" of ${showShape(shape)} lies in blocks and must be the last dimension here`,
      hint: 'Transpose the other operand instead',
    });
  return {
    data: tensor.address,
    dtype: tensor.dtype,
    block: blocked ? tensor.block : 1,
    start: five(shape, slots, (i) => box[i].start, 0),
    size: five(shape, slots, (i) => box[i].end - box[i].start, 1),
    global: five(shape, slots, (i) => shape[i].size, 1),
    stride: five(shape, slots, (i) => (i === last && tensor.block > 1 && !blocked ? 1 : strides[i]), 0),
  };
}

/** The part `box` of a tensor as a view whose data begins there. Needs a plain tensor. */
export function subView(tensor: CpuTensor, slots: Slots, box: Box): View {
  const skip = box.reduce((sum, r, i) => sum + (r.start - tensor.box[i].start) * tensor.strides[i], 0);
  const view = viewOf(tensor, slots);
  return {
    ...view,
    data: after(tensor.address, skip * BYTES[tensor.dtype]),
    start: five(tensor.shape, slots, (i) => box[i].start, 0),
    size: five(tensor.shape, slots, (i) => box[i].end - box[i].start, 1),
  };
}

/** A box of an iteration as a view without data; rows are delivered in blocks of its channels. */
export function boxView(shape: Shape, box: Box, slots: Slots): View {
  const size = five(shape, slots, (i) => box[i].end - box[i].start, 1);
  return {
    data: 0 as Address,
    dtype: 'f32',
    block: lanesOf(size[C]),
    start: five(shape, slots, (i) => box[i].start, 0),
    size,
    global: five(shape, slots, (i) => shape[i].size, 1),
    stride: [0, 0, 0, 0, 0],
  };
}

/** Whether an operand has a dimension; of channels also: only some blocks of them (HM_SOME_BLOCKS). */
const [ABSENT, PRESENT, SOME_BLOCKS] = [0, 1, 2];

/** A tensor as an operand of a row program: dimensions without a slot in the iteration are not there. */
export function operandOf(tensor: CpuTensor, slots: Slots): Operand {
  const present = new Array<number>(5).fill(ABSENT);
  for (const dim of tensor.shape) present[slots.get(dim.name)!] = PRESENT;
  return { view: viewOf(tensor, slots), present };
}

/** A slice of an iteration over `shape`, in its coordinates, to be stored where the iteration passes over it. */
export function partOperandOf(
  tensor: CpuTensor,
  shape: Shape,
  slots: Slots,
  ranges: Readonly<Record<string, readonly [number, number]>>,
): Operand {
  const { view, present } = operandOf(tensor, slots);
  const start = five(shape, slots, (i) => tensor.box[i].start + (ranges[shape[i].name]?.[0] ?? 0), 0);
  const global = five(shape, slots, (i) => shape[i].size, 1);
  return { view: { ...view, start, global }, present: present.map((p, i) => (i === C ? SOME_BLOCKS : p)) };
}

/** `count` float64 numbers at `data`, one a channel, as an operand. */
export function vectorOperand(data: Address, count: number): Operand {
  const absent = [0, 0, 0, 0] as const;
  const view: View = {
    data,
    dtype: 'f64',
    block: 1,
    start: [...absent, 0],
    size: [1, 1, 1, 1, count],
    global: [1, 1, 1, 1, count],
    stride: [...absent, 1],
  };
  return { view, present: [ABSENT, ABSENT, ABSENT, ABSENT, PRESENT] };
}
