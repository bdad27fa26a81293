import { fail } from '../../core/index.ts';
import type { Address } from './driver.ts';
import type { CudaTensor } from './tensors.ts';

// Memory of launches for their own use.

/** Where every piece of scratch begins, as tensors do: a multiple of every vector that kernels load. */
export const ALIGN = 256;

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

/** How large the slabs are in which products are done whose images are worked out first. */
export interface Slabs {
  /** Bytes of such images at a time, where `planes` planes do not take more. */
  readonly bytes: number;
  /** Planes along d at least: kernels read two more. */
  readonly planes: number;
}

/** Pieces of memory that the plan has set aside, one after the other; without memory they are only counted. */
export class Scratch {
  /** Bytes in use at most. */
  most = 0;
  private used = 0;
  private readonly memory: CudaTensor | undefined;
  private readonly room: number;

  constructor(memory?: CudaTensor, room = Number.POSITIVE_INFINITY) {
    this.memory = memory;
    this.room = room;
  }

  take(bytes: number): Address {
    const at = this.used;
    this.used += aligned(bytes);
    this.most = Math.max(this.most, this.used);
    if (this.used > this.room)
      fail({
        where: 'device cuda',
        problem: 'a kernel asks for more memory than was planned for it',
        expected: `at most ${this.room} bytes`,
        found: `${this.used} bytes`,
      });
    return (this.memory?.address ?? 0) + at;
  }

  /** Does one part after the other, each of which takes the memory that the one before had. */
  inTurn<T>(parts: readonly (() => T)[]): T[] {
    const { used } = this;
    return parts.map((part) => {
      this.used = used;
      return part();
    });
  }
}
