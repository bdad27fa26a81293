import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Box, fail, HalomeshError, type StopSignal } from '../../core/index.ts';
import {
  boxShape,
  eachGlass,
  rowsOf,
  type Shape3,
  type VoxelBox,
  type VoxelSource,
  voxelCount,
  wholeBox,
} from '../../imaging/index.ts';
import { alone, type Processes } from '../../machine/index.ts';
import { partition, partitionRegion } from '../../plan/index.ts';
import type { Feed, OutputPart, Session, Tracer, Variables } from '../../run/index.ts';
import { meshOf, type TrainConfig } from '../config/config.ts';
import { availableBytes } from '../config/memory-room.ts';
import { predictionGraph, scoreCount, sessionOf } from '../config/model.ts';
import { channelCount } from '../config/normalization.ts';
import { checkPlane } from '../config/plane.ts';
import { Programs } from '../config/programs.ts';
import { withSplit } from '../config/with-split.ts';
import { loadCheckpoint } from '../record/checkpoint.ts';
import { PIECE_VOXELS, predictionBytes } from '../samples/cases.ts';
import { interleaved } from '../samples/interleaved.ts';
import { readSlices, slabOf } from '../samples/slices.ts';
import { regionOf } from './blocks.ts';
import { type Flip, type FlipAxis, flipBox, flippedImage, flipsOf } from './flips.ts';
import { MeanOfFlips } from './mean-of-flips.ts';
import { floats, hullOf, type SegmentedPart, voxelBox } from './volume-parts.ts';
import { blockKey, chooseWay, type Way } from './way.ts';

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
  readonly signal?: StopSignal;
}

export interface SegmenterParts {
  readonly config: TrainConfig;
  readonly classes: readonly string[];
  /** File of the checkpoint. */
  readonly file: string;
  readonly tracer?: Tracer;
  /** The processes that run the ranks of the mesh; this one alone by default. */
  readonly processes?: Processes;
  /** Bytes that this process may hold. */
  readonly grantedBytes: number;
  /** Told what split was chosen and why. */
  readonly onSplit?: (text: string) => void;
}

/** Ways that are kept at most, and plans of each: one takes half a megabyte, and a tenth of a second to make. */
const MOST_WAYS = 2;
const MOST_PLANS = 16;

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
    const way = await this.choose(shape, options);
    const flips = flipsOf(options.flips ?? []);
    const hostBytes = hostBytesOf(shape, options, this.parts.config);
    const targets = way.blocks ?? [wholeBox(shape)];
    let done = 0;
    for (const target of targets) {
      const { config, classes } = this.parts;
      const written = config.regions?.map((region) => region.written);
      const mean = new MeanOfFlips(target, flips.length, scoreCount(config, classes.length), written);
      for (const flip of flips) {
        options.signal?.throwIfAborted();
        const program = await this.program(way, shape, flipBox(target, shape, flip), hostBytes);
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
        else for (const part of partsOf(found)) await take(await this.withoutGlass(part, source));
      }
      if (flips.length > 1)
        await take(await this.withoutGlass(mean.part(options.probabilities === true), source));
    }
  }

  /** A part whose glass is background, where the network has learnt nothing of it. */
  private async withoutGlass(part: SegmentedPart, source: VoxelSource): Promise<SegmentedPart> {
    if (!this.parts.config.ignoreGlass) return part;
    let first = 0;
    for (const rows of rowsOf(part.box, PIECE_VOXELS)) {
      await eachGlass(source, rows, (n) => {
        part.labels[first + n] = 0;
      });
      first += voxelCount(boxShape(rows));
    }
    return part;
  }

  /** The input of a pass; in 2-D every slice gets those around it as channels. */
  private feed(source: VoxelSource, flip: Flip): Feed {
    const { slices } = this.parts.config;
    const [depth] = source.shape;
    return (box: Box) =>
      slices === undefined
        ? interleaved(box[4], (channel) => flippedImage(source, flip, channel)(voxelBox(box)))
        : readSlices(flippedImage(source, flip, 0), depth, slices, voxelBox(box), box[4]);
  }

  /** The box of a prepared volume that this process reads when it is segmented so. */
  async needs(shape: Shape3, options: SegmentOptions): Promise<VoxelBox> {
    if (this.processes.ranks.length === 1) return wholeBox(shape);
    const { graph, config, blocks, box, plans } = await this.choose(shape, options);
    if (blocks === undefined) {
      const { mesh, layout } = meshOf(config);
      const [rank] = this.processes.ranks[this.processes.index];
      const { inputs } = plans.get('whole')?.program ?? partition(graph, mesh, layout);
      return this.reads(inputs.get('image')!.own[rank], shape);
    }
    if (box === undefined) return { start: [0, 0, 0], end: [0, 0, 0] };
    // Blocks that lie side by side read, together, what their whole reads.
    return flipsOf(options.flips ?? [])
      .map((flip) => {
        const { inputs } = partitionRegion(graph, regionOf(graph, flipBox(box, shape, flip)));
        return flipBox(this.reads(inputs.get('image')!.own[0], shape), shape, flip);
      })
      .reduce(hullOf);
  }

  /** The voxels of a volume that a box of the input has. */
  private reads(box: Box, [depth]: Shape3): VoxelBox {
    const { slices } = this.parts.config;
    return slices === undefined ? voxelBox(box) : slabOf(voxelBox(box), depth, box[4], slices);
  }

  /** How volumes of a shape are segmented: the same as long as the same is asked for. */
  private async choose(shape: Shape3, options: SegmentOptions): Promise<Way> {
    checkPlane(this.parts.config, shape, 'the scan');
    const flips = flipsOf(options.flips ?? []).length;
    const soft = options.probabilities === true || flips > 1;
    const hostBytes = hostBytesOf(shape, options, this.parts.config);
    const { processes } = this;
    const classes = this.parts.classes.length;
    const { config, why, plan } = await withSplit(this.parts.config, {
      ...{ shape, batch: 1, hostBytes, processes: this.parts.processes },
      graph: (size) => predictionGraph(this.parts.config, classes, size, soft).graph,
    });
    this.parts = { ...this.parts, config };
    if (why) this.parts.onSplit?.(why);
    const key = `${shape.join('x')} ${flips} ${soft} ${hostBytes}`;
    const way =
      this.ways.get(key) ??
      chooseWay({
        ...{ config, classes, shape, flips, soft, hostBytes, processes, plan },
        // Processes may share a machine, and what is free on it.
        freeBytes: availableBytes(config, this.parts.grantedBytes, processes.ranks.length),
      });
    this.ways.delete(key);
    this.ways.set(key, way);
    const [oldest] = this.ways.keys();
    if (this.ways.size > MOST_WAYS) this.ways.delete(oldest);
    return way;
  }

  /** The program of a way; of a block, where it has blocks. */
  private async program(
    { config, graph, blocks, plans }: Way,
    shape: Shape3,
    box: VoxelBox,
    hostBytes: number,
  ) {
    const name = `predict ${shape.join('x')}${graph.outputs.has('probabilities') ? ' probabilities' : ''}`;
    const block = blocks && blockKey(box);
    const load = (programs: Programs) =>
      block === undefined
        ? programs.get(name, () => plans.get('whole') ?? graph, hostBytes)
        : programs.get(`${name} ${block}`, () => plans.get(block) ?? graph, hostBytes, regionOf(graph, box));
    const { mesh, layout } = meshOf(config);
    const key = JSON.stringify([mesh, layout, blocks !== undefined]);
    if (this.opened?.key !== key) {
      this.free();
      const { tracer, grantedBytes } = this.parts;
      const processes = blocks === undefined ? this.parts.processes : alone(1);
      const session = sessionOf(config, { tracer, processes, grantedBytes });
      // The next block's program is there before the last one's goes, so that the arena stays.
      const programs = new Programs(session, { most: blocks && 2 });
      try {
        // The first program brings the variables.
        await load(programs);
        this.trained = await loadWeights(this.parts.file, session.variables);
      } catch (error) {
        session.close();
        session.device.close();
        throw error;
      }
      this.opened = { key, programs, session };
    }
    const program = await load(this.opened.programs);
    if (plans.size < MOST_PLANS) plans.set(block ?? 'whole', program.plan);
    return program;
  }
}

/** Reads the weights of a checkpoint and gives their step; where the file is at fault, the error names the run's other checkpoint if there is one. */
export async function loadWeights(file: string, variables: Variables): Promise<number> {
  try {
    return (await loadCheckpoint(file, variables, { partial: true })).step;
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

function* partsOf(found: Readonly<Record<string, readonly OutputPart[]>>): Iterable<SegmentedPart> {
  for (const [n, { box, data }] of found.labels.entries()) {
    const labels = data instanceof Uint8Array ? data : Uint8Array.from(data);
    const soft = found.probabilities?.[n];
    yield { box: voxelBox(box), labels, probabilities: soft && floats(soft.data) };
  }
}

const hostBytesOf = (shape: Shape3, { hostBytes }: SegmentOptions, config: TrainConfig): number =>
  hostBytes ?? predictionBytes(voxelCount(shape), channelCount(config));
