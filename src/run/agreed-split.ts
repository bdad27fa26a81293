import type { Processes } from '../machine/index.ts';
import { type ChosenSplit, chooseSplit, type SplitChoice } from '../plan/index.ts';
import { together } from './agree.ts';

/**
 * The split that process 0 chooses ({@link chooseSplit}), the same on all; all processes call it. Process 0 alone gets the plan of
 * it: the others make their own.
 */
export async function agreedSplit(
  options: SplitChoice,
  processes: Processes | undefined,
): Promise<ChosenSplit> {
  if (processes === undefined || options.ranks === 1) return chooseSplit(options);
  const machines = await processes.locate();
  const most = Math.max(...machines.map((one) => machines.filter((other) => other === one).length));
  const own = await together(processes, 'choice of a split', () =>
    processes.index === 0 ? chooseSplit({ ...options, machines: processes.machines }, most) : undefined,
  );
  const [first] = await processes.share('split', JSON.stringify({ parts: own?.parts, text: own?.text }));
  return { ...(JSON.parse(first) as Omit<ChosenSplit, 'plan'>), plan: own?.plan };
}
