import { performance } from 'node:perf_hooks';
import type { World } from '../machine/index.ts';
import type { Executable } from './executable.ts';
import { rest } from './rest.ts';
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
  const byRank = new Map(executables.map((executable) => [executable.rank, executable]));
  const { steps } = plan;
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
        const pending = executable.step(at, communicator, tracer);
        if (pending) await pending;
        // Kernels hold the thread.
        if (performance.now() - rested < TURN) continue;
        await rest();
        rested = performance.now();
      }
    }
  }
}
