import { type Box, BYTES, boxVolume, type DType, piecesOf } from '../../core/index.ts';
import type { HostArray } from '../device.ts';
import { plainFormat } from '../formats/index.ts';
import { prepareCopy } from './copy.ts';
import type { Address, Kernels } from './library.ts';
import { type KernelTensor, kernelTensor } from './storage.ts';
import { Arguments } from './structs.ts';

/** Host copies pass through memory of the kernels in pieces of at most this many bytes. */
export const STAGING = 64 * 2 ** 20;

/** Numbers between host arrays and tensors: through plain native memory, converted on the way. */
export class HostCopies {
  private readonly library: Kernels;
  private staging: Address | undefined;

  constructor(library: Kernels) {
    this.library = library;
  }

  /** Gives the native memory back. */
  close(): void {
    if (this.staging !== undefined) this.library.free(this.staging, STAGING);
    this.staging = undefined;
  }

  write(tensor: KernelTensor, box: Box, data: HostArray): void {
    this.stage(tensor, box, hostType(data), (staged, piece, from, count) => {
      this.library.upload(staged.address, this.storable(data.subarray(from, from + count)));
      this.once((args) => prepareCopy(this.library, args, tensor, staged, piece));
    });
  }

  read(tensor: KernelTensor, box: Box): HostArray {
    const type = tensor.dtype === 'bf16' ? 'f32' : tensor.dtype;
    const count = boxVolume(box);
    const data = { f32: Float32Array, f64: Float64Array, u8: Uint8Array, i32: Int32Array }[type];
    const result = new data(count);
    this.stage(tensor, box, type, (staged, piece, from, n) => {
      this.once((args) => prepareCopy(this.library, args, staged, tensor, piece));
      this.library.download(staged.address, result.subarray(from, from + n));
    });
    return result;
  }

  /** The numbers of a box into `bytes`, row-major and in the type of the tensor. */
  pack(tensor: KernelTensor, box: Box, bytes: Uint8Array): void {
    this.stage(tensor, box, tensor.dtype, (staged, piece, from, count) => {
      this.once((args) => prepareCopy(this.library, args, staged, tensor, piece));
      this.library.download(staged.address, numbersIn(bytes, tensor.dtype, from, count));
    });
  }

  /** What `pack` does, back. */
  unpack(tensor: KernelTensor, box: Box, bytes: Uint8Array): void {
    this.stage(tensor, box, tensor.dtype, (staged, piece, from, count) => {
      this.library.upload(staged.address, numbersIn(bytes, tensor.dtype, from, count));
      this.once((args) => prepareCopy(this.library, args, tensor, staged, piece));
    });
  }

  /** `visit` gets native memory shaped like each piece of the box, and where its numbers lie among the row-major ones of the box. */
  private stage(
    tensor: KernelTensor,
    box: Box,
    dtype: DType,
    visit: (staged: KernelTensor, piece: Box, from: number, count: number) => void,
  ): void {
    const type = { shape: tensor.shape, dtype };
    const plain = { ...type, format: plainFormat(type) };
    let from = 0;
    for (const piece of piecesOf(box, STAGING / BYTES[dtype])) {
      this.staging ??= this.library.allocate(STAGING);
      const count = boxVolume(piece);
      visit(kernelTensor(this.staging, plain, piece), piece, from, count);
      from += count;
    }
  }

  /** Runs a launch whose arguments are needed once. */
  private once(prepare: (args: Arguments) => () => void): void {
    const args = new Arguments(this.library);
    try {
      prepare(args)();
    } finally {
      args.free();
    }
  }

  private storable(data: HostArray): ArrayBufferView {
    return data instanceof Int16Array ? Float32Array.from(data) : data;
  }
}

function hostType(data: HostArray): DType {
  if (data instanceof Float64Array) return 'f64';
  if (data instanceof Uint8Array) return 'u8';
  if (data instanceof Int32Array) return 'i32';
  return 'f32';
}

/** The bytes of some numbers. */
const numbersIn = (bytes: Uint8Array, dtype: DType, from: number, count: number): Uint8Array =>
  bytes.subarray(from * BYTES[dtype], (from + count) * BYTES[dtype]);
