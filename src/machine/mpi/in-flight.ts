import type { AllReducePlan } from '../../plan/index.ts';
import type { Device, Mark, Memory, Tensor } from '../device.ts';
import type { Begun, Traffic } from '../world.ts';
import type { BoundExchange } from './bound.ts';
import { BoundAllReduce, roomsOf } from './bound-reduce.ts';
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
  private readonly members: readonly BoundAllReduce[];

  constructor(
    { device, staging, room }: { device: Device; staging: Staging; room: (bytes: number) => Memory },
    rank: number,
    parts: readonly { readonly plan: AllReducePlan; readonly tensor: Tensor }[],
  ) {
    const sizes = parts.map(({ plan, tensor }) => roomsOf(device, rank, plan, tensor));
    const rooms = staging.rooms(sizes.flat());
    let at = 0;
    this.members = parts.map(({ plan, tensor }, i) => {
      const own = rooms.slice(at, at + sizes[i].length);
      at += own.length;
      return new BoundAllReduce({ device, rooms: own, room }, rank, plan, tensor);
    });
  }

  /** Sends parts to those who combine them; they send back as soon as they see that all has come. */
  begin(post: Post, label: string, traffic: Traffic): Begun {
    const { mpi } = post;
    const what = `all_reduce ${label}`;
    const awaited = [...new Set(this.members.flatMap((member) => member.awaited))];
    const tag = post.tag(what, awaited);
    let batch = mpi.batch();
    for (const member of this.members) member.receive(mpi, batch, tag);
    let departure = new Departure(lastOf(this.members.map((member) => member.pack())), () => {
      for (const member of this.members) member.send(mpi, batch, tag, traffic);
    });
    let back = false;
    const turn = (): void => {
      batch = mpi.batch();
      for (const member of this.members) member.receiveBack(mpi, batch, tag);
      back = true;
      departure = new Departure(lastOf(this.members.map((member) => member.reduce())), () => {
        for (const member of this.members) member.sendBack(mpi, batch, tag);
      });
    };
    return {
      advance() {
        if (departure.tryNow() && !back && mpi.test(batch, 0)) turn();
      },
      finish: async () => {
        if (!back) {
          await departure.wait();
          await post.done(what, batch, awaited);
          turn();
        }
        await departure.wait();
        await post.done(what, batch, awaited);
        for (const member of this.members) member.finish();
      },
    };
  }
}

/** The device has one queue: the last mark is passed after all others. */
const lastOf = (marks: readonly (Mark | undefined)[]): Mark | undefined =>
  marks.findLast((mark) => mark !== undefined);
