import { HalomeshError } from '../core/index.ts';
import { yieldToEvents } from '../machine/event-loop.ts';
import type { World } from '../machine/index.ts';
import type { Executable } from './executable.ts';
import type { CollectiveMember } from './rank-tensors.ts';
import { describeStep } from './trace.ts';
import { Tracer } from './tracer.ts';

/** Milliseconds that kernels run before the process may do something else. */
const TURN = 100;

/** When the process last had a turn. */
let rested = performance.now();

/**
 * The ranks of one process, run in turn: between two collectives each rank runs all its steps, so that at any time one rank alone
 * uses the arena that they share; the memory plan counts on this order.
 */
export class Turns {
  private readonly executables: readonly Executable[];
  private readonly world: World;
  /** Collectives that nothing runs beside, by place. */
  private readonly collectives = new Map<number, () => Promise<void> | void>();

  constructor(executables: readonly Executable[], world: World) {
    this.executables = executables;
    this.world = world;
    const [{ plan }] = executables;
    for (const [place, { kind }] of plan.steps.entries()) {
      const members = kind === 'collective' ? executables.map((e) => e.member(place)) : [];
      const found = members.filter((member) => member !== undefined);
      if (found.length > 0) this.collectives.set(place, this.bind(found));
    }
  }

  private bind(members: readonly CollectiveMember[]): () => Promise<void> | void {
    const [{ label, plan }] = members;
    const from = members.map((member) => member.from);
    const to = members.map((member) => member.to);
    return plan.kind === 'exchange'
      ? () => this.world.exchange(label, plan, from, to)
      : () => this.world.allReduce(label, plan, to);
  }

  /** Runs the program once. */
  async run(tracer?: Tracer): Promise<void> {
    await this.runAll(tracer);
    for (const { teller } of this.executables) if (teller.tells(tracer)) await teller.end();
  }

  private async runAll(tracer?: Tracer): Promise<void> {
    const { steps } = this.executables[0].plan;
    for (const executable of this.executables) await executable.begin(tracer);
    for (let place = 0; place < steps.length; ) {
      const start = place;
      const collective = this.collectives.get(place);
      if (collective !== undefined) await this.told(collective, place, tracer);
      do place++;
      while (place < steps.length && !this.collectives.has(place));
      for (const executable of this.executables) await this.stretch(executable, start, place, tracer);
    }
  }

  /** The steps of one rank at the places [start, end). */
  private async stretch(executable: Executable, start: number, end: number, tracer?: Tracer): Promise<void> {
    for (let at = start; at < end; at++) {
      try {
        const pending = executable.step(at, tracer);
        if (pending) await pending;
      } catch (error) {
        throw this.world.processes.ranks.length > 1 ? inStep(error, executable, at) : error;
      }
      // Kernels hold the thread.
      if (performance.now() - rested < TURN) continue;
      await yieldToEvents();
      rested = performance.now();
    }
  }

  /** A collective with what traces tell of it: each rank did its share of the work, and waited for the rest. */
  private async told(collective: () => Promise<void> | void, place: number, given?: Tracer): Promise<void> {
    const [{ teller }] = this.executables;
    if (!teller.tells(given)) return collective();
    const timed = await teller.timed(collective, true);
    for (const one of this.executables)
      one.teller.tell(given ?? new Tracer(), place, timed, { ranks: this.executables.length });
  }
}

/** Beside other processes an error must say where it arose: its stack is far away. */
function inStep(error: unknown, { plan, rank }: Executable, at: number): HalomeshError {
  const { name, scope } = describeStep(plan.memory.list[at], rank);
  const problem = error instanceof Error ? error.message : String(error);
  return new HalomeshError(
    { where: `step #${at} (${`${name} ${scope}`.trim()})`, problem },
    { cause: error },
  );
}
