import type { AllReducePlan, ExchangePlan } from '../../plan/index.ts';
import type { Device, Memory, Tensor } from '../device.ts';
import type { Processes, Traffic, World } from '../world.ts';
import { BoundExchange } from './bound.ts';
import { BoundBucket, beginExchange } from './in-flight.ts';
import type { Post } from './post.ts';
import { roomy, Staging } from './staging.ts';

/** The rank of this process, with its tensors on a device, beside the ranks of the others. */
export class MpiWorld implements World {
  readonly size: number;
  readonly processes: Processes;
  readonly traffic: Traffic = { exchangeBytes: 0, allReduceBytes: 0, messages: 0 };
  private readonly device: Device;
  private readonly post: Post;
  private readonly exchanges = new WeakMap<Tensor, Map<ExchangePlan, Map<Tensor, BoundExchange>>>();
  private readonly buckets = new WeakMap<Tensor, Map<AllReducePlan, BoundBucket>>();
  private readonly stagings = new Map<string, Staging>();
  /** Room on the device for what others send to be combined; reductions with the same messages use the same bytes. */
  private readonly memories = new Map<Staging, Memory[]>();

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

  exchange(
    label: string,
    plan: ExchangePlan,
    [from]: readonly Tensor[],
    [to]: readonly Tensor[],
  ): Promise<void> {
    const bound = this.exchangeOf(plan, from, to, this.staging('in turn', 0));
    return beginExchange(this.post, label, bound, this.traffic).finish();
  }

  allReduce(label: string, plan: AllReducePlan, [tensor]: readonly Tensor[]): Promise<void> {
    const bound = this.bucketOf([{ plan, tensor }], this.staging('in turn', 0));
    return bound.begin(this.post, label, this.traffic).finish();
  }

  readonly begin: World['begin'] = {
    exchange: (label, plan, from, to, slot) => {
      const bound = this.exchangeOf(plan, from, to, this.staging('exchange', slot));
      return beginExchange(this.post, label, bound, this.traffic);
    },
    allReduce: (label, parts, slot) =>
      this.bucketOf(parts, this.staging('all_reduce', slot)).begin(this.post, label, this.traffic),
  };

  barrier(label: string): Promise<void> {
    return this.post.barrier(label);
  }

  close(): void {
    for (const memory of [...this.memories.values()].flat()) this.device.free(memory);
    this.memories.clear();
    for (const staging of this.stagings.values()) staging.free();
    this.stagings.clear();
  }

  /** Memory for messages of collectives of one slot. */
  private staging(kind: string, slot: number): Staging {
    const key = `${kind} ${slot}`;
    const known = this.stagings.get(key) ?? new Staging(this.device.transport.rooms ?? this.post.rooms);
    this.stagings.set(key, known);
    return known;
  }

  private exchangeOf(plan: ExchangePlan, from: Tensor, to: Tensor, staging: Staging): BoundExchange {
    const byPlan = this.exchanges.get(to) ?? new Map<ExchangePlan, Map<Tensor, BoundExchange>>();
    this.exchanges.set(to, byPlan);
    const byFrom = byPlan.get(plan) ?? new Map<Tensor, BoundExchange>();
    byPlan.set(plan, byFrom);
    const bound = byFrom.get(from) ?? new BoundExchange(this.device, staging, this.rank, plan, { from, to });
    byFrom.set(from, bound);
    return bound;
  }

  /** By its first tensor: a schedule forms the same buckets in every run. */
  private bucketOf(
    parts: readonly { readonly plan: AllReducePlan; readonly tensor: Tensor }[],
    staging: Staging,
  ): BoundBucket {
    const [{ plan, tensor }] = parts;
    const byPlan = this.buckets.get(tensor) ?? new Map<AllReducePlan, BoundBucket>();
    this.buckets.set(tensor, byPlan);
    const room = this.roomOf(staging);
    const bound =
      byPlan.get(plan) ?? new BoundBucket({ device: this.device, staging, room }, this.rank, parts);
    byPlan.set(plan, bound);
    return bound;
  }

  /** Memory of the device for parts that are combined; beside each other where their messages are. */
  private roomOf(staging: Staging): (bytes: number) => Memory {
    return (bytes) => {
      const memories = this.memories.get(staging) ?? [];
      this.memories.set(staging, memories);
      const known = memories.find((memory) => memory.bytes >= bytes);
      if (known !== undefined) return known;
      const made = this.device.allocate(roomy(bytes));
      memories.push(made);
      return made;
    };
  }
}
