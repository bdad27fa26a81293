import { fail } from '../../core/index.ts';
import type { AllReducePlan, ExchangePlan } from '../../plan/index.ts';
import type { Device, Memory, Tensor } from '../device.ts';
import type { Processes, Traffic, World } from '../world.ts';
import { BoundExchange } from './bound.ts';
import { FarMessages } from './far-messages.ts';
import { BoundBucket, beginExchange, type Posting } from './in-flight.ts';
import type { Messages } from './library.ts';
import type { Post } from './post.ts';
import { Lanes, roomy, Staging } from './staging.ts';
import { findWays, machineName, showWays } from './ways.ts';

/** The rank of this process, with its tensors on a device, beside the ranks of the others. */
export class MpiWorld implements World {
  readonly size: number;
  readonly processes: Processes;
  readonly traffic: Traffic = { exchangeBytes: 0, allReduceBytes: 0, messages: 0 };
  private readonly device: Device;
  private readonly post: Post;
  private readonly exchanges = new WeakMap<Tensor, Map<ExchangePlan, Map<Tensor, BoundExchange>>>();
  private readonly buckets = new WeakMap<Tensor, Map<AllReducePlan, BoundBucket>>();
  private readonly stagings = new Map<string, Lanes>();
  /** Room on the device for what others send to be combined; reductions with the same messages use the same bytes. */
  private readonly memories = new Map<Lanes, Memory[]>();
  /** Messages in memory of the device, where it has its own. */
  private far: FarMessages | undefined;
  transport?: string;

  constructor(processes: Processes, device: Device, post: Post) {
    this.processes = processes;
    this.size = processes.ranks.length;
    this.device = device;
    this.post = post;
    device.transport.pollWith?.(post.mpi.poll);
  }

  private get rank(): number {
    return this.processes.index;
  }

  async ready(): Promise<void> {
    const { far } = this.device.transport;
    if (far === undefined || this.size === 1 || this.far !== undefined) return;
    const { mpi, rooms } = this.post;
    const { transport: choice, pieceBytes } = this.post.options;
    const ways = await findWays({
      processes: this.processes,
      rooms: far,
      machine: machineName(),
      choice,
      takesGpuMemory: mpi.takesGpuMemory,
    });
    // All are here, so that nobody has open any more what a world before this one left.
    this.post.freeLeft(this.device);
    this.far = new FarMessages({ mpi, far, ways, host: rooms, pieceBytes });
    this.transport = showWays(ways, this.rank);
  }

  private get posting(): Posting {
    const messages: Messages = this.far ?? this.post.mpi;
    if (this.far === undefined && this.device.transport.far !== undefined && this.size > 1)
      fail({
        where: 'mpi',
        problem: 'something is sent before the processes know how: World.ready comes first',
      });
    return { post: this.post, messages, traffic: this.traffic };
  }

  exchange(
    label: string,
    plan: ExchangePlan,
    [from]: readonly Tensor[],
    [to]: readonly Tensor[],
  ): Promise<void> {
    const bound = this.exchangeOf(plan, from, to, this.staging('in turn', 0));
    return beginExchange(this.posting, label, bound).finish();
  }

  allReduce(label: string, plan: AllReducePlan, [tensor]: readonly Tensor[]): Promise<void> {
    const bound = this.bucketOf([{ plan, tensor }], this.staging('in turn', 0));
    return bound.begin(this.posting, label).finish();
  }

  readonly begin: World['begin'] = {
    exchange: (label, plan, from, to, slot) => {
      const bound = this.exchangeOf(plan, from, to, this.staging('exchange', slot));
      return beginExchange(this.posting, label, bound);
    },
    allReduce: (label, parts, slot) =>
      this.bucketOf(parts, this.staging('all_reduce', slot)).begin(this.posting, label),
  };

  barrier(label: string): Promise<void> {
    return this.post.barrier(label);
  }

  close(): void {
    for (const memory of [...this.memories.values()].flat()) this.device.free(memory);
    this.memories.clear();
    const lanes = [...this.stagings.values()];
    this.stagings.clear();
    for (const { near } of lanes) near.free();
    if (this.far === undefined) return;
    this.far.close();
    // Others may still have them open.
    this.post.leave(this.device, () => {
      for (const { near, far } of lanes) if (far !== near) far.free();
    });
    this.far = undefined;
  }

  /** Memory for messages of collectives of one slot. */
  private staging(kind: string, slot: number): Lanes {
    const key = `${kind} ${slot}`;
    const near = (): Staging => new Staging(this.device.transport.rooms ?? this.post.rooms);
    const { smallBytes } = this.post.options;
    const known =
      this.stagings.get(key) ?? new Lanes(near(), this.far && new Staging(this.far.rooms), smallBytes);
    this.stagings.set(key, known);
    return known;
  }

  private exchangeOf(plan: ExchangePlan, from: Tensor, to: Tensor, lanes: Lanes): BoundExchange {
    const byPlan = this.exchanges.get(to) ?? new Map<ExchangePlan, Map<Tensor, BoundExchange>>();
    this.exchanges.set(to, byPlan);
    const byFrom = byPlan.get(plan) ?? new Map<Tensor, BoundExchange>();
    byPlan.set(plan, byFrom);
    const bound = byFrom.get(from) ?? new BoundExchange(this.device, lanes, this.rank, plan, { from, to });
    byFrom.set(from, bound);
    return bound;
  }

  /** By its first tensor: a schedule forms the same buckets in every run. */
  private bucketOf(
    parts: readonly { readonly plan: AllReducePlan; readonly tensor: Tensor }[],
    lanes: Lanes,
  ): BoundBucket {
    const [{ plan, tensor }] = parts;
    const byPlan = this.buckets.get(tensor) ?? new Map<AllReducePlan, BoundBucket>();
    this.buckets.set(tensor, byPlan);
    const room = this.roomOf(lanes);
    const bound = byPlan.get(plan) ?? new BoundBucket({ device: this.device, lanes, room }, this.rank, parts);
    byPlan.set(plan, bound);
    return bound;
  }

  /** Memory of the device for parts that are combined; beside each other where their messages are. */
  private roomOf(lanes: Lanes): (bytes: number) => Memory {
    return (bytes) => {
      const memories = this.memories.get(lanes) ?? [];
      this.memories.set(lanes, memories);
      const known = memories.find((memory) => memory.bytes >= bytes);
      if (known !== undefined) return known;
      const made = this.device.allocate(roomy(bytes));
      memories.push(made);
      return made;
    };
  }
}
