import type { Box, TensorType } from '../core/index.ts';
import type { FusionRules } from './fusion/kernel.ts';
import type { LocalNode, LocalProgram } from './program.ts';

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

/** Memory of one kind. */
export interface Space {
  readonly name: string;
  /** Bytes whose multiples a tensor of `bytes` bytes begins at. */
  align(bytes: number): number;
}

export interface Target {
  readonly name: string;
  readonly fusion: FusionRules;
  refuses(node: LocalNode): string | undefined;
  /** The format of each tensor of a program, by type. */
  formats(program: LocalProgram): (type: TensorType) => Format;
  /** Row-major order: of messages, and of what no program lays out. */
  plain(type: TensorType): Format;
  /** Where tensors lie. */
  readonly spaces: { readonly tensors: Space };
}

/** Bytes that a tensor takes with what lies between it and the next one. */
export function wholeBytes({ align }: Space, bytes: number): number {
  const multiple = align(bytes);
  return Math.ceil(bytes / multiple) * multiple;
}
