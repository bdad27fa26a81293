import { type Box, BYTES, type DType, type Shape, type TensorType } from '../../core/index.ts';
import type { Format, LocalProgram, StoredType } from '../../plan/index.ts';
import type { Memory, Tensor } from '../device.ts';
import {
  five,
  imageFormats,
  type Place,
  placeOf,
  plainFormat,
  type Slots,
  type Strides,
  stridesOf,
} from '../formats/index.ts';
import type { RowOperand } from '../rows/index.ts';
import type { Address } from './slabs.ts';

// Tensors of the device: every element takes whole words of 4 bytes, so that no two threads write to one word. A float64 element is the
// sum of two float32 numbers, the larger first.

/** Words of an element. */
export const WORDS: Readonly<Record<DType, number>> = { f32: 1, bf16: 1, f64: 2, u8: 1, i32: 1 };

/** The same order of elements, each in whole words. */
const inWords = ({ name, bytes }: Format, dtype: DType): Format => ({
  name,
  bytes: (box) => (bytes(box) / BYTES[dtype]) * 4 * WORDS[dtype],
});

export const plainWords = (type: TensorType): Format => inWords(plainFormat(type), type.dtype);

export function imageWords(program: LocalProgram): (type: TensorType) => Format {
  const formats = imageFormats(program);
  return (type) => inWords(formats(type), type.dtype);
}

/** Memory of the device, with what was made for launches that are freed with it. */
export interface GpuMemory extends Memory {
  readonly address: Address;
  /** Gives back what was made for launches. */
  readonly kept: (() => void)[];
}

export interface GpuTensor extends Tensor, Strides {
  readonly address: Address;
  readonly home: GpuMemory;
  readonly bytes: number;
}

export function gpuTensor(home: GpuMemory, address: Address, type: StoredType, box: Box): GpuTensor {
  const { shape, dtype, format } = type;
  return { shape, dtype, box, home, address, bytes: format.bytes(box), ...stridesOf(type, box) };
}

export const placed = (tensor: GpuTensor, slots: Slots): Place => placeOf(tensor, slots, 'webgpu');

/** Where a row finds an operand: a slice of the iteration lies in the iteration's coordinates. */
export function operandPlace(
  tensor: GpuTensor,
  operand: Exclude<RowOperand, { readonly kind: 'vector' }>,
  shape: Shape,
  slots: Slots,
): Place {
  const place = placed(tensor, slots);
  if (operand.kind === 'tensor') return place;
  const { ranges } = operand;
  const start = five(shape, slots, (i) => tensor.box[i].start + (ranges[shape[i].name]?.[0] ?? 0), 0);
  return { ...place, start };
}
