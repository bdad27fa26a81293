import { type Box, boxVolume, type DType, type Shape } from '../../core/index.ts';
import type { Memory, Tensor } from '../device.ts';
import type { ArrayType, BufferAddress, ExecutableAddress } from './client.ts';

// Arrays of a plug-in cannot be changed: a tensor is a place of a memory that has now this array, now that one. Which tensors of a memory
// lie over each other says which arrays are done with.

/** The numbers of a tensor: on the host until they are first needed elsewhere, or an array of a device. */
export type Content =
  | { readonly kind: 'host'; readonly data: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'array'; readonly buffer: BufferAddress; readonly device: number };

export interface PjrtMemory extends Memory {
  /** Bytes that were asked for; it may have room for more. */
  readonly asked: number;
  /** Tensors that have a content. */
  readonly live: Set<PjrtTensor>;
  /** Programs that are given back with it. */
  readonly programs: Set<ExecutableAddress>;
}

export interface PjrtTensor extends Tensor, ArrayType {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly box: Box;
  readonly memory: PjrtMemory;
  readonly from: number;
  readonly to: number;
  content: Content | undefined;
}

export const own = (tensor: Tensor): PjrtTensor => tensor as PjrtTensor;

export const emptyTensor = ({ box }: Tensor): boolean => boxVolume(box) === 0;

/** Whether two tensors take the same bytes, so that one of them is done with where the other is written. */
export const overlap = (a: PjrtTensor, b: PjrtTensor): boolean =>
  a !== b && a.memory === b.memory && a.from < b.to && b.from < a.to;
