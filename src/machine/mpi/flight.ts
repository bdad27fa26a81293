import type { AllReducePlan } from '../../plan/index.ts';
import type { Begun, Traffic } from '../communicator.ts';
import type { Device, Memory, Tensor } from '../device.ts';
import type { BoundExchange } from './bound.ts';
import { BoundAllReduce, roomsOf } from './bound-reduce.ts';
import type { Batch } from './library.ts';
import type { Post } from './post.ts';
import type { Staging } from './staging.ts';

// Collectives that go on beside kernels.

/** Posts what a bound exchange sends and receives; the end unpacks it. */
export function beginExchange(post: Post, label: string, bound: BoundExchange, traffic: Traffic): Begun {
  const what = `exchange ${label}`;
  const batch = bound.start(post.mpi, post.tag(what, bound.awaited), traffic);
  return {
    advance: () => undefined,
    async finish() {
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
    const posted = (each: (member: BoundAllReduce, batch: Batch) => void): Batch => {
      const batch = mpi.batch();
      for (const member of this.members) each(member, batch);
      return batch;
    };
    let batch = posted((member, into) => member.start(mpi, into, tag, traffic));
    let back = false;
    const turn = (): void => {
      batch = posted((member, into) => member.middle(mpi, into, tag));
      back = true;
    };
    return {
      advance() {
        if (!back && mpi.test(batch, 0)) turn();
      },
      finish: async () => {
        if (!back) {
          await post.done(what, batch, awaited);
          turn();
        }
        await post.done(what, batch, awaited);
        for (const member of this.members) member.finish();
      },
    };
  }
}
