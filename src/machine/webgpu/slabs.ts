import { fail } from '../../core/index.ts';
import { BUFFER_USAGE, type GpuBuffer, type GpuDevice } from './api.ts';

// Memory of the device: buffers of WebGPU, which kernels reach through windows on them. Large pieces have a buffer of their own, small
// ones share one, since a kernel sees a few windows only.

/** A byte in the memory of the device: the number of a buffer, and the offset in it. */
export type Address = number;

/** Bytes that addresses of one buffer span. */
const SPAN = 2 ** 40;
/** Every piece begins at a multiple of this: where windows may begin, by the specification's own limit. */
export const ALIGN = 256;
/** Pieces up to this share buffers of SHARED bytes. */
const SMALL = 2 ** 20;
const SHARED = 2 ** 23;

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

export const slabOf = (address: Address): number => Math.floor(address / SPAN);
export const offsetOf = (address: Address): number => address % SPAN;

interface Slab {
  readonly bytes: number;
  buffer: GpuBuffer | undefined;
  /** Free pieces in rising order, of a shared buffer. */
  readonly free: { at: number; bytes: number }[] | undefined;
}

export class Slabs {
  private readonly slabs: (Slab | undefined)[] = [];
  private gpu: GpuDevice | undefined;

  /** Buffers are made from now on, those that were asked for before at once. */
  open(gpu: GpuDevice): void {
    this.gpu = gpu;
    for (const slab of this.slabs) if (slab !== undefined) this.make(slab);
  }

  private make(slab: Slab): void {
    const { maxBufferSize } = this.gpu!.limits;
    if (slab.bytes > maxBufferSize)
      fail({
        where: 'device webgpu',
        problem: `a piece of memory has ${slab.bytes} bytes, a buffer of this adapter ${maxBufferSize} at most`,
        hint: 'Cut the volume into parts, as with --split depth=2, or give a --memory-limit below that',
      });
    const usage = BUFFER_USAGE.storage | BUFFER_USAGE.copySource | BUFFER_USAGE.copyTarget;
    slab.buffer = this.gpu!.createBuffer({ size: slab.bytes, usage });
  }

  private add(slab: Slab): number {
    const empty = this.slabs.indexOf(undefined);
    const number = empty < 0 ? this.slabs.length : empty;
    if (this.gpu !== undefined) this.make(slab);
    this.slabs[number] = slab;
    return number;
  }

  take(bytes: number): Address {
    const wanted = Math.max(aligned(bytes), ALIGN);
    if (wanted > SMALL) return this.add({ bytes: wanted, buffer: undefined, free: undefined }) * SPAN;
    for (const [number, slab] of this.slabs.entries()) {
      const piece = slab?.free?.find((one) => one.bytes >= wanted);
      if (piece === undefined) continue;
      piece.at += wanted;
      piece.bytes -= wanted;
      return number * SPAN + piece.at - wanted;
    }
    const free = [{ at: wanted, bytes: SHARED - wanted }];
    return this.add({ bytes: SHARED, buffer: undefined, free }) * SPAN;
  }

  /** Gives a piece back that was taken with so many bytes. */
  give(address: Address, bytes: number): void {
    const number = slabOf(address);
    const slab = this.slabs[number]!;
    if (slab.free !== undefined) {
      const { free } = slab;
      free.push({ at: offsetOf(address), bytes: Math.max(aligned(bytes), ALIGN) });
      free.sort((a, b) => a.at - b.at);
      for (let i = free.length - 1; i > 0; i--)
        if (free[i - 1].at + free[i - 1].bytes === free[i].at) {
          free[i - 1].bytes += free[i].bytes;
          free.splice(i, 1);
        }
      if (free[0].bytes < SHARED) return;
    }
    slab.buffer?.destroy();
    this.slabs[number] = undefined;
  }

  /** The buffer of a piece. The device must have been opened. */
  bufferOf(address: Address): GpuBuffer {
    const buffer = this.slabs[slabOf(address)]?.buffer;
    return (
      buffer ?? fail({ where: 'device webgpu', problem: 'a piece of memory was given back or never made' })
    );
  }

  close(): void {
    for (const slab of this.slabs) slab?.buffer?.destroy();
    this.slabs.length = 0;
  }
}
