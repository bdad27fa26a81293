import { freemem } from 'node:os';
import { type Graph, HalomeshError } from '../../core/index.ts';
import { type MemoryLimit, memoryLimits, shareOfMemory } from '../../files/index.ts';
import { alone, deviceEntry, type Processes } from '../../machine/index.ts';
import { makePlan, type Plan } from '../../plan/index.ts';
import { meshOf, type TrainConfig } from './config.ts';
import { targetOf } from './model.ts';

// What a segmentation takes on the host, and whether it fits.

/** Bytes a voxel that probabilities take on the host: those that come, and their sum over flips. */
export function softBytes(graph: Graph, flips: number, classes: number): number {
  if (!graph.outputs.has('probabilities')) return 1;
  return 4 * classes * (flips > 1 ? 2 : 1) + 1;
}

/** The plan of a graph for the ranks of a config's mesh together; undefined where it does not fit the config's limit. */
export function fittingPlan(
  graph: Graph,
  config: TrainConfig,
  { ranks: processRanks, machines }: Pick<Processes, 'ranks' | 'machines'>,
  hostBytes: number,
): Plan | undefined {
  const { mesh, layout } = meshOf(config);
  const { memoryLimit } = config;
  try {
    return makePlan(graph, mesh, layout, targetOf(config), {
      processRanks,
      machines,
      memoryLimit,
      hostBytes,
      thorough: false,
    });
  } catch (error) {
    if (error instanceof HalomeshError && error.complaint.where === 'memory limit') return undefined;
    throw error;
  }
}

/** Bytes that this process may hold: its part of a machine or container that it shares with others of `processes`. All call it. */
export async function grantedBytes(processes: Processes = alone(1)): Promise<number> {
  const own = memoryLimits();
  const all = await processes.share('limits of memory', JSON.stringify(own));
  return shareOfMemory(
    own,
    all.map((text) => JSON.parse(text) as readonly MemoryLimit[]),
  );
}

/**
 * Bytes that this process may still take of the memory that tensors lie in. Of the host's `granted` is what it may hold, and of several
 * processes each counts for itself what is free.
 */
export function availableBytes({ device }: TrainConfig, granted: number, processes: number): number {
  const own = deviceEntry(device).bytes?.();
  if (own !== undefined) return 0.9 * own;
  const { rss } = process.memoryUsage();
  return 0.9 * Math.min((freemem() + rss) / processes, granted);
}
