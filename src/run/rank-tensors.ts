import { fail } from '../core/index.ts';
import type { Device, Memory, Tensor } from '../machine/index.ts';
import type { AllReducePlan, Buffer, ExchangePlan, LocalValue, Plan } from '../plan/index.ts';
import type { Variables } from './variables.ts';

/** A time in which a buffer lies at one place. */
interface Stay {
  readonly from: number;
  readonly to: number;
  readonly tensor: Tensor;
}

/** Where the tensors of one rank lie, and when: in the arena by the plan, variables in memory of their own. */
export class RankTensors {
  private readonly plan: Plan;
  /** In the order of time. */
  private readonly stays = new Map<Buffer, readonly Stay[]>();

  constructor(plan: Plan, device: Device, rank: number, variables: Variables, arena: Memory) {
    this.plan = plan;
    for (const buffer of new Set([...plan.buffers.values(), ...plan.memory.placements.keys()])) {
      const placed = plan.memory.placements.get(buffer) ?? [];
      const stays = placed.map(({ from, to, offsets }) => ({
        from,
        to,
        tensor: device.tensor(arena, offsets[rank], buffer, buffer.boxes[rank]),
      }));
      const always = { from: -1, to: plan.steps.length };
      this.stays.set(
        buffer,
        buffer.variable === undefined
          ? stays
          : [{ ...always, tensor: variables.tensor(buffer.variable, rank) }],
      );
    }
  }

  /** The tensor of a value at a place of the schedule: -1 before a run, the number of steps after it. */
  of(value: LocalValue, place: number): Tensor {
    return this.at(this.plan.buffers.get(value)!, place);
  }

  at(buffer: Buffer, place: number): Tensor {
    const stay = this.stays.get(buffer)!.find(({ from, to }) => from <= place && place <= to);
    if (!stay) fail({ where: 'memory plan', problem: `buffer %${buffer.id} has no memory at step ${place}` });
    return stay!.tensor;
  }
}

/** The tensors of one rank in a collective. */
export interface CollectiveMember {
  readonly label: string;
  readonly plan: AllReducePlan | ExchangePlan;
  readonly from: Tensor;
  readonly to: Tensor;
}
