import type { Box, TensorType } from '../core/index.ts';
import type { FusionRules, Kernel } from './fusion/kernel.ts';
import type { LocalNode, LocalProgram, LocalValue } from './program.ts';
import type { Costs } from './time/costs.ts';

// What planning needs to know of a device. It names none.

/** How the elements of a tensor lie in memory. Only the device that has it looks inside. */
export interface Format {
  /** `plain` is row-major order; other names are the device's own. */
  readonly name: string;
  /** Bytes of a stored box, without what lies between it and the next tensor. */
  bytes(box: Box): number;
}

/** Shape, element type and format of a tensor in memory. */
export interface StoredType extends TensorType {
  readonly format: Format;
}

/** With the box of each rank. */
export interface StoredBoxes extends StoredType {
  readonly boxes: readonly Box[];
}

/** Memory of one kind. */
export interface Space {
  readonly name: string;
  /** Whether it is the memory of the host: volumes that a process holds beside its tensors lie in it too. */
  readonly ofHost: boolean;
  /** Bytes whose multiples a tensor of `bytes` bytes begins at. */
  align(bytes: number): number;
  readonly fixedBytes: FixedBytes;
}

/** Bytes that a process takes beside its tensors and what its messages carry. */
export interface FixedBytes {
  /** Before it has any rank. */
  readonly process: number;
  /** For each of its ranks. */
  readonly rank: number;
  /** Where it sends messages to others. */
  readonly messages: number;
}

/** Where tensors go that make way for others. */
export interface Tier {
  readonly name: string;
  /** Bytes a second to it, and from it. */
  readonly bytesPerSecond: number;
}

export interface Target {
  readonly name: string;
  readonly fusion: FusionRules;
  refuses(node: LocalNode): string | undefined;
  /** The format of each tensor of a program, by type. */
  formats(program: LocalProgram): (type: TensorType) => Format;
  /** Row-major order: of messages, and of what no program lays out. */
  plain(type: TensorType): Format;
  /** Where tensors lie, and where they go that make way for others: to the first tier. */
  readonly spaces: { readonly tensors: Space; readonly tiers: readonly [Tier, ...Tier[]] };
  readonly costs: Costs;
  /**
   * Bytes that a launch of a kernel needs on a rank beside its tensors, only while it runs: the plan gives them a place among the
   * tensors. `storedOf`: how a value that the kernel reads or writes lies. Absent: none.
   */
  scratch?(kernel: Kernel, rank: number, storedOf: (value: LocalValue) => StoredBoxes): number;
  /** Whether collectives go on beside kernels where ranks are processes of their own. */
  readonly overlap: boolean;
}

/** Bytes that a tensor takes with what lies between it and the next one. */
export function wholeBytes({ align }: Space, bytes: number): number {
  const multiple = align(bytes);
  return Math.ceil(bytes / multiple) * multiple;
}
