import { type Box, boxVolume, type DType, piecesOf } from '../../core/index.ts';
import type { HostArray } from '../device.ts';
import { type Maker, pairsOf } from './maker.ts';
import { copySteps } from './print/fixed.ts';
import type { Queue } from './queue.ts';
import type { Address } from './slabs.ts';
import type { Step } from './step.ts';
import { type GpuTensor, gpuTensor, plainWords, WORDS } from './tensors.ts';

/** Numbers pass between the host and tensors in pieces of at most this many bytes. */
export const STAGING = 64 * 2 ** 20;

/** Numbers between host arrays and tensors: through plain memory of the device, as words of the tensor's own element type. */
export class HostCopies {
  private readonly queue: Queue;
  private readonly run: (steps: (make: Maker) => readonly Step[]) => void;
  private staging: { readonly address: Address; readonly bytes: number } | undefined;

  constructor(queue: Queue, run: (steps: (make: Maker) => readonly Step[]) => void) {
    this.queue = queue;
    this.run = run;
  }

  close(): void {
    const { staging } = this;
    if (staging !== undefined) {
      this.queue.submit();
      this.queue.slabs.give(staging.address, staging.bytes);
    }
    this.staging = undefined;
  }

  write(tensor: GpuTensor, box: Box, data: HostArray): void {
    for (const { piece, from, count } of pieces(box, tensor.dtype)) {
      const staged = this.staged(tensor, piece);
      const words = wordsOf(tensor.dtype, data.subarray(from, from + count));
      this.queue.upload(staged.address, new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
      this.run((make) => copySteps(make, tensor, staged, piece));
    }
  }

  async read(tensor: GpuTensor, box: Box): Promise<HostArray> {
    const { dtype } = tensor;
    const parts: { readonly from: number; readonly words: Promise<Uint8Array<ArrayBuffer>> }[] = [];
    for (const { piece, from, count } of pieces(box, dtype)) {
      const staged = this.staged(tensor, piece);
      this.run((make) => copySteps(make, staged, tensor, piece));
      parts.push({ from, words: this.queue.download(staged.address, 4 * WORDS[dtype] * count) });
    }
    if (parts.length === 1) return numbersOf(dtype, await parts[0].words);
    const result = new NUMBERS[dtype](boxVolume(box));
    for (const { from, words } of parts) result.set(numbersOf(dtype, await words), from);
    return result;
  }

  /** Plain device memory shaped like a piece of a tensor. */
  private staged({ shape, dtype, home }: GpuTensor, piece: Box): GpuTensor {
    const format = plainWords({ shape, dtype });
    const bytes = format.bytes(piece);
    if (this.staging === undefined || this.staging.bytes < bytes) {
      this.close();
      this.staging = { address: this.queue.slabs.take(bytes), bytes };
    }
    return gpuTensor(home, this.staging.address, { shape, dtype, format }, piece);
  }
}

interface Piece {
  readonly piece: Box;
  /** Where it lies in the row-major numbers of the box. */
  readonly from: number;
  readonly count: number;
}

/** The pieces of a box that fit the staging memory. */
function* pieces(box: Box, dtype: DType): Generator<Piece> {
  let from = 0;
  for (const piece of piecesOf(box, STAGING / (4 * WORDS[dtype]))) {
    const count = boxVolume(piece);
    yield { piece, from, count };
    from += count;
  }
}

const NUMBERS = {
  f32: Float32Array,
  bf16: Float32Array,
  f64: Float64Array,
  u8: Uint8Array,
  i32: Int32Array,
} as const;

/** float32 bits as those of the nearest bfloat16 number; NaN stays NaN. */
function roundBf16(words: Float32Array): Float32Array {
  const bits = new Uint32Array(words.buffer, words.byteOffset, words.length);
  bits.forEach((u, i) => {
    bits[i] =
      (u & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : ((u + 0x7fff + ((u >>> 16) & 1)) & 0xffff0000) >>> 0;
  });
  return words;
}

/** Numbers of the host as words of elements. Integers saturate; what is no number is 0. */
export function wordsOf(dtype: DType, data: HostArray): Float32Array | Int32Array {
  switch (dtype) {
    case 'f32':
      return data instanceof Float32Array ? data : Float32Array.from(data);
    case 'bf16':
      return roundBf16(Float32Array.from(data));
    case 'f64':
      return pairsOf(data);
    case 'u8':
      return Int32Array.from(Uint8ClampedArray.from(data, Math.trunc));
    case 'i32':
      return Int32Array.from(data, (x) => Math.min(Math.max(Math.trunc(x), -(2 ** 31)), 2 ** 31 - 1));
    default:
      return dtype satisfies never;
  }
}

/** Words of elements as numbers of the host. */
export function numbersOf(dtype: DType, { buffer }: Uint8Array<ArrayBuffer>): HostArray {
  switch (dtype) {
    case 'f32':
    case 'bf16':
      return new Float32Array(buffer);
    case 'f64': {
      const pairs = new Float32Array(buffer);
      return Float64Array.from({ length: pairs.length / 2 }, (_, i) => {
        const high = pairs[2 * i];
        return Number.isFinite(high) ? high + pairs[2 * i + 1] : high;
      });
    }
    case 'u8':
      return Uint8Array.from(new Int32Array(buffer));
    case 'i32':
      return new Int32Array(buffer);
    default:
      return dtype satisfies never;
  }
}
