import { HalomeshError } from '../core/index.ts';
import type { World } from '../machine/index.ts';
import type { Executable } from './executable.ts';
import { rest } from './rest.ts';
import { describeStep } from './trace.ts';
import type { Tracer } from './tracer.ts';

/** Milliseconds that kernels run before the process may do something else. */
const TURN = 100;

/** When the process last had a turn. */
let rested = performance.now();

/**
 * Runs the ranks of one process. Between two collectives each rank in turn runs all its steps, so that at any time one rank
 * alone uses the arena that they share; the memory plan counts on this order.
 */
export async function runInTurns(
  executables: readonly Executable[],
  world: World,
  tracer?: Tracer,
): Promise<void> {
  const [{ plan }] = executables;
  const processes = world.processes.hosts.length;
  const byRank = new Map(executables.map((executable) => [executable.rank, executable]));
  const { steps } = plan;
  for (const executable of executables) await executable.begin(world.communicator(executable.rank), tracer);
  for (let place = 0; place < steps.length; ) {
    if (steps[place].kind === 'collective') {
      const at = place++;
      await world.run(async (communicator) => byRank.get(communicator.rank)!.step(at, communicator, tracer));
      continue;
    }
    const start = place;
    while (place < steps.length && steps[place].kind !== 'collective') place++;
    for (const executable of executables) {
      const communicator = world.communicator(executable.rank);
      for (let at = start; at < place; at++) {
        try {
          const pending = executable.step(at, communicator, tracer);
          if (pending) await pending;
        } catch (error) {
          throw processes > 1 ? inStep(error, executable, at) : error;
        }
        // Kernels hold the thread.
        if (performance.now() - rested < TURN) continue;
        await rest();
        rested = performance.now();
      }
    }
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
