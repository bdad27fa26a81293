import type { Graph } from '../../core/index.ts';
import type { Shape3 } from '../../imaging/index.ts';
import { costsOf, type Processes } from '../../machine/index.ts';
import type { Sizes } from '../../plan/index.ts';
import { autoSplit } from '../../run/index.ts';
import { splitMesh, type TrainConfig } from './config.ts';
import { speedsOf } from './machine-file.ts';
import { predictionGraph, targetOf } from './model.ts';

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

/** A config whose split is `auto`, with the mesh and layout that are chosen for it and why; any other as it is. */
export async function withSplit(
  config: TrainConfig,
  { shape, batch, graph, hostBytes, processes, ranks = processes?.hosts.length ?? 1 }: SplitFor,
): Promise<{ readonly config: TrainConfig; readonly why?: string }> {
  if (config.split !== 'auto') return { config };
  const [depth, height, width] = shape;
  const { parts, text } = await autoSplit({
    graph: (sizes: Sizes) => graph([sizes.depth, sizes.height, sizes.width], sizes.batch),
    sizes: { batch, depth, height, width },
    stride: 2 ** (config.levels - 1),
    target: targetOf(config),
    costs: () => costsOf(speedsOf()),
    threads: config.threads,
    memoryLimit: config.memoryLimit,
    ranks,
    processes,
    hostBytes,
  });
  return { config: { ...config, split: parts, ...splitMesh(parts) }, why: text };
}

/** {@link withSplit} for the segmentation of a volume of a shape. */
export function predictionSplit(
  { config, classes, processes }: { config: TrainConfig; classes: readonly string[]; processes?: Processes },
  shape: Shape3,
  hostBytes: number,
): ReturnType<typeof withSplit> {
  const graph = (size: Shape3) => predictionGraph(config, classes.length, size).graph;
  return withSplit(config, { shape, batch: 1, graph, hostBytes, processes });
}
