import type { Costs } from '../../plan/index.ts';
import { kernelClass } from './kernel-class.ts';
import { kernelTime, type Speeds } from './speeds.ts';

/** What a machine with these speeds takes. */
export function costsOf(speeds: Speeds): Costs {
  const alone = { threads: speeds.cores, ranksPerMachine: 1 };
  return {
    kernel: (kernel, work, sharing = alone) => kernelTime(speeds, kernelClass(kernel), work, sharing),
    link: speeds.link,
  };
}
