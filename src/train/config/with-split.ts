import type { Graph } from '../../core/index.ts';
import type { Shape3 } from '../../imaging/index.ts';
import { type Processes, stepCosts } from '../../machine/index.ts';
import type { Plan, Sizes } from '../../plan/index.ts';
import { agreedSplit } from '../../run/index.ts';
import { splitMesh, type TrainConfig } from './config.ts';
import { speedsOf } from './machine-file.ts';
import { targetOf } from './model.ts';

export interface SplitFor {
  readonly shape: Shape3;
  readonly batch: number;
  /** The graph for volumes of a shape. */
  readonly graph: (shape: Shape3, batch: number) => Graph;
  readonly hostBytes: number;
  /** Ranks to share the work; by default as many as there are processes. */
  readonly ranks?: number;
  readonly processes?: Processes;
}

/** A config whose split is no longer `auto`. */
export interface Placed {
  readonly config: TrainConfig;
  /** Why this split was chosen, in one line; absent where it was given. */
  readonly why?: string;
  /** The plan that it was chosen by, of the graph, where this process has made it for all ranks. */
  readonly plan?: Plan;
}

/** A config whose split is `auto`, with the mesh and layout that are chosen for it; any other as it is. */
export async function withSplit(
  config: TrainConfig,
  { shape, batch, graph, hostBytes, processes, ranks = processes?.ranks.length ?? 1 }: SplitFor,
): Promise<Placed> {
  if (config.split !== 'auto') return { config };
  const [depth, height, width] = shape;
  const target = targetOf(config);
  const choice = {
    graph: (sizes: Sizes) => graph([sizes.depth, sizes.height, sizes.width], sizes.batch),
    sizes: { batch, depth, height, width },
    stride: 2 ** (config.levels - 1),
    target,
    costs: () => stepCosts(config.device, target, () => speedsOf()),
    threads: config.threads,
    memoryLimit: config.memoryLimit,
    ranks,
    hostBytes,
  };
  const { parts, text, plan } = await agreedSplit(choice, processes);
  return { config: { ...config, split: parts, ...splitMesh(parts) }, why: text, plan };
}
