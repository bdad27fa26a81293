import type { Device, Mark, Memory } from '../device.ts';
import type { Begun, Traffic } from '../world.ts';
import type { BoundExchange } from './bound.ts';
import { BoundAllReduce } from './bound-reduce.ts';
import { joinReduced, type Reduced, roomCounts } from './joint.ts';
import type { Batch, Messages } from './library.ts';
import type { Post } from './post.ts';
import type { Lanes } from './staging.ts';

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

/** What collectives are posted by. */
export interface Posting {
  readonly post: Post;
  readonly messages: Messages;
  readonly traffic: Traffic;
}

/** Posts what a bound exchange sends and receives; the end unpacks it. */
export function beginExchange(
  { post, messages, traffic }: Posting,
  label: string,
  bound: BoundExchange,
): Begun {
  const what = `exchange ${label}`;
  const tag = post.tag(what, bound.awaited);
  const batch = messages.batch();
  const departure = new Departure(bound.pack(), () => bound.post(messages, batch, tag, traffic));
  return {
    advance: () => void departure.tryNow(),
    async finish() {
      await departure.wait();
      await post.done(what, batch, bound.awaited, messages);
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
    { device, lanes, room }: { device: Device; lanes: Lanes; room: (bytes: number) => Memory },
    rank: number,
    reduced: readonly Reduced[],
  ) {
    const joints = joinReduced(device, rank, reduced);
    const bytes = joints.map((joint) => roomCounts(joint).map((count) => count * joint.width));
    // Along a tree go small parts.
    const staging = joints.map(({ route }) => (route.kind === 'tree' ? lanes.near : lanes.far));
    const rooms = new Map(
      [...new Set(staging)].map((one) => [one, one.rooms(bytes.filter((_, i) => staging[i] === one).flat())]),
    );
    this.bound = joints.map((joint, i) => {
      const own = rooms.get(staging[i])!.splice(0, bytes[i].length);
      return new BoundAllReduce({ device, rooms: own, room }, joint);
    });
    const messages = this.bound.flatMap(({ steps }) =>
      steps.flatMap((step) => [...step.receives, ...step.sends]),
    );
    this.awaited = [...new Set(messages.map(({ peer }) => peer))].sort((a, b) => a - b);
    this.tags = reduced.length;
  }

  begin(posting: Posting, label: string): Begun {
    const what = `all_reduce ${label}`;
    const tags = posting.post.tags(what, this.awaited, this.tags);
    const running = this.bound.map((bound, i) => new Running(posting, bound, tags[i]));
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
  private readonly posting: Posting;
  private readonly bound: BoundAllReduce;
  private readonly tag: number;
  private step = 0;
  private batch: Batch;
  private departure: Departure;

  constructor(posting: Posting, bound: BoundAllReduce, tag: number) {
    this.posting = posting;
    this.bound = bound;
    this.tag = tag;
    [this.batch, this.departure] = this.start();
  }

  private start(): [Batch, Departure] {
    const { messages, traffic } = this.posting;
    const { steps, width, counted } = this.bound;
    const { receives, sends, prepare } = steps[this.step];
    const batch = messages.batch();
    // A room may be read until what was asked of the device before is done.
    const departure = new Departure(prepare?.(), () => {
      for (const { peer, room, count } of receives)
        messages.receive(batch, room.address, count * width, peer, this.tag);
      for (const { peer, room, count } of sends) {
        messages.send(batch, room.address, count * width, peer, this.tag);
        traffic.allReduceBytes += count * counted;
      }
      traffic.messages += sends.length;
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
    while (!this.ended && this.departure.tryNow() && this.posting.messages.test(this.batch, 0)) this.next();
  }

  async finish(what: string, awaited: readonly number[]): Promise<void> {
    while (!this.ended) {
      await this.departure.wait();
      await this.posting.post.done(what, this.batch, awaited, this.posting.messages);
      this.next();
    }
  }
}
