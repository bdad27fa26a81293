import { fail } from '../../core/index.ts';
import type { AllReducePlan, ExchangePlan } from '../../plan/index.ts';
import type { Communicator, Processes, Traffic, World } from '../communicator.ts';
import type { Device, Memory, Tensor } from '../device.ts';
import { BoundAllReduce, BoundExchange } from './bound.ts';
import type { Post } from './post.ts';
import { roomy } from './staging.ts';

/** The rank of this process, with its tensors on a device, beside the ranks of the others. */
export class MpiWorld implements World {
  readonly size: number;
  readonly processes: Processes;
  readonly traffic: Traffic = { exchangeBytes: 0, allReduceBytes: 0, messages: 0 };
  private readonly device: Device;
  private readonly post: Post;
  private readonly exchanges = new WeakMap<Tensor, Map<ExchangePlan, Map<Tensor, BoundExchange>>>();
  private readonly reductions = new WeakMap<Tensor, Map<AllReducePlan, BoundAllReduce>>();
  /** Room on the device for what others send to be combined; reductions run one after the other and use the same bytes. */
  private readonly memories: Memory[] = [];

  constructor(processes: Processes, device: Device, post: Post) {
    this.processes = processes;
    this.size = processes.hosts.length;
    this.device = device;
    this.post = post;
  }

  private get rank(): number {
    return this.processes.host;
  }

  async run<T>(program: (communicator: Communicator) => Promise<T>): Promise<T[]> {
    return [await program(this.communicator(this.rank))];
  }

  communicator(rank: number): Communicator {
    const { post, size, traffic } = this;
    if (rank !== this.rank)
      fail({ where: `rank ${this.rank}`, problem: `rank ${rank} runs in another process` });
    const { mpi } = post;
    return {
      rank,
      size,
      traffic,
      exchange: async (label, plan, from, to) => {
        const bound = this.exchangeOf(plan, from, to);
        const what = `exchange ${label}`;
        const batch = bound.start(mpi, post.tag(what, bound.awaited), traffic);
        await post.done(what, batch, bound.awaited);
        bound.finish();
      },
      allReduce: async (label, plan, tensor) => {
        const bound = this.allReduceOf(plan, tensor);
        const what = `all_reduce ${label}`;
        const tag = post.tag(what, bound.awaited);
        await post.done(what, bound.start(mpi, tag, traffic), bound.awaited);
        await post.done(what, bound.middle(mpi, tag), bound.awaited);
        bound.finish();
      },
      barrier: (label) => post.barrier(label),
    };
  }

  private exchangeOf(plan: ExchangePlan, from: Tensor, to: Tensor): BoundExchange {
    const byPlan = this.exchanges.get(to) ?? new Map<ExchangePlan, Map<Tensor, BoundExchange>>();
    this.exchanges.set(to, byPlan);
    const byFrom = byPlan.get(plan) ?? new Map<Tensor, BoundExchange>();
    byPlan.set(plan, byFrom);
    const bound =
      byFrom.get(from) ?? new BoundExchange(this.device, this.post.staging, this.rank, plan, { from, to });
    byFrom.set(from, bound);
    return bound;
  }

  private allReduceOf(plan: AllReducePlan, tensor: Tensor): BoundAllReduce {
    const byPlan = this.reductions.get(tensor) ?? new Map<AllReducePlan, BoundAllReduce>();
    this.reductions.set(tensor, byPlan);
    const bound = byPlan.get(plan) ?? this.bindAllReduce(plan, tensor);
    byPlan.set(plan, bound);
    return bound;
  }

  private bindAllReduce(plan: AllReducePlan, tensor: Tensor): BoundAllReduce {
    const room = (bytes: number): Memory => this.memory(bytes);
    return new BoundAllReduce(
      { device: this.device, staging: this.post.staging, room },
      this.rank,
      plan,
      tensor,
    );
  }

  private memory(bytes: number): Memory {
    const known = this.memories.find((memory) => memory.bytes >= bytes);
    if (known !== undefined) return known;
    const made = this.device.allocate(roomy(bytes));
    this.memories.push(made);
    return made;
  }
}
