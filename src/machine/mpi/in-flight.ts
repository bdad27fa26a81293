import type { Device, Mark, Memory } from '../device.ts';
import type { Begun, Traffic } from '../world.ts';
import type { BoundExchange } from './bound.ts';
import { BoundAllReduce } from './bound-reduce.ts';
import { joinReduced, type Reduced, roomCounts } from './joint.ts';
import type { Batch } from './library.ts';
import type { Post } from './post.ts';
import type { Staging } from './staging.ts';

// Collectives that go on beside kernels.

/** What is posted as soon as a mark is passed: messages that are packed on the device's own time. */
class Departure {
  private readonly mark: Mark | undefined;
  private readonly post: () => void;
  private gone = false;

  constructor(mark: Mark | undefined, post: () => void) {
    this.mark = mark;
    this.post = post;
    this.tryNow();
  }

  /** True when it is posted. */
  tryNow(): boolean {
    if (!this.gone && (this.mark === undefined || this.mark.passed())) this.go();
    return this.gone;
  }

  async wait(): Promise<void> {
    if (this.gone) return;
    await this.mark?.wait();
    this.go();
  }

  private go(): void {
    this.gone = true;
    this.post();
  }
}

/** Posts what a bound exchange sends and receives; the end unpacks it. */
export function beginExchange(post: Post, label: string, bound: BoundExchange, traffic: Traffic): Begun {
  const what = `exchange ${label}`;
  const { mpi } = post;
  const tag = post.tag(what, bound.awaited);
  const batch = mpi.batch();
  bound.receive(mpi, batch, tag);
  const departure = new Departure(bound.pack(), () => bound.send(mpi, batch, tag, traffic));
  return {
    advance: () => void departure.tryNow(),
    async finish() {
      await departure.wait();
      await post.done(what, batch, bound.awaited);
      bound.finish();
    },
  };
}

/** All-reduces between the same ranks, bound to messages that travel together. */
export class BoundBucket {
  private readonly bound: readonly BoundAllReduce[];
  private readonly awaited: readonly number[];
  /** Tags that a run takes: as many on every rank, however much of it is joined there. */
  private readonly tags: number;

  constructor(
    { device, staging, room }: { device: Device; staging: Staging; room: (bytes: number) => Memory },
    rank: number,
    reduced: readonly Reduced[],
  ) {
    const joints = joinReduced(device, rank, reduced);
    const bytes = joints.map((joint) => roomCounts(joint).map((count) => count * joint.width));
    const rooms = staging.rooms(bytes.flat());
    let at = 0;
    this.bound = joints.map((joint, i) => {
      const own = rooms.slice(at, at + bytes[i].length);
      at += own.length;
      return new BoundAllReduce({ device, rooms: own, room }, joint);
    });
    const messages = this.bound.flatMap(({ steps }) =>
      steps.flatMap((step) => [...step.receives, ...step.sends]),
    );
    this.awaited = [...new Set(messages.map(({ peer }) => peer))].sort((a, b) => a - b);
    this.tags = reduced.length;
  }

  begin(post: Post, label: string, traffic: Traffic): Begun {
    const what = `all_reduce ${label}`;
    const tags = post.tags(what, this.awaited, this.tags);
    const running = this.bound.map((bound, i) => new Running(post, bound, tags[i], traffic));
    return {
      advance() {
        for (const one of running) one.advance();
      },
      finish: async () => {
        for (const one of running) await one.finish(what, this.awaited);
        for (const bound of this.bound) bound.finish();
      },
    };
  }
}

/** An all-reduce under way: a step begins as soon as the one before it is seen to be done. */
class Running {
  private readonly post: Post;
  private readonly bound: BoundAllReduce;
  private readonly tag: number;
  private readonly traffic: Traffic;
  private step = 0;
  private batch: Batch;
  private departure: Departure;

  constructor(post: Post, bound: BoundAllReduce, tag: number, traffic: Traffic) {
    this.post = post;
    this.bound = bound;
    this.tag = tag;
    this.traffic = traffic;
    [this.batch, this.departure] = this.start();
  }

  private start(): [Batch, Departure] {
    const { mpi } = this.post;
    const { steps, width, counted } = this.bound;
    const { receives, sends, prepare, arrange } = steps[this.step];
    const batch = mpi.batch();
    for (const { peer, room, count } of receives)
      mpi.receive(batch, room.address, count * width, peer, this.tag);
    const departure = new Departure(prepare?.(), () => {
      arrange?.();
      for (const { peer, room, count } of sends) {
        mpi.send(batch, room.address, count * width, peer, this.tag);
        this.traffic.allReduceBytes += count * counted;
      }
      this.traffic.messages += sends.length;
    });
    return [batch, departure];
  }

  private get ended(): boolean {
    return this.step === this.bound.steps.length;
  }

  private next(): void {
    this.step++;
    if (!this.ended) [this.batch, this.departure] = this.start();
  }

  advance(): void {
    while (!this.ended && this.departure.tryNow() && this.post.mpi.test(this.batch, 0)) this.next();
  }

  async finish(what: string, awaited: readonly number[]): Promise<void> {
    while (!this.ended) {
      await this.departure.wait();
      await this.post.done(what, this.batch, awaited);
      this.next();
    }
  }
}
