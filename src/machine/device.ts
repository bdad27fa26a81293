import type { Box, TensorType } from '../core/index.ts';
import type { Kernel, LocalValue, StoredType, Target } from '../plan/index.ts';

/** Device memory: an arena or a variable's own. Only the device that made it looks inside. */
export interface Memory {
  readonly bytes: number;
}

/** One rank's stored box of a tensor, in device memory. Only the device that made it looks inside. */
export interface Tensor extends TensorType {
  readonly box: Box;
}

/** Numbers of a box, row-major, on the host. */
export type HostArray = Float32Array | Float64Array | Uint8Array | Int32Array | Int16Array;

/** Native memory outside of every device, for messages between processes. */
export interface NativeRoom {
  readonly address: number;
  /** The first bytes as a host array. */
  view(bytes: number): Uint8Array;
}

/** A box of a tensor as plain row-major numbers in native memory. */
export interface Message {
  readonly bytes: number;
  /** Copies the box into the message, and back. */
  pack(): void;
  unpack(): void;
  /** The message as a tensor of the device, where it can compute with it in its place. */
  readonly tensor?: Tensor;
}

/** A kernel in two parts, the second after the first. */
export interface TwoParts {
  first(): void;
  second(): void;
}

/** Work of a store that may still go on. */
export type Ticket = number;

/** Room outside of memory for tensors that make way for others. Moves run in the order they are asked for, beside kernels. */
export interface Store {
  readonly bytes: number;
  /** Begins to write a tensor's memory to `offset`; it must stay as it is until the move is done. */
  write(tensor: Tensor, offset: number): Ticket;
  /** Begins to read what was written at `offset` into a tensor of the same type and box. */
  read(tensor: Tensor, offset: number): Ticket;
  /** Waits up to a few hundredths of a second for a move; says whether it is done. Raises what went wrong. */
  settled(ticket: Ticket): boolean;
  close(): void;
}

/**
 * What runs kernels and holds tensors. Small on purpose: allocate, free, store, write, read, copy a box, prepare a kernel, combine.
 * Calls run in the order they are made.
 */
export interface Device extends Target {
  /** `room`: bytes that the memory may grow to be used for, where addresses alone cost nothing. */
  allocate(bytes: number, room?: number): Memory;
  free(memory: Memory): void;
  /** A store of `bytes` bytes in a folder; raises an error where there is no room. Nothing of it is left when the process ends. */
  openStore(folder: string, bytes: number): Store;
  /** A tensor at `offset` bytes of a memory. */
  tensor(memory: Memory, offset: number, type: StoredType, box: Box): Tensor;
  /** Host numbers of `box` (row-major) into a tensor; converts the element type. */
  write(tensor: Tensor, box: Box, data: HostArray): void;
  /** Numbers of `box`, row-major: float64 for f64 tensors, bytes for u8, int32 for i32, float32 else. */
  read(tensor: Tensor, box: Box): HostArray;
  /** Copies `box` between tensors of one shape and element type. */
  copyBox(to: Tensor, from: Tensor, box: Box): void;
  /** Bytes of {@link message}. */
  messageBytes(tensor: Tensor, box: Box): number;
  /** A box of a tensor as a message in `room`; prepared once and used again and again. */
  message(tensor: Tensor, box: Box, room: NativeRoom): Message;
  /** Replaces every tensor by the element-wise combination of all, taken in order (sums in float64). */
  combine(tensors: readonly Tensor[], how: 'sum' | 'max' | 'min'): void;
  /**
   * A function that runs a kernel for one rank; `tensorOf` gives the stored tensors that it reads and writes. What it needs
   * beside them is freed with `memory`.
   */
  prepare(kernel: Kernel, rank: number, tensorOf: (value: LocalValue) => Tensor, memory: Memory): () => void;
  /**
   * As `prepare`, in two parts with the same result: the first computes what it can of `ready`, a part of the anchor's loop box,
   * and reads nothing beside what `ready` reads. Undefined where the kernel cannot be parted.
   */
  prepareInTwo?(
    kernel: Kernel,
    rank: number,
    tensorOf: (value: LocalValue) => Tensor,
    memory: Memory,
    ready: Box,
  ): TwoParts | undefined;
  /** `poll`: address of a native function that kernels call now and then, so that messages move on beside them. */
  pollWith?(poll: number): void;
}
