import type { Box, Shape } from '../../core/index.ts';
import type { LocalValue } from '../../plan/index.ts';
import type { Five, Region, Slots } from '../formats/index.ts';
import type { Row } from '../rows/index.ts';

// What one kernel does on one rank, said in full and for no device in particular: a device binds a Call to its memory, or prints
// code from it. Tensors are named by the values that they hold.

/** A stored tensor, its dimensions seen by slots. */
export interface Stored {
  readonly value: LocalValue;
  readonly slots: Slots;
}

/** A box of a stored tensor. */
export interface StoredBox extends Stored {
  readonly box: Box;
}

/** An input that is evaluated as it is loaded: a row over the region that the kernel reads. */
export interface Source {
  readonly row: Row;
  readonly region: Region;
}

/** A window over d, h, w: output o reads inputs o * stride - pad + dilation * k for k below kernel. */
export interface WindowThree {
  readonly kernel: Three;
  readonly stride: Three;
  readonly dilation: Three;
  readonly pad: Three;
}

/** Numbers for d, h, w. */
export type Three = readonly [number, number, number];

/** An element-wise pass over a region, whose results leave by the row's own stores and sums. */
export interface RowsCall {
  readonly op: 'rows';
  readonly row: Row;
  readonly region: Region;
}

/** A convolution or its transpose: `sources` are channels one after the other; `out` is what is computed. */
export interface ContractionCall {
  readonly op: 'conv' | 'conv_transpose';
  readonly window: WindowThree;
  readonly sources: readonly Source[];
  /** Kernel in d, h, w; channels of the sources in n, of the result in c. */
  readonly weight: StoredBox;
  readonly out: Region;
  readonly epilogue: Row;
}

/** The gradient of a weight: products are summed in float32 within cells of positions (d, h, w), cells in float64. */
export interface WeightGradCall {
  readonly op: 'conv_weight_grad';
  readonly window: WindowThree;
  readonly x: readonly Source[];
  readonly dy: Source;
  readonly cell: Three;
  readonly into: StoredBox;
}

/** `mean`: over all kernel positions, those outside as zeros; `meanInside`: over those inside. */
export type PoolKind = 'max' | 'mean' | 'meanInside';

export interface PoolCall {
  readonly op: 'pool';
  readonly kind: PoolKind;
  readonly window: WindowThree;
  readonly x: Source;
  readonly out: Region;
  readonly epilogue: Row;
}

export interface MaxPoolGradCall {
  readonly op: 'max_pool_grad';
  readonly window: WindowThree;
  readonly x: Source;
  readonly dy: Source;
  readonly out: Region;
  readonly epilogue: Row;
}

export interface AvgPoolGradCall {
  readonly op: 'avg_pool_grad';
  readonly kind: Exclude<PoolKind, 'max'>;
  readonly window: WindowThree;
  /** Extents of the pooled tensor. */
  readonly global: Five;
  readonly dy: Source;
  readonly out: Region;
  readonly epilogue: Row;
}

export interface ResizeCall {
  readonly op: 'resize' | 'resize_grad';
  readonly kind: 'nearest' | 'linear';
  readonly x: Source;
  readonly out: Region;
  readonly epilogue: Row;
}

export interface SoftmaxCall {
  readonly op: 'softmax';
  readonly x: Source;
  readonly out: Region;
  readonly epilogue: Row;
}

export interface ArgmaxCall {
  readonly op: 'argmax';
  readonly x: Source;
  readonly into: Stored;
}

/** What the losses over classes share. */
interface OverClasses {
  readonly logits: Source;
  readonly labels: Stored;
}

export interface CrossEntropyCall extends OverClasses {
  readonly op: 'cross_entropy';
  readonly weights: readonly number[];
  readonly perCase: boolean;
  readonly sum: Stored;
}

export interface CrossEntropyGradCall extends OverClasses {
  readonly op: 'cross_entropy_grad';
  readonly weights: readonly number[];
  readonly perCase: boolean;
  /** Gradient of the sum. */
  readonly g: Stored;
  readonly epilogue: Row;
}

export interface ClassSumsCall extends OverClasses {
  readonly op: 'class_sums';
  readonly cls: number;
  /** Sums of p t, p and t. */
  readonly sums: readonly Stored[];
}

export interface ClassSumsGradCall extends OverClasses {
  readonly op: 'class_sums_grad';
  readonly cls: number;
  /** Gradients of the sums of p t and p. */
  readonly gradients: readonly Stored[];
  readonly epilogue: Row;
}

/** A reduction of a region over the dimensions that `into` lacks. */
export interface ReduceCall {
  readonly op: 'reduce';
  readonly how: 'sum' | 'max' | 'min';
  readonly from: Stored;
  readonly region: Region;
  readonly into: Stored;
}

/** Sums of products over named loops, of which the first `outer` index the result. */
export interface EinsumCall {
  readonly op: 'einsum';
  readonly loops: readonly string[];
  readonly loop: Box;
  readonly outer: number;
  readonly inputs: readonly { readonly value: LocalValue; readonly box: Box }[];
  readonly into: LocalValue;
}

/**
 * A box (coordinates of `to`) from another tensor: dimension i of `from` is dimension `perm[i]` of `to`, whose coordinates are
 * larger by `shift[i]`.
 */
export interface Copy {
  readonly to: LocalValue;
  readonly from: LocalValue;
  readonly box: Box;
  readonly perm: readonly number[];
  readonly shift: readonly number[];
}

/** The same number in a box. */
export interface Fill {
  readonly value: LocalValue;
  readonly box: Box;
  readonly number: number;
}

/** Fills, then copies, in order. */
export interface MoveCall {
  readonly op: 'move';
  readonly fills: readonly Fill[];
  readonly copies: readonly Copy[];
}

/** Elements in row-major order, by other dimensions. */
export interface ReshapeCall {
  readonly op: 'reshape';
  readonly from: LocalValue;
  readonly read: Box;
  readonly to: LocalValue;
  readonly written: Box;
}

/** Numbers known when the plan is made, row-major over `shape`. */
export interface TableCall {
  readonly op: 'table';
  readonly shape: Shape;
  readonly values: readonly number[];
  readonly to: LocalValue;
  readonly box: Box;
}

export type Call =
  | RowsCall
  | ContractionCall
  | WeightGradCall
  | PoolCall
  | MaxPoolGradCall
  | AvgPoolGradCall
  | ResizeCall
  | SoftmaxCall
  | ArgmaxCall
  | CrossEntropyCall
  | CrossEntropyGradCall
  | ClassSumsCall
  | ClassSumsGradCall
  | ReduceCall
  | EinsumCall
  | MoveCall
  | ReshapeCall
  | TableCall;

/** A call of one kind. */
export type CallOf<Op extends Call['op']> = Extract<Call, { readonly op: Op }>;

/** Nothing to do. */
export const NOTHING: MoveCall = { op: 'move', fills: [], copies: [] };
