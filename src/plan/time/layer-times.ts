import { isEmpty } from '../../core/index.ts';
import type { Plan } from '../plan.ts';
import { kernelWork, type Sharing } from './costs.ts';

/** What the kernels of a layer are expected to take. */
export interface LayerTime {
  readonly layer: string;
  readonly seconds: number;
}

/**
 * Seconds that the kernels of each layer are expected to take in a run of a plan, on the rank that takes longest for the layer, without
 * what waits for other ranks; in the order in which the layers first run. A kernel belongs to the layer of its anchor.
 */
export function layerTimes(plan: Plan, sharing?: Sharing): LayerTime[] {
  const ranks = Array.from({ length: plan.program.mesh.size }, (_, rank) => rank);
  const seconds = new Map<string, number[]>();
  for (const step of plan.steps) {
    if (step.kind !== 'kernel') continue;
    const { name } = step.anchor ?? step.nodes[step.nodes.length - 1];
    const sums = seconds.get(name) ?? ranks.map(() => 0);
    for (const rank of ranks)
      if (step.nodes.some((node) => !isEmpty(node.loops[rank])))
        sums[rank] += plan.target.costs.kernel(step, kernelWork(step, rank), sharing);
    seconds.set(name, sums);
  }
  return [...seconds].map(([layer, sums]) => ({ layer, seconds: Math.max(...sums) }));
}
