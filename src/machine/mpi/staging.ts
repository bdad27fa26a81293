import type { HostRoom } from '../device.ts';
import type { MpiLibrary } from './library.ts';

/** The smallest block, bytes. */
const LEAST = 2 ** 20;
/** Messages begin at multiples of this many bytes. */
const ALIGNMENT = 64;
/** Bytes that can be seen as one host array. */
export const MOST_VIEWED = 2 ** 30;

/** Memory that messages are packed into. Collectives run one after the other and use the same bytes. */
export class Staging {
  private readonly mpi: MpiLibrary;
  /** Each at least twice as large as the one before: what is bound to a block keeps its addresses. */
  private readonly blocks: { readonly address: number; readonly bytes: number }[] = [];

  constructor(mpi: MpiLibrary) {
    this.mpi = mpi;
  }

  /** Rooms of so many bytes each, beside each other; the same ones may be given to another collective. */
  rooms(bytes: readonly number[]): HostRoom[] {
    const aligned = bytes.map((count) => Math.ceil(count / ALIGNMENT) * ALIGNMENT);
    let { address } = this.block(aligned.reduce((a, b) => a + b, 0));
    return aligned.map((count) => {
      const at = address;
      address += count;
      return { address: at, view: (most) => this.mpi.view(at, most) };
    });
  }

  private block(bytes: number): { readonly address: number } {
    const known = this.blocks.find((block) => block.bytes >= bytes);
    if (known !== undefined) return known;
    const size = roomy(bytes);
    const made = { address: this.mpi.allocate(size), bytes: size };
    this.blocks.push(made);
    return made;
  }

  free(): void {
    for (const { address, bytes } of this.blocks) this.mpi.free(address, bytes);
    this.blocks.length = 0;
  }
}

/** Bytes rounded up to a power of two, so that few sizes come up. */
export function roomy(bytes: number): number {
  let size = LEAST;
  while (size < bytes) size *= 2;
  return size;
}
