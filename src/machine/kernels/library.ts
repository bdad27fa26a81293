// What the kernels of native/ offer, however they were compiled: as a shared library, or as a WebAssembly module.

/** An address in the memory of the kernels. A number, so that offsets add; below 2^53 on every platform that Node runs on. */
export type Address = number & { readonly __address: true };

/** Address plus bytes. */
export function after(address: Address, bytes: number): Address {
  return (address + bytes) as Address;
}

export const P = 'uint64_t'; // every pointer crosses as a number
export const I = 'int32_t';
export const L = 'int64_t';

/** Kernel entries and the types of their arguments; all return 0, or 1 with a text in hm_error. */
export const ENTRIES = {
  hm_set_threads: [I],
  hm_free: [P, L],
  hm_memcpy: [P, P, L],
  hm_peak_flops: ['double', P],
  hm_peak_memory: [I, L, 'double', P],
  hm_rows: [P, P],
  hm_conv: [P, P, I, P, P, P, I],
  hm_conv_transpose: [P, P, I, P, P, P, I],
  hm_conv_begin: [I, P, P, I, P, P, P, I, P, P, P],
  hm_conv_end: [P],
  hm_set_poll: [P],
  hm_conv_weight_grad: [P, P, I, P, P, P, P, I],
  hm_pool: [I, P, P, P, P],
  hm_max_pool_grad: [P, P, P, P, P],
  hm_avg_pool_grad: [I, P, P, P, P, P],
  hm_resize: [I, P, P, P],
  hm_resize_grad: [I, P, P, P],
  hm_copy: [P, P, P, P, P, P],
  hm_fill: [P, P, P, 'double'],
  hm_reduce: [I, P, P, P, P],
  hm_einsum: [I, P, I, P, I, P],
  hm_softmax: [P, P, P],
  hm_cross_entropy: [P, P, P, P, P, I],
  hm_cross_entropy_grad: [P, P, P, P, I, P, P],
  hm_class_sums: [P, P, I, P, P, P, P],
  hm_class_sums_grad: [P, P, I, P, P, P, P],
  hm_argmax: [P, P, P],
} as const;

export type Entry = keyof typeof ENTRIES;

/** The kernels of one instruction set, and the memory that they reach. */
export interface Kernels {
  /** Where errors say that they arose, such as `device cpu`. */
  readonly where: string;
  readonly isa: string;
  /** Calls a kernel; raises its error text. */
  call(entry: Entry, ...args: readonly number[]): void;
  allocate(bytes: number): Address;
  /** Gives back what `allocate` or `reserve` gave, with the same number of bytes. */
  free(at: Address, bytes: number): void;
  /** Bytes that were given and not given back. */
  readonly held: number;
  /** As `allocate`; undefined where addresses that are not used cost something, or the system refuses. Pages take room when they are first touched. */
  reserve(bytes: number): Address | undefined;
  /** Copies host bytes into the memory of the kernels, and back. */
  upload(to: Address, data: ArrayBufferView): void;
  download(from: Address, data: ArrayBufferView): void;
  /** Memory of the kernels as a host array, at most 1 GiB; detached (of no bytes) once the memory has moved. */
  view(at: Address, bytes: number): Uint8Array;
}

/**
 * How 3x3x3 and 1x3x3 convolutions are computed. `auto`: by Winograd's minimal filtering where that was measured to be faster
 * (native/winograd/winograd_choice.cpp); it rounds differently from a plain sum, by a few units in the last place of the largest values.
 * `direct`: as plain sums of products, everywhere.
 */
export type ExactConv = 'auto' | 'direct';

/** `winograd`: wherever it is possible, for tests and measurements. */
export type ConvAlgorithm = ExactConv | 'winograd';
