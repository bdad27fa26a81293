import { type Graph, HalomeshError, sameBox } from '../../core/index.ts';
import { type Shape3, type VoxelBox, voxelCount, wholeBox } from '../../imaging/index.ts';
import type { Processes } from '../../machine/index.ts';
import { makePlan, type Plan, partition, predictPeak } from '../../plan/index.ts';
import { meshOf, type TrainConfig } from '../config/config.ts';
import { fittingPlan, softBytes } from '../config/memory-room.ts';
import { predictionGraph, scoreCount, targetOf, withinMemory } from '../config/model.ts';
import { blocksWithin, refusesBlocks } from './blocks.ts';
import { voxelBox } from './volume-parts.ts';

// How a volume is segmented. It is chosen before anything runs, from sizes and limits alone.

/** What is to be segmented, by which network, and where. */
export interface Asked {
  /** Of the network; where its work is split, by numbers. */
  readonly config: TrainConfig;
  readonly classes: number;
  readonly shape: Shape3;
  /** Ways to turn the volume around: 1 where it is taken as it is. */
  readonly flips: number;
  /** Whether probabilities are computed, for themselves or for their mean. */
  readonly soft: boolean;
  /** Bytes of volumes that the process holds meanwhile. */
  readonly hostBytes: number;
  readonly processes: Pick<Processes, 'ranks' | 'machines' | 'index'>;
  /** Bytes that a process may take where the config has no limit. */
  readonly freeBytes: number;
  /** The plan of the whole volume by all ranks, where choosing the split has made it. */
  readonly plan?: Plan;
}

/** What a volume is segmented by: the ranks of a mesh together, or one rank block by block. */
export interface Way {
  /** With the parts that a memory limit asks for. */
  readonly config: TrainConfig;
  /** Of the whole volume. */
  readonly graph: Graph;
  /** What this process computes in blocks, each without the others; absent where a mesh computes the whole. */
  readonly blocks?: readonly VoxelBox[];
  /** The part of the volume that they make up together. */
  readonly box?: VoxelBox;
  /** Plans that were made: of the whole volume under `whole`, of blocks under {@link blockKey}. */
  readonly plans: Map<string, Plan>;
}

export const blockKey = ({ start, end }: VoxelBox): string => `${start.join(',')}-${end.join(',')}`;

/**
 * The whole volume in one pass where memory allows it, else in blocks, or, where the network has none, in parts that take turns. All
 * give the same bits. Raises an error where none fits.
 */
export function chooseWay(asked: Asked): Way {
  const { config, classes, shape, soft } = asked;
  const { graph } = predictionGraph(config, classes, shape, soft);
  return asked.processes.ranks.length > 1 ? ofSeveral(asked, graph) : ofOne(asked, graph);
}

function ofOne(asked: Asked, graph: Graph): Way {
  const { config, shape, freeBytes } = asked;
  const { mesh, layout } = meshOf(config);
  if (mesh.size > 1) return { config, graph, plans: new Map() };
  const bytes = bytesBeside(asked, graph)(voxelCount(shape));
  const whole = makePlan(graph, mesh, layout, targetOf(config));
  if (predictPeak(whole, bytes) <= (config.memoryLimit ?? freeBytes)) return inOnePass(config, graph, whole);
  if (refusesBlocks(graph) === undefined) return inBlocks(asked, graph, wholeBox(shape), whole);
  const fitted = withinMemory(config, () => [{ graph, hostBytes: bytes }]);
  return inOnePass(fitted.config, graph, fitted.plans?.[0] ?? whole);
}

function ofSeveral(asked: Asked, graph: Graph): Way {
  const { config, shape, flips, processes } = asked;
  const { ranks, index } = processes;
  const refusal = refusesBlocks(graph);
  if (flips > 1 && refusal !== undefined)
    throw new HalomeshError({ where: 'flips', problem: refusal, hint: 'Predict with one process' });
  // Where blocks are refused, what does not fit is refused when it is loaded.
  if (refusal !== undefined) return { config, graph, plans: new Map() };
  // The mirrored parts of a volume lie on other ranks; a block of its own lets each rank do without them.
  const bytes = bytesBeside(asked, graph)(voxelCount(shape));
  // A limit counts other bytes beside the tensors than the choice of a split did: all processes need the same plan.
  const known = config.memoryLimit === undefined ? asked.plan : undefined;
  const plan = flips > 1 ? undefined : (known ?? fittingPlan(graph, config, processes, bytes));
  if (plan !== undefined) return inOnePass(config, graph, plan);
  const { mesh, layout } = meshOf(config);
  const { own } = partition(graph, mesh, layout).outputs.get('labels')!;
  const [rank] = ranks[index];
  // What several ranks hold alike the first of them computes.
  if (own.findIndex((box) => sameBox(box, own[rank])) !== rank)
    return { config, graph, blocks: [], plans: new Map() };
  return inBlocks(asked, graph, voxelBox(own[rank]));
}

const inOnePass = (config: TrainConfig, graph: Graph, plan: Plan): Way => ({
  config,
  graph,
  plans: new Map([['whole', plan]]),
});

function inBlocks(asked: Asked, graph: Graph, box: VoxelBox, whole?: Plan): Way {
  const { config, freeBytes } = asked;
  const { blocks, planned } = blocksWithin({
    ...{ graph, box, whole, target: targetOf(config) },
    limit: config.memoryLimit ?? freeBytes,
    hostBytes: bytesBeside(asked, graph),
  });
  return {
    config: { ...config, split: undefined, mesh: {}, layout: {} },
    ...{ graph, blocks, box },
    plans: new Map(planned && [[blockKey(planned.block), planned.plan]]),
  };
}

/** Bytes of volumes that the process holds while it computes a part of so many voxels. */
function bytesBeside({ config, flips, classes, hostBytes }: Asked, graph: Graph): (voxels: number) => number {
  return (voxels) => hostBytes + softBytes(graph, flips, scoreCount(config, classes)) * voxels;
}
