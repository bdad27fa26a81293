import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Box, fail, type Graph, HalomeshError, sameBox } from '../../core/index.ts';
import {
  boxShape,
  type Shape3,
  type VoxelBox,
  type VoxelSource,
  voxelCount,
  wholeBox,
} from '../../imaging/index.ts';
import { alone, type Processes } from '../../machine/index.ts';
import { makePlan, partition, partitionRegion, predictPeak } from '../../plan/index.ts';
import type { Feed, OutputPart, Session, State, Tracer } from '../../run/index.ts';
import { predictionSplit } from '../config/auto-split.ts';
import { meshOf, type TrainConfig } from '../config/config.ts';
import { availableBytes, fitsMesh, softBytes } from '../config/memory-room.ts';
import { predictionGraph, sessionOf, targetOf, withinMemory } from '../config/model.ts';
import { Programs } from '../config/programs.ts';
import { loadCheckpoint } from '../record/checkpoint.ts';
import { predictionBytes } from '../samples/cases.ts';
import { type BoxImage, readSlices, slabOf } from '../samples/slices.ts';
import { blocksWithin, refusesBlocks, regionOf } from './blocks.ts';
import { type Flip, type FlipAxis, flipBox, flipNumbers, flipsOf } from './flips.ts';
import { MeanOfFlips } from './mean-of-flips.ts';
import { floats, hullOf, type SegmentedPart, voxelBox } from './volume-parts.ts';

export type { SegmentedPart } from './volume-parts.ts';

export interface SegmentOptions {
  /** Axes that are also turned around: probabilities are the mean over all 2^n ways to do so. None by default. */
  readonly flips?: readonly FlipAxis[];
  /** Give the probabilities too. */
  readonly probabilities?: boolean;
  /** Bytes of volumes that the process holds meanwhile; by default scan, labels and truth of the source's size. */
  readonly hostBytes?: number;
  /** Called after each pass of the network: how many are done, and how many there are for this process. */
  readonly onPass?: (done: number, all: number) => void;
  /** Ends it between two passes, with the signal's reason as the error. */
  readonly signal?: AbortSignal;
}

export interface SegmenterParts {
  readonly config: TrainConfig;
  readonly classes: readonly string[];
  /** File of the checkpoint. */
  readonly file: string;
  readonly tracer?: Tracer;
  /** The processes that run the ranks of the mesh; this one alone by default. */
  readonly processes?: Processes;
  /** Told what split was chosen and why. */
  readonly onSplit?: (text: string) => void;
}

/** What a volume is segmented by: the ranks of a mesh together, or one rank block by block. */
interface Way {
  readonly config: TrainConfig;
  /** Blocks that this process computes, each without the others; absent where a mesh computes the whole. */
  readonly blocks?: readonly VoxelBox[];
}

/** A session with the variables of the checkpoint. */
interface Opened {
  readonly key: string;
  readonly programs: Programs;
  readonly session: Session;
}

/**
 * Segments volumes by a trained network: moving statistics, no dropout. The whole volume in one pass where memory allows it, else
 * in blocks, or in parts that take turns; all give the same bits.
 */
export class Segmenter {
  private parts: SegmenterParts;
  private readonly processes: Processes;
  private readonly ways = new Map<string, Way>();
  private opened: Opened | undefined;
  private trained: number | undefined;

  constructor(parts: SegmenterParts) {
    this.parts = parts;
    this.processes = parts.processes ?? alone(meshOf(parts.config).mesh.size);
  }

  /** Steps that the network was trained for; known after the first volume. */
  get step(): number | undefined {
    return this.trained;
  }

  /** Gives its memory back; the next volume takes it again. */
  free(): void {
    this.opened?.session.close();
    this.opened?.session.device.close();
    this.opened = undefined;
  }

  /**
   * Segments a volume; all processes call it. `take` gets the boxes that this process computed, one after the other: together,
   * over all processes, the volume once.
   */
  async segment(
    source: VoxelSource,
    options: SegmentOptions,
    take: (part: SegmentedPart) => Promise<void> | void,
  ): Promise<void> {
    const { shape } = source;
    const { graph, way, flips, hostBytes } = await this.asked(shape, options);
    const targets = way.blocks ?? [wholeBox(shape)];
    let done = 0;
    for (const target of targets) {
      const mean = new MeanOfFlips(target, flips.length, this.parts.classes.length);
      for (const flip of flips) {
        options.signal?.throwIfAborted();
        const program = await this.program(way, graph, shape, flip, target, hostBytes);
        const found = await program.runParts(
          { image: this.feed(source, flip) },
          flips.length > 1
            ? ['probabilities']
            : options.probabilities
              ? ['labels', 'probabilities']
              : ['labels'],
        );
        options.onPass?.(++done, targets.length * flips.length);
        if (flips.length > 1) mean.add(found.probabilities, shape, flip);
        else for (const part of partsOf(found)) await take(part);
      }
      if (flips.length > 1) await take(mean.part(options.probabilities === true));
    }
  }

  /** The input of a pass; in 2-D every slice gets those around it as channels. */
  private feed(source: VoxelSource, flip: Flip): Feed {
    const image = flippedImage(source, flip);
    const { slices } = this.parts.config;
    const [depth] = source.shape;
    return (box: Box) =>
      slices === undefined ? image(voxelBox(box)) : readSlices(image, depth, slices, voxelBox(box), box[4]);
  }

  /** The box of a prepared volume that this process reads when it is segmented so. */
  async needs(shape: Shape3, options: SegmentOptions): Promise<VoxelBox> {
    if (this.processes.hosts.length === 1) return wholeBox(shape);
    const { graph, way, flips } = await this.asked(shape, options);
    if (way.blocks === undefined) {
      const { mesh, layout } = meshOf(way.config);
      const [rank] = this.processes.hosts[this.processes.host];
      return this.reads(partition(graph, mesh, layout).inputs.get('image')!.own[rank], shape);
    }
    const nothing: VoxelBox = { start: [0, 0, 0], end: [0, 0, 0] };
    return way.blocks
      .flatMap((block) =>
        flips.map((flip) => {
          const program = partitionRegion(graph, regionOf(graph, flipBox(block, shape, flip)));
          return flipBox(this.reads(program.inputs.get('image')!.own[0], shape), shape, flip);
        }),
      )
      .reduce(hullOf, nothing);
  }

  /** The voxels of a volume that a box of the input has. */
  private reads(box: Box, [depth]: Shape3): VoxelBox {
    const { slices } = this.parts.config;
    return slices === undefined ? voxelBox(box) : slabOf(voxelBox(box), depth, box[4], slices);
  }

  /** What is asked for, and how it is done. */
  private async asked(shape: Shape3, options: SegmentOptions) {
    const flips = flipsOf(options.flips ?? []);
    const soft = options.probabilities === true || flips.length > 1;
    const hostBytes = options.hostBytes ?? predictionBytes(voxelCount(shape));
    const split = await predictionSplit(this.parts, shape, hostBytes);
    this.parts = { ...this.parts, config: split.config };
    if (split.why) this.parts.onSplit?.(split.why);
    const { graph } = predictionGraph(this.parts.config, this.parts.classes.length, shape, soft);
    return { graph, flips, hostBytes, way: this.wayFor(graph, shape, flips.length, hostBytes) };
  }

  /** How volumes of a shape are segmented. */
  private wayFor(graph: Graph, shape: Shape3, flips: number, hostBytes: number): Way {
    const key = `${shape.join('x')} ${flips} ${graph.outputs.has('probabilities')} ${hostBytes}`;
    const known = this.ways.get(key) ?? this.choose(graph, shape, flips, hostBytes);
    this.ways.set(key, known);
    return known;
  }

  private choose(graph: Graph, shape: Shape3, flips: number, held: number): Way {
    const { config, classes } = this.parts;
    const { mesh, layout } = meshOf(config);
    const target = targetOf(config);
    const { memoryLimit } = config;
    const several = this.processes.hosts.length > 1;
    const hostBytes = (voxels: number) => held + softBytes(graph, flips, classes.length) * voxels;
    const inBlocks = (box: VoxelBox, limit: number): Way => ({
      config: { ...config, split: undefined, mesh: {}, layout: {} },
      blocks: blocksWithin({ graph, box, target, limit, hostBytes }),
    });
    // Processes may share a machine, and what is free on it.
    const room = memoryLimit ?? availableBytes() / this.processes.hosts.length;
    if (several) {
      const { hosts, host } = this.processes;
      const refusal = refusesBlocks(graph);
      // The mirrored parts of a volume lie on other ranks; a block of its own lets each rank do without them.
      if (
        refusal === undefined &&
        (flips > 1 || !fitsMesh(graph, config, hosts, hostBytes(voxelCount(shape))))
      ) {
        const { own } = partition(graph, mesh, layout).outputs.get('labels')!;
        const [rank] = hosts[host];
        if (own.findIndex((box) => sameBox(box, own[rank])) !== rank) return { config, blocks: [] };
        return inBlocks(voxelBox(own[rank]), room);
      }
      if (flips > 1)
        throw new HalomeshError({ where: 'flips', problem: refusal!, hint: 'Predict with one process' });
      return { config };
    }
    const bytes = hostBytes(voxelCount(shape));
    if (mesh.size > 1) return { config };
    if (predictPeak(makePlan(graph, mesh, layout, target), bytes) <= room) return { config };
    if (refusesBlocks(graph) === undefined) return inBlocks(wholeBox(shape), room);
    return { config: withinMemory(config, () => [{ graph, hostBytes: bytes }]) };
  }

  private async program(
    { config, blocks }: Way,
    graph: Graph,
    shape: Shape3,
    flip: Flip,
    target: VoxelBox,
    hostBytes: number,
  ) {
    const box = flipBox(target, shape, flip);
    const name = `predict ${shape.join('x')}${graph.outputs.has('probabilities') ? ' probabilities' : ''}`;
    const load = (programs: Programs) =>
      blocks === undefined
        ? programs.get(name, () => graph, hostBytes)
        : programs.get(`${name} ${show(box)}`, () => graph, hostBytes, regionOf(graph, box));
    const { mesh, layout } = meshOf(config);
    const key = JSON.stringify([mesh, layout, blocks !== undefined]);
    if (this.opened?.key !== key) {
      this.free();
      const processes = blocks === undefined ? this.parts.processes : alone(1);
      const session = sessionOf(config, this.parts.tracer, processes);
      // The next block's program is there before the last one's goes, so that the arena stays.
      const programs = new Programs(session, blocks && 2);
      try {
        // The first program brings the variables.
        await load(programs);
        this.trained = await this.loadWeights(session.state);
      } catch (error) {
        session.close();
        session.device.close();
        throw error;
      }
      this.opened = { key, programs, session };
    }
    return load(this.opened.programs);
  }

  /** Reads the weights and gives their step; where the file is at fault, the error names the run's other checkpoint if there is one. */
  private async loadWeights(state: State): Promise<number> {
    const { file } = this.parts;
    try {
      return (await loadCheckpoint(file, state, { partial: true })).step;
    } catch (error) {
      const other = path.basename(file) === 'best.safetensors' ? 'latest' : 'best';
      const there = existsSync(path.join(path.dirname(file), `${other}.safetensors`));
      if (!(error instanceof HalomeshError) || !there) throw error;
      const { hint: known = '' } = error.complaint;
      const mark = known === '' || known.endsWith('?') ? '' : '.';
      const hint =
        `${known}${mark} The run's other checkpoint may be sound: take it with --checkpoint ${other}`.trim();
      return fail({ ...error.complaint, hint }, { cause: error });
    }
  }
}

function* partsOf(found: Readonly<Record<string, readonly OutputPart[]>>): Iterable<SegmentedPart> {
  for (const [n, { box, data }] of found.labels.entries()) {
    const labels = data instanceof Uint8Array ? data : Uint8Array.from(data);
    const soft = found.probabilities?.[n];
    yield { box: voxelBox(box), labels, probabilities: soft && floats(soft.data) };
  }
}

/** The image of a source, as the flipped volume has it. */
function flippedImage(source: VoxelSource, flip: Flip): BoxImage {
  return async (box) => {
    const wanted = flipBox(box, source.shape, flip);
    return flipNumbers(await source.image(wanted), boxShape(wanted), flip);
  };
}

const show = ({ start, end }: VoxelBox): string => `${start.join(',')}-${end.join(',')}`;
