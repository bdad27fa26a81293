import { performance } from 'node:perf_hooks';
import { fail } from '../../core/index.ts';
import type { Device, HostRooms } from '../device.ts';
import { yieldToEvents } from '../event-loop.ts';
import type { Batch, Messages, MpiLibrary } from './library.ts';
import { Staging } from './staging.ts';
import { TAGS } from './tags.ts';
import type { TransportChoice } from './transports.ts';

/** How messages of devices with memory of their own travel. */
export interface PostOptions {
  readonly transport: TransportChoice;
  /** Messages of at most so many bytes lie in memory of the host, where latency is least. */
  readonly smallBytes: number;
  /** Messages through memory of the host travel in pieces of so many bytes: one is copied while another is on its way. */
  readonly pieceBytes: number;
}

const USUAL: PostOptions = { transport: 'auto', smallBytes: 2 ** 15, pieceBytes: 2 ** 22 };

/** Milliseconds that one look at messages may hold the thread. */
const LOOK = 20;
/** Seconds after which a collective that waits is given up; a checkpoint or a picture may be written meanwhile. */
const PATIENCE = 1800;

/**
 * What messages of this process share. What all processes call begins by posting messages, and waits for them while signals
 * and timers get their turns. All make the same calls in the same order, so messages meet by their order.
 */
export class Post {
  readonly mpi: MpiLibrary;
  readonly options: PostOptions;
  readonly staging: Staging;
  /** Memory for messages of devices that have none of their own. */
  readonly rooms: HostRooms;
  /** What is freed when no other process has it open. */
  private readonly left = new WeakMap<Device, (() => void)[]>();
  private calls = 0;
  private readonly near = new Set<number>();

  constructor(mpi: MpiLibrary, options: Partial<PostOptions> = {}) {
    this.mpi = mpi;
    this.options = { ...USUAL, ...options };
    this.rooms = {
      room(bytes) {
        const address = mpi.allocate(bytes);
        return { address, bytes, view: (most) => mpi.view(address, most) };
      },
      free: ({ address, bytes }) => mpi.free(address, bytes),
    };
    this.staging = new Staging(this.rooms);
  }

  barrier(label: string): Promise<void> {
    const what = `barrier ${label}`;
    this.tag(what);
    const batch = this.mpi.batch();
    this.mpi.barrier(batch);
    return this.done(what, batch, this.others());
  }

  /** Keeps memory of a device that other processes may have open, until `freeLeft`. */
  leave(device: Device, free: () => void): void {
    this.left.set(device, [...(this.left.get(device) ?? []), free]);
  }

  freeLeft(device: Device): void {
    for (const free of this.left.get(device) ?? []) free();
    this.left.delete(device);
  }

  others(): number[] {
    return Array.from({ length: this.mpi.size }, (_, rank) => rank).filter((rank) => rank !== this.mpi.rank);
  }

  /**
   * Begins a call and gives its tag: the same on every process, since all make the same calls. `peers`: ranks that this one
   * has messages with, which are watched from now on. Calls are compared by `what` as they go.
   */
  tag(what: string, peers: readonly number[] = []): number {
    return this.tags(what, peers, 1)[0];
  }

  /** The same for a call whose messages go in several rows, each in an order of its own: as many tags on every process. */
  tags(what: string, peers: readonly number[], count: number): number[] {
    this.mpi.enter(what);
    for (const peer of peers) {
      if (this.near.has(peer)) continue;
      this.near.add(peer);
      this.mpi.near(peer);
    }
    const first = this.calls;
    this.calls += count;
    return Array.from({ length: count }, (_, i) => (first + i) % TAGS);
  }

  /** Waits for a batch; between looks the process may do something else. */
  async done(
    what: string,
    batch: Batch,
    awaited: readonly number[],
    messages: Messages = this.mpi,
  ): Promise<void> {
    const begun = performance.now();
    // What the caller did until here is work, in its eyes, and all from here on is waiting.
    await undefined;
    try {
      while (!messages.test(batch, LOOK)) {
        await yieldToEvents();
        if (performance.now() - begun > 1000 * PATIENCE)
          fail({
            where: what,
            problem: `rank ${this.mpi.rank} has waited ${PATIENCE} s for ranks ${awaited.join(', ')}`,
            hint: 'All ranks must run the same collectives in the same order',
          });
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text.startsWith(what)) throw error;
      fail({ where: what, problem: `rank ${this.mpi.rank}: ${text}` }, { cause: error });
    }
  }
}
