import type { HostRoom, HostRooms } from '../device.ts';

/** The smallest block, bytes. */
const LEAST = 2 ** 20;
/** Messages begin at multiples of this many bytes. */
const ALIGNMENT = 64;
/** Bytes that can be seen as one host array. */
export const MOST_VIEWED = 2 ** 30;

/** Memory that messages are packed into. Collectives run one after the other and use the same bytes. */
export class Staging {
  private readonly source: HostRooms;
  /** Each at least twice as large as the one before: what is bound to a block keeps its addresses. */
  private readonly blocks: HostRoom[] = [];

  constructor(source: HostRooms) {
    this.source = source;
  }

  /** Rooms of so many bytes each, beside each other; the same ones may be given to another collective. */
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
