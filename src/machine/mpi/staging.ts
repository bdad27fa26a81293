import type { HostRoom, HostRooms } from '../device.ts';

/** The smallest block, bytes: what CUDA gives for itself alone, so that other processes can open it. */
const LEAST = 2 ** 21;
/** Messages begin at multiples of this many bytes. */
const ALIGNMENT = 64;
/** Bytes that can be seen as one host array. */
export const MOST_VIEWED = 2 ** 30;

/** Where the memory of messages comes from. */
export interface Rooms {
  /** Rooms of so many bytes each; the same ones may be given to another collective. */
  rooms(bytes: readonly number[]): HostRoom[];
}

/** Memory that messages are packed into. Collectives run one after the other and use the same bytes. */
export class Staging implements Rooms {
  private readonly source: HostRooms;
  /** Each at least twice as large as the one before: what is bound to a block keeps its addresses. */
  private readonly blocks: HostRoom[] = [];

  constructor(source: HostRooms) {
    this.source = source;
  }

  /** Rooms beside each other. */
  rooms(bytes: readonly number[]): HostRoom[] {
    const aligned = bytes.map((count) => Math.ceil(count / ALIGNMENT) * ALIGNMENT);
    const block = this.block(aligned.reduce((a, b) => a + b, 0));
    let at = 0;
    return aligned.map((count) => {
      const from = at;
      at += count;
      return partOf(block, from, count);
    });
  }

  private block(bytes: number): HostRoom {
    const known = this.blocks.find((block) => block.bytes >= bytes);
    if (known !== undefined) return known;
    const made = this.source.room(roomy(bytes));
    this.blocks.push(made);
    return made;
  }

  free(): void {
    for (const block of this.blocks) this.source.free(block);
    this.blocks.length = 0;
  }
}

/** Memory of the host for small messages, and of the device, where it has its own, for all others. */
export class Lanes implements Rooms {
  readonly near: Staging;
  readonly far: Staging;

  private readonly most: number;

  /** `most`: bytes of a small message. */
  constructor(near: Staging, far = near, most = 0) {
    this.near = near;
    this.far = far;
    this.most = most;
  }

  rooms(bytes: readonly number[]): HostRoom[] {
    const small = (count: number): boolean => count <= this.most;
    if (this.near === this.far) return this.near.rooms(bytes);
    const near = this.near.rooms(bytes.filter(small));
    const far = this.far.rooms(bytes.filter((count) => !small(count)));
    return bytes.map((count) => (small(count) ? near : far).shift()!);
  }

  free(): void {
    this.near.free();
    if (this.far !== this.near) this.far.free();
  }
}

/** The bytes of a room from a place on. */
export const partOf = (room: HostRoom, from: number, bytes: number): HostRoom => ({
  address: room.address + from,
  bytes,
  view: (most) => room.view(from + most).subarray(from),
});

/** Bytes rounded up to a power of two, so that few sizes come up. */
export function roomy(bytes: number): number {
  let size = LEAST;
  while (size < bytes) size *= 2;
  return size;
}
