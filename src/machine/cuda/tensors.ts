import type { Box, Shape } from '../../core/index.ts';
import type { StoredType } from '../../plan/index.ts';
import type { Memory, Tensor } from '../device.ts';
import { five, type Place, placeOf, type Slots, type Strides, stridesOf } from '../formats/index.ts';
import type { RowOperand } from '../rows/index.ts';
import type { Address, Graph } from './driver.ts';

/** Memory of the device, with what was made for launches that are freed with it. */
export interface CudaMemory extends Memory {
  readonly address: Address;
  /** Bytes that were asked for. */
  readonly taken: number;
  /** Memory of launches. */
  readonly kept: { readonly address: Address; readonly bytes: number }[];
  /** Recorded launches. */
  readonly graphs: Graph[];
}

export interface CudaTensor extends Tensor, Strides {
  readonly address: Address;
  readonly home: CudaMemory;
  readonly bytes: number;
}

export function cudaTensor(home: CudaMemory, address: Address, type: StoredType, box: Box): CudaTensor {
  const { shape, dtype, format } = type;
  return { shape, dtype, box, home, address, bytes: format.bytes(box), ...stridesOf(type, box) };
}

export const placed = (tensor: CudaTensor, slots: Slots): Place => placeOf(tensor, slots, 'cuda');

/** Where a row finds an operand: a slice of the iteration lies in the iteration's coordinates. */
export function operandPlace(
  tensor: CudaTensor,
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
