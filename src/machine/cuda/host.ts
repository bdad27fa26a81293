import { type Box, BYTES, boxVolume, type DType, piecesOf } from '../../core/index.ts';
import type { HostArray } from '../device.ts';
import { plainFormat } from '../formats/index.ts';
import { copySteps } from './bind.ts';
import type { Address, Driver } from './driver.ts';
import type { Step } from './maker.ts';
import { type CudaMemory, type CudaTensor, cudaTensor } from './tensors.ts';

/** Numbers pass between the host and tensors in pieces of at most this many bytes. */
export const STAGING = 64 * 2 ** 20;

const ARRAYS = { f32: Float32Array, f64: Float64Array, u8: Uint8Array, i32: Int32Array } as const;
type HostType = keyof typeof ARRAYS;

/** Numbers between host arrays and tensors: through plain memory of the device, converted there. */
export class HostCopies {
  private readonly driver: Driver;
  private readonly run: (steps: readonly Step[]) => void;
  private staging: { readonly address: Address; readonly bytes: number } | undefined;

  constructor(driver: Driver, run: (steps: readonly Step[]) => void) {
    this.driver = driver;
    this.run = run;
  }

  close(): void {
    if (this.staging !== undefined) this.driver.free(this.staging.address);
    this.staging = undefined;
  }

  write(tensor: CudaTensor, box: Box, data: HostArray): void {
    const numbers = data instanceof Int16Array ? Float32Array.from(data) : data;
    const type = typeOf(numbers);
    for (const { piece, from, count } of pieces(box, BYTES[type])) {
      const staged = this.staged(tensor, piece, type);
      const part = numbers.subarray(from, from + count);
      this.driver.upload(staged.address, new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
      this.run(copySteps(tensor, staged, piece));
    }
  }

  async read(tensor: CudaTensor, box: Box): Promise<HostArray> {
    const type = tensor.dtype === 'bf16' ? 'f32' : tensor.dtype;
    const result = new ARRAYS[type](boxVolume(box));
    for (const { piece, from, count } of pieces(box, BYTES[type])) {
      const staged = this.staged(tensor, piece, type);
      this.run(copySteps(staged, tensor, piece));
      const bytes = await this.driver.download(staged.address, count * BYTES[type]);
      result.set(new ARRAYS[type](bytes.buffer as ArrayBuffer, bytes.byteOffset, count), from);
    }
    return result;
  }

  /** Plain device memory shaped like a piece of a tensor. */
  private staged({ shape, home }: CudaTensor, piece: Box, dtype: DType): CudaTensor {
    const format = plainFormat({ shape, dtype });
    const bytes = format.bytes(piece);
    if (this.staging === undefined || this.staging.bytes < bytes) {
      this.close();
      this.staging = { address: this.driver.allocate(bytes), bytes };
    }
    return cudaTensor(home as CudaMemory, this.staging.address, { shape, dtype, format }, piece);
  }
}

interface Piece {
  readonly piece: Box;
  /** Where it lies in the row-major numbers of the box. */
  readonly from: number;
  readonly count: number;
}

/** The pieces of a box that fit the staging memory. */
function* pieces(box: Box, bytes: number): Generator<Piece> {
  let from = 0;
  for (const piece of piecesOf(box, STAGING / bytes)) {
    const count = boxVolume(piece);
    yield { piece, from, count };
    from += count;
  }
}

function typeOf(data: Exclude<HostArray, Int16Array>): HostType {
  if (data instanceof Float64Array) return 'f64';
  if (data instanceof Uint8Array) return 'u8';
  return data instanceof Int32Array ? 'i32' : 'f32';
}
