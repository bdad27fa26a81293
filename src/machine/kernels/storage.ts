import { type Box, BYTES, type Shape } from '../../core/index.ts';
import type { StoredType } from '../../plan/index.ts';
import type { Tensor } from '../device.ts';
import {
  boxBySlots,
  five,
  lanesOf,
  placeOf,
  type Region,
  SLOT_C,
  type Slots,
  type Strides,
  stridesOf,
} from '../formats/index.ts';
import { type Address, after } from './library.ts';
import type { Operand, View } from './structs.ts';

// Tensors in the memory of the kernels, as the structs of `native/halomesh.h` see them.

/** A tensor that the kernels read and write. */
export interface KernelTensor extends Tensor, Strides {
  readonly address: Address;
}

export function kernelTensor(address: Address, type: StoredType, box: Box): KernelTensor {
  const { shape, dtype } = type;
  return { shape, dtype, box, address, ...stridesOf(type, box) };
}

/** A stored tensor seen by slots. Only the dimension in slot c may be blocked. */
export function viewOf(tensor: KernelTensor, slots: Slots): View {
  return { data: tensor.address, dtype: tensor.dtype, ...placeOf(tensor, slots, 'cpu or wasm') };
}

/** The part `box` of a tensor as a view whose data begins there. Needs a plain tensor. */
export function subView(tensor: KernelTensor, slots: Slots, box: Box): View {
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
export function boxView({ shape, box, slots }: Region): View {
  const places = boxBySlots(shape, box, slots);
  return {
    data: 0 as Address,
    dtype: 'f32',
    block: lanesOf(places.size[SLOT_C]),
    ...places,
    stride: [0, 0, 0, 0, 0],
  };
}

/** Whether an operand has a dimension; of channels also: only some blocks of them (HM_SOME_BLOCKS). */
const [ABSENT, PRESENT, SOME_BLOCKS] = [0, 1, 2];

/** A tensor as an operand of a row program: dimensions without a slot in the iteration are not there. */
export function operandOf(tensor: KernelTensor, slots: Slots): Operand {
  const present = new Array<number>(5).fill(ABSENT);
  for (const dim of tensor.shape) present[slots.get(dim.name)!] = PRESENT;
  return { view: viewOf(tensor, slots), present };
}

/** A slice of an iteration over `shape`, in its coordinates, to be stored where the iteration passes over it. */
export function partOperandOf(
  tensor: KernelTensor,
  shape: Shape,
  slots: Slots,
  ranges: Readonly<Record<string, readonly [number, number]>>,
): Operand {
  const { view, present } = operandOf(tensor, slots);
  const start = five(shape, slots, (i) => tensor.box[i].start + (ranges[shape[i].name]?.[0] ?? 0), 0);
  const global = five(shape, slots, (i) => shape[i].size, 1);
  return {
    view: { ...view, start, global },
    present: present.map((p, i) => (i === SLOT_C ? SOME_BLOCKS : p)),
  };
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
