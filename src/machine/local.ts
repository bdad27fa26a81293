import { type AllReducePlan, allReduceSent, type ExchangePlan, transferBytes } from '../plan/index.ts';
import type { Device, Tensor } from './device.ts';
import { Prepared } from './prepared.ts';
import type { Processes, Traffic, World } from './world.ts';

/** This process, which runs all ranks. */
export function alone(ranks: number): Processes {
  return {
    ranks: [Array.from({ length: ranks }, (_, rank) => rank)],
    index: 0,
    locate: async () => new Array<number>(ranks).fill(0),
    share: async (_label, text) => [text],
    deliver: async () => undefined,
    world: (device) => new LocalWorld(device, ranks),
  };
}

/** All ranks in one process: a collective is done at once, for all of them. */
export class LocalWorld implements World {
  readonly size: number;
  readonly processes: Processes;
  readonly traffic: Traffic = { exchangeBytes: 0, allReduceBytes: 0, messages: 0 };
  private readonly device: Device;
  private readonly launches = new Prepared();

  constructor(device: Device, size: number) {
    this.device = device;
    this.size = size;
    this.processes = alone(size);
  }

  exchange(
    _label: string,
    { transfers }: ExchangePlan,
    from: readonly Tensor[],
    to: readonly Tensor[],
  ): void {
    for (const { from: sender, to: receiver, box } of transfers) {
      const source = from[sender];
      const target = to[receiver];
      this.launches.of([box, source, target], () => this.device.copy(target, source, box)).run();
      if (sender === receiver) continue;
      this.traffic.exchangeBytes += transferBytes(source, box);
      this.traffic.messages++;
    }
  }

  allReduce(_label: string, plan: AllReducePlan, tensors: readonly Tensor[]): void {
    for (const group of plan.groups) {
      const list = group.map((rank) => tensors[rank]);
      this.launches.of([plan, ...list], () => this.device.combine(list, plan.combine)).run();
      const sent = allReduceSent(plan, group, list[0], list[0].box);
      this.traffic.allReduceBytes += sent.bytes;
      this.traffic.messages += sent.messages;
    }
  }

  /** No other process is waited for. */
  async barrier(): Promise<void> {}

  /** Nothing is held: messages are copies. */
  close(): void {}
}
