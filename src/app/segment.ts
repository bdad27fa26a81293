import { type Box, fail, type Graph, HalomeshError, mesh, type StopSignal } from '../core/index.ts';
import type { ScanSource } from '../imaging/preprocess/held-scan.ts';
import { restoreLabels } from '../imaging/preprocess/prepared-grid.ts';
import { putBox } from '../imaging/volume/box-copy.ts';
import { asValues } from '../imaging/volume/label-codes.ts';
import { type Grid, type Shape3, type Volume, voxelCount, voxelVolume } from '../imaging/volume/volume.ts';
import { type VoxelBox, wholeBox } from '../imaging/volume/voxel-source.ts';
import type { Device } from '../machine/device.ts';
import { bytes, makePlan, type Plan, predictPeak, type Target } from '../plan/index.ts';
import { type Feed, type Loaded, Session } from '../run/index.ts';
import { blocksWithin, refusesBlocks, regionOf } from '../train/predict/blocks.ts';
import { voxelBox } from '../train/predict/volume-parts.ts';
import { type OpenWebRun, type WebRun, webGraph } from '../train/record/web-run.ts';
import { interleaved } from '../train/samples/interleaved.ts';
import { readSlices } from '../train/samples/slices.ts';

// Segments a scan by a run that was exported for pages, by one device in this process: in one pass where the budget allows it, else in
// blocks or, of a network that has none, in parts that take turns. All give the same bits.

export interface SegmentSettings {
  readonly device: Device;
  /** Bytes that scan, labels and the device's memory may take together. */
  readonly budget: number;
  /** Called before the first pass of the network and after each one. */
  readonly onPass?: (progress: Passes) => void;
  /** Ends it between two passes, with the signal's reason as the error. */
  readonly signal?: StopSignal;
}

export interface Passes {
  readonly done: number;
  readonly all: number;
  /** Bytes that are taken: of the device, the scan and its labels. */
  readonly bytes: number;
}

/** A class, or region, that was looked for. */
export interface FoundClass {
  readonly name: string;
  readonly voxels: number;
  readonly millilitres: number;
}

export interface Segmentation {
  /** Values of the classes, on the grid of the scan's file. */
  readonly labels: Volume<Uint8Array>;
  /** All but the background. */
  readonly found: readonly FoundClass[];
  /** Passes of the network. */
  readonly passes: number;
  /** What the plan told that the device takes at most, bytes. */
  readonly predictedBytes: number;
}

/** What is computed one after the other, in a session over these ranks. */
interface Way {
  readonly plan: Plan;
  /** Boxes of the labels, that of the plan first, since none takes more memory; absent where all is computed at once. */
  readonly blocks?: readonly VoxelBox[];
}

/** Segments a prepared scan. Throws HalomeshError where that does not fit the budget. */
export async function segmentScan(
  { run, weights }: OpenWebRun,
  source: ScanSource,
  { device, budget, onPass, signal }: SegmentSettings,
): Promise<Segmentation> {
  const { shape, geometry } = source;
  const voxels = voxelCount(shape);
  const beside = source.bytes + voxels;
  const { graph } = webGraph(run, shape);
  const { plan, blocks } = chooseWay(graph, device, budget, beside);
  const targets = blocks ?? [wholeBox(shape)];
  const tell = (done: number) => onPass?.({ done, all: targets.length, bytes: device.held + beside });
  const session = new Session({ device, mesh: plan.program.mesh, layout: plan.layout, seed: run.seed });
  const labels = new Uint8Array(voxels);
  const image = feedOf(run, source);
  let program: Loaded | undefined;
  try {
    for (const [n, target] of targets.entries()) {
      signal?.throwIfAborted();
      const region = blocks && regionOf(graph, target);
      const next = await session.load(n === 0 ? plan : graph, { region, idleRanks: true });
      // The next block's program is there before the last one's goes, so that the arena stays.
      program?.free();
      program = next;
      if (n === 0) {
        for (const name of session.variables.names()) session.variables.set(name, weights.get(name)!);
        tell(0);
      }
      const { labels: parts } = await program.runParts({ image }, ['labels']);
      for (const { box, data } of parts) putBox(labels, shape, voxelBox(box), data as Uint8Array);
      tell(n + 1);
    }
  } finally {
    program?.free();
    session.close();
  }
  const { data } = restoreLabels(labels, geometry);
  const values = asValues(data, run.classValues);
  const { original } = geometry;
  return {
    labels: { ...original, data: values },
    found: foundIn(run, values, original),
    passes: targets.length,
    predictedBytes: predictPeak(plan),
  };
}

/** `beside`: bytes of volumes that lie in memory meanwhile. */
function chooseWay(graph: Graph, device: Device, budget: number, beside: number): Way {
  const { target } = device;
  const granted = device.granted?.() ?? Number.POSITIVE_INFINITY;
  const limit = Math.min(budget - beside, granted);
  const whole = makePlan(graph, mesh({}), {}, target);
  if (predictPeak(whole) <= limit) return { plan: whole };
  try {
    return refusesBlocks(graph) === undefined
      ? inBlocks(graph, target, whole, limit)
      : inParts(graph, target, limit);
  } catch (error) {
    if (!(error instanceof HalomeshError) || error.complaint.where !== 'memory limit') throw error;
    const { expected } = error.complaint;
    return fail(
      {
        where: 'memory budget',
        problem: 'the scan does not fit',
        expected: `${expected} for the network, beside ${bytes(beside)} of the scan and its labels`,
        found: `${bytes(budget)} in all`,
        hint: 'Raise the budget, or close what else takes memory',
      },
      { cause: error },
    );
  }
}

function inBlocks(graph: Graph, target: Target, whole: Plan, limit: number): Way {
  const [, ...sizes] = graph.outputs.get('labels')!.shape.map((dim) => dim.size);
  const box = wholeBox(sizes as unknown as Shape3);
  const { blocks, planned } = blocksWithin({ graph, box, target, whole, limit, hostBytes: () => 0 });
  const others = blocks.filter((block) => block !== planned.block);
  return { plan: planned.plan, blocks: [planned.block, ...others] };
}

/** Parts along the depth that are tried. */
const PARTS = [2, 4, 8, 16];

/** In as few parts along the depth as it takes, whose ranks take turns. Nothing makes way: it would lie in memory all the same. */
function inParts(graph: Graph, target: Target, limit: number): Way {
  const [, { size: depth }] = graph.outputs.get('labels')!.shape;
  let least = Number.POSITIVE_INFINITY;
  for (const parts of PARTS.filter((n) => n <= depth)) {
    const plan = makePlan(graph, mesh({ depth: parts }), { depth: 'depth' }, target);
    const peak = predictPeak(plan);
    if (peak <= limit) return { plan };
    least = Math.min(least, peak);
  }
  return fail({
    where: 'memory limit',
    problem: 'it does not fit, in however many parts',
    expected: `at least ${bytes(least)}`,
    found: bytes(limit),
  });
}

/** The input of a pass; in 2-D every slice gets those around it as channels. */
function feedOf({ slices }: WebRun, source: ScanSource): Feed {
  const [depth] = source.shape;
  return (box: Box) =>
    slices === undefined
      ? interleaved(box[4], (channel) => source.image(voxelBox(box), channel))
      : readSlices((part) => source.image(part), depth, slices, voxelBox(box), box[4]);
}

/** How much there is of each class above 0, or region. */
function foundIn({ classes, classValues, regions }: WebRun, values: Uint8Array, grid: Grid): FoundClass[] {
  const counts = new Float64Array(256);
  for (let n = 0; n < values.length; n++) counts[values[n]]++;
  const of = (cls: number): number => counts[classValues?.[cls] ?? cls];
  const sets = regions ?? classes.map((name, cls) => ({ name, classes: [cls] })).slice(1);
  return sets.map((set) => {
    const voxels = set.classes.reduce((sum, cls) => sum + of(cls), 0);
    return { name: set.name, voxels, millilitres: (voxels * voxelVolume(grid)) / 1000 };
  });
}
