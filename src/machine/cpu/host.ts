import { type Box, BYTES, boxVolume, type DType, isEmpty } from '../../core/index.ts';
import type { HostArray } from '../device.ts';
import { plainFormat } from '../formats/index.ts';
import { prepareCopy } from './copy.ts';
import type { Address, Library } from './library.ts';
import { type CpuTensor, cpuTensor } from './storage.ts';
import { Arguments } from './structs.ts';

/** Host copies pass through native memory in pieces of at most this many bytes. */
const STAGING = 64 * 2 ** 20;

/** Numbers between host arrays and tensors: through plain native memory, converted on the way. */
export class HostCopies {
  private readonly library: Library;
  private staging: Address | undefined;

  constructor(library: Library) {
    this.library = library;
  }

  /** Gives the native memory back. */
  close(): void {
    if (this.staging !== undefined) this.library.free(this.staging, STAGING);
    this.staging = undefined;
  }

  write(tensor: CpuTensor, box: Box, data: HostArray): void {
    this.stage(tensor, box, hostType(data), (staged, piece, from, count) => {
      this.library.upload(staged.address, this.storable(data.subarray(from, from + count)));
      this.once((args) => prepareCopy(this.library, args, tensor, staged, piece));
    });
  }

  read(tensor: CpuTensor, box: Box): HostArray {
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

  /**
   * Walks `box` in pieces along its outermost dimension that has more than one coordinate; `visit` gets plain native memory
   * shaped like the piece, and where the piece lies in the row-major numbers of the box.
   */
  private stage(
    tensor: CpuTensor,
    box: Box,
    dtype: DType,
    visit: (staged: CpuTensor, piece: Box, from: number, count: number) => void,
  ): void {
    if (isEmpty(box)) return;
    this.staging ??= this.library.allocate(STAGING);
    const along = box.findIndex((r) => r.end - r.start > 1);
    const layer = along < 0 ? boxVolume(box) : boxVolume(box) / (box[along].end - box[along].start);
    const most = Math.floor(STAGING / (layer * BYTES[dtype]));
    if (most < 1 && along >= 0) {
      // One layer is larger than the staging memory: walk its rows in turn.
      for (let at = box[along].start, from = 0; at < box[along].end; at++, from += layer) {
        const part = box.map((r, i) => (i === along ? { start: at, end: at + 1 } : r));
        this.stage(tensor, part, dtype, (staged, piece, f, n) => visit(staged, piece, from + f, n));
      }
      return;
    }
    const first = along < 0 ? 0 : box[along].start;
    const last = along < 0 ? 1 : box[along].end;
    const type = { shape: tensor.shape, dtype };
    const plain = { ...type, format: plainFormat(type) };
    for (let at = first; at < last; at += most) {
      const piece =
        along < 0
          ? box
          : box.map((r, i) => (i === along ? { start: at, end: Math.min(at + most, last) } : r));
      visit(cpuTensor(this.staging, plain, piece), piece, (at - first) * layer, boxVolume(piece));
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
