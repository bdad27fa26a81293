import {
  type Box,
  evenCuts,
  fail,
  type Graph,
  HalomeshError,
  mesh,
  range,
  volume,
} from '../../core/index.ts';
import { type Shape3, voxelCount } from '../../imaging/volume/volume.ts';
import { boxShape, type VoxelBox } from '../../imaging/volume/voxel-source.ts';
import {
  makePlan,
  type Plan,
  partitionRegion,
  predictPeak,
  type Region,
  showLimit,
  type Target,
} from '../../plan/index.ts';

// Segmentation in blocks. Each block of the labels is computed by a program of its own, which reads what the network's windows
// reach around it (plan/split/region.ts), so blocks need not know of each other and the result has the bits of one pass over all.

/** Blocks along an axis that are tried. */
const COUNTS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];

/** Blocks of fewer voxels along an axis would compute little but margins. */
const LEAST_EXTENT = 8;

/** A block needs at least this share of what the volume needs for as many voxels as the block reads. */
const LEAST_SHARE = 0.6;

/** The smallest blocks, of which so many are planned to tell what is needed where none fits. */
const SMALLEST = 4;

export interface BlockRoom {
  /** Graph of the prediction of the whole volume. */
  readonly graph: Graph;
  /** The part of the volume that is wanted. */
  readonly box: VoxelBox;
  readonly target: Target;
  /** The plan of the whole volume, where it was made. */
  readonly whole?: Plan;
  /** Resident bytes of the process at most. */
  readonly limit: number;
  /** Bytes of volumes that it holds beside the tensors while it computes a block of so many voxels. */
  readonly hostBytes: (blockVoxels: number) => number;
}

/** The outputs of a prediction graph in a block. */
export function regionOf(graph: Graph, { start, end }: VoxelBox): Region {
  const labels: Box = [range(0, 1), ...start.map((from, axis) => range(from, end[axis]))];
  const classes = graph.outputs.get('probabilities')?.shape.at(-1)?.size;
  return classes === undefined ? { labels } : { labels, probabilities: [...labels, range(0, classes)] };
}

/** Blocks, and the one of them that was planned. */
export interface Blocks {
  readonly blocks: readonly VoxelBox[];
  readonly planned: { readonly block: VoxelBox; readonly plan: Plan };
}

/**
 * Blocks with which the segmentation of a box stays within a limit, such that little is computed twice: the box itself where it
 * fits. Depth is outermost. Throws HalomeshError where not even small blocks fit, and for a network that has no blocks.
 */
export function blocksWithin({ graph, box, target, limit, hostBytes, whole }: BlockRoom): Blocks {
  const shape = boxShape(box);
  const voxels = volume(graph.outputs.get('labels')!.shape);
  const planned = (block: VoxelBox) =>
    makePlan(graph, mesh({}), {}, target, { region: regionOf(graph, block) });
  const peakOf = (plan: Plan, block: VoxelBox): number =>
    predictPeak(plan, hostBytes(voxelCount(boxShape(block))));
  const plan = (voxelCount(shape) === voxels && whole) || planned(box);
  const most = peakOf(plan, box);
  if (most <= limit) return { blocks: [box], planned: { block: box, plan } };

  // What the tensors alone may take, and what they take for a voxel of the whole volume.
  const all = whole ?? makePlan(graph, mesh({}), {}, target);
  const [arenaBytes] = all.memory.arenaBytes;
  const room = limit - (predictPeak(all, hostBytes(0)) - arenaBytes);
  const perVoxel = arenaBytes / voxels;
  const margin = marginOf(graph, box);
  const candidates = COUNTS.flatMap((a) => COUNTS.flatMap((b) => COUNTS.map((c): Shape3 => [a, b, c])))
    .filter((cuts) => voxelCount(cuts) > 1)
    .filter((cuts) => cuts.every((n, axis) => n === 1 || shape[axis] >= n * LEAST_EXTENT))
    .map((cuts) => {
      const read = shape.reduce((n, size, i) => n * Math.min(size, Math.ceil(size / cuts[i]) + margin[i]), 1);
      return { cuts, read, work: read * voxelCount(cuts) };
    })
    .sort((a, b) => a.work - b.work);
  const worth = (read: number): number => LEAST_SHARE * read * perVoxel;
  for (const { cuts, read } of candidates) {
    if (worth(read) > room) continue;
    const blocks = cutInto(box, cuts);
    const block = middleOf(blocks, cuts);
    const plan = planned(block);
    if (peakOf(plan, block) <= limit) return { blocks, planned: { block, plan } };
  }
  const smallest = [...candidates].sort((a, b) => a.read - b.read).slice(0, SMALLEST);
  const needs = smallest.map(({ cuts, read }) => {
    const block = middleOf(cutInto(box, cuts), cuts);
    return Math.max(peakOf(planned(block), block), limit - room + worth(read));
  });
  return fail({
    where: 'memory limit',
    problem: 'not even small blocks of the volume fit',
    expected: `at least ${showLimit(needs.reduce((a, b) => Math.min(a, b), most))}`,
    found: showLimit(limit),
    hint: 'Raise --memory-limit',
  });
}

/** The block with margin on all sides, where there is one; larger blocks come first. */
function middleOf(blocks: readonly VoxelBox[], cuts: Shape3): VoxelBox {
  const at = cuts.map((n) => (n > 2 ? 1 : 0));
  return blocks[(at[0] * cuts[1] + at[1]) * cuts[2] + at[2]];
}

/** Voxels that a block in the middle reads beside itself along each axis. */
function marginOf(graph: Graph, { start, end }: VoxelBox): number[] {
  const middle = start.map((from, axis) => Math.floor((from + end[axis]) / 2)) as unknown as Shape3;
  const next = middle.map((at) => at + 1) as unknown as Shape3;
  const program = partitionRegion(graph, regionOf(graph, { start: middle, end: next }));
  const [, ...read] = program.inputs.get('image')!.own[0];
  return [0, 1, 2].map((axis) => read[axis].end - read[axis].start - 1);
}

/** A box in blocks of nearly one size. */
export function cutInto({ start, end }: VoxelBox, cuts: Shape3): VoxelBox[] {
  const edges = start.map((from, axis) => evenCuts(end[axis] - from, cuts[axis]).map((cut) => from + cut));
  const boxes: VoxelBox[] = [];
  for (let k = 0; k < cuts[0]; k++)
    for (let j = 0; j < cuts[1]; j++)
      for (let i = 0; i < cuts[2]; i++) {
        const at = (n: 0 | 1): Shape3 => [edges[0][k + n], edges[1][j + n], edges[2][i + n]];
        boxes.push({ start: at(0), end: at(1) });
      }
  return boxes;
}

/** Why a network cannot be computed in blocks; undefined where it can. */
export function refusesBlocks(graph: Graph): string | undefined {
  const [, ...size] = graph.outputs.get('labels')!.shape.map((dim) => dim.size);
  const end = size.map((n) => Math.ceil(n / 2)) as unknown as Shape3;
  try {
    partitionRegion(graph, regionOf(graph, { start: [0, 0, 0], end }));
    return undefined;
  } catch (error) {
    if (error instanceof HalomeshError) return error.message;
    throw error;
  }
}
