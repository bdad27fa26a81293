import type { Device, Launch, Memory, Spill, World } from '../machine/index.ts';
import type { LocalValue, Plan } from '../plan/index.ts';
import type { RankTensors } from './rank-tensors.ts';
import type { Variables } from './variables.ts';

/** What a plan is bound to. */
export interface Binding {
  readonly plan: Plan;
  readonly device: Device;
  readonly rank: number;
  readonly variables: Variables;
  /** At least the bytes of the plan's process; its ranks share it, and programs that never run at once may. */
  readonly arena: Memory;
  /** Gives at least the plan's bytes of it. */
  readonly spill: () => Spill;
  /** In which other ranks may run at the same time, in processes of their own. */
  readonly world: World;
  /** From level 2 on every step is told on the terminal. */
  readonly debug: number;
}

/**
 * The kernels of a plan on one rank, by place, as a device prepares them; what they need is freed with `own`. Raises the first error
 * when none is being prepared any more.
 */
export async function prepareKernels(
  { plan, device, rank }: Binding,
  tensors: RankTensors,
  own: Memory,
): Promise<ReadonlyMap<number, Launch>> {
  const pending = plan.steps.flatMap((step, place) =>
    step.kind === 'kernel'
      ? [
          async () => {
            const { scratch } = plan.memory.list[place];
            const tensorOf = (value: LocalValue) => tensors.of(value, place);
            const room = scratch && tensors.at(scratch, place);
            return [place, await device.prepare(step, rank, tensorOf, own, room)] as const;
          },
        ]
      : [],
  );
  const all = await Promise.allSettled(pending.map((prepare) => prepare()));
  return new Map(
    all.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    }),
  );
}
