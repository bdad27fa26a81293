import { HalomeshError } from '../core/index.ts';
import {
  type AllReducePlan,
  allReduceBytes,
  allReduceMessages,
  type ExchangePlan,
  transferBytes,
} from '../plan/index.ts';
import type { Communicator, Processes, Traffic, World } from './communicator.ts';
import type { Device, Tensor } from './device.ts';
import { Prepared } from './prepared.ts';

/** This process, which runs all ranks. */
export function alone(ranks: number): Processes {
  return {
    hosts: [Array.from({ length: ranks }, (_, rank) => rank)],
    host: 0,
    share: async (_label, text) => [text],
    deliver: async () => undefined,
    world: (device) => new LocalWorld(device, ranks),
  };
}

interface Waiting {
  readonly members: readonly number[];
  readonly arrived: Map<
    number,
    { readonly tensors: readonly Tensor[]; resolve: () => void; reject: (error: unknown) => void }
  >;
  readonly perform: (tensors: ReadonlyMap<number, readonly Tensor[]>) => void;
}

/**
 * All ranks in one process: they run in turn, and a collective runs when the last rank that takes part arrives. When every
 * rank waits or has ended and nothing can complete, all fail at once with what each waits for.
 */
export class LocalWorld implements World {
  readonly size: number;
  readonly processes: Processes;
  readonly traffic: Traffic = { exchangeBytes: 0, allReduceBytes: 0, messages: 0 };
  private readonly device: Device;
  private readonly launches = new Prepared();
  private readonly waiting = new Map<string, Waiting>();
  private readonly state: ('running' | 'waiting' | 'ended')[];

  constructor(device: Device, size: number) {
    this.device = device;
    this.size = size;
    this.processes = alone(size);
    this.state = new Array<'ended'>(size).fill('ended');
  }

  /** Runs a program on every rank and returns their results; the first error ends all. */
  async run<T>(program: (communicator: Communicator) => Promise<T>): Promise<T[]> {
    this.state.fill('running');
    this.waiting.clear();
    const ranks = Array.from({ length: this.size }, (_, rank) => rank);
    return Promise.all(
      ranks.map(async (rank) => {
        try {
          const result = await program(this.communicator(rank));
          this.state[rank] = 'ended';
          this.checkProgress();
          return result;
        } catch (error) {
          this.state[rank] = 'ended';
          this.abort(error);
          throw error;
        }
      }),
    );
  }

  /** How a rank reaches the others; its calls complete while {@link run} runs. */
  communicator(rank: number): Communicator {
    const everyone = Array.from({ length: this.size }, (_, r) => r);
    return {
      rank,
      size: this.size,
      traffic: this.traffic,
      exchange: (label, plan, from, to) =>
        this.meet(`exchange ${label}`, rank, everyone, [from, to], (tensors) =>
          this.performExchange(plan, tensors),
        ),
      allReduce: (label, plan, tensor) => {
        const group = plan.groups.find((g) => g.includes(rank))!;
        return this.meet(
          `all_reduce ${label} of ranks ${group.join(',')}`,
          rank,
          group,
          [tensor],
          (tensors) => this.performAllReduce(plan, group, tensors),
        );
      },
      barrier: (label) => this.meet(`barrier ${label}`, rank, everyone, [], () => undefined),
    };
  }

  /** Nothing is held: messages are copies. */
  close(): void {}

  private meet(
    label: string,
    rank: number,
    members: readonly number[],
    tensors: readonly Tensor[],
    perform: Waiting['perform'],
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let waiting = this.waiting.get(label);
      if (!waiting) {
        waiting = { members, arrived: new Map(), perform };
        this.waiting.set(label, waiting);
      }
      waiting.arrived.set(rank, { tensors, resolve, reject });
      this.state[rank] = 'waiting';
      if (waiting.arrived.size === members.length) this.complete(label, waiting);
      else this.checkProgress();
    });
  }

  private complete(label: string, waiting: Waiting): void {
    this.waiting.delete(label);
    try {
      waiting.perform(new Map([...waiting.arrived].map(([rank, { tensors }]) => [rank, tensors])));
    } catch (error) {
      this.abort(error);
      for (const { reject } of waiting.arrived.values()) reject(error);
      return;
    }
    for (const member of waiting.members) this.state[member] = 'running';
    for (const { resolve } of waiting.arrived.values()) resolve();
  }

  private performExchange(plan: ExchangePlan, tensors: ReadonlyMap<number, readonly Tensor[]>): void {
    for (const { from, to, box } of plan.transfers) {
      const source = tensors.get(from)![0];
      const target = tensors.get(to)![1];
      this.launches.of([box, source, target], () => this.device.copy(target, source, box)).run();
      if (from === to) continue;
      this.traffic.exchangeBytes += transferBytes(source, box);
      this.traffic.messages++;
    }
  }

  private performAllReduce(
    plan: AllReducePlan,
    group: readonly number[],
    tensors: ReadonlyMap<number, readonly Tensor[]>,
  ): void {
    const list = group.map((rank) => tensors.get(rank)![0]);
    this.launches.of([plan, ...list], () => this.device.combine(list, plan.combine)).run();
    this.traffic.allReduceBytes += allReduceBytes(group.length, transferBytes(list[0], list[0].box));
    this.traffic.messages += allReduceMessages(list[0], list[0].box, group);
  }

  /** Fails everyone when nobody can go on. */
  private checkProgress(): void {
    if (this.state.includes('running') || this.waiting.size === 0) return;
    const stuck = [...this.waiting].map(([label, { members, arrived }]) => {
      const missing = members.filter((m) => !arrived.has(m));
      return `${label}: ranks ${[...arrived.keys()].join(',')} wait for ${missing.join(',')}`;
    });
    this.abort(
      new HalomeshError({
        where: 'local communicator',
        problem: `no rank can go on (${stuck.join('; ')})`,
        hint: 'All ranks must run the same collectives in the same order',
      }),
    );
  }

  private abort(error: unknown): void {
    const pending = [...this.waiting.values()];
    this.waiting.clear();
    for (const { arrived } of pending) for (const { reject } of arrived.values()) reject(error);
  }
}
