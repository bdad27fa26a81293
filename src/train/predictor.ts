import { type Case, Confusion, type PreparedCase, voxelCount } from '../imaging/index.ts';
import { type CaseStore, predictionBytes } from './cases.ts';
import type { TrainConfig } from './config.ts';
import type { DiceByClass } from './log.ts';
import { predictionGraph } from './model.ts';
import type { Programs } from './programs.ts';

/** Segments prepared cases by the variables of a session: moving statistics, no dropout. */
export class Predictor {
  readonly classes: readonly string[];
  private readonly config: TrainConfig;
  private readonly programs: Programs;
  private readonly hostBytes: (shape: PreparedCase['shape']) => number;

  constructor(parts: {
    readonly config: TrainConfig;
    readonly programs: Programs;
    readonly classes: readonly string[];
    /** Bytes of volumes in memory while one of a shape is segmented; by default that volume alone. */
    readonly hostBytes?: (shape: PreparedCase['shape']) => number;
  }) {
    this.hostBytes = parts.hostBytes ?? ((shape) => predictionBytes(voxelCount(shape)));
    this.config = parts.config;
    this.programs = parts.programs;
    this.classes = parts.classes;
  }

  /** Loads the program for a shape of volume, and with it the variables into the session. */
  prepare(shape: PreparedCase['shape']) {
    return this.programs.get(
      `predict ${shape.join('x')}`,
      () => predictionGraph(this.config, this.classes.length, shape).graph,
      this.hostBytes(shape),
    );
  }

  /** The most likely class of every voxel, [depth, height, width]. */
  async labels({ image, shape }: Pick<PreparedCase, 'image' | 'shape'>): Promise<Uint8Array> {
    const { labels } = await this.prepare(shape).run({ image }, ['labels']);
    return labels instanceof Uint8Array ? labels : Uint8Array.from(labels);
  }

  /** Dice of each class above 0 over all voxels of some cases, on their prepared grids. */
  async dice(cases: readonly Case[], store: CaseStore): Promise<DiceByClass> {
    const confusion = new Confusion(this.classes.length);
    for (const entry of cases) {
      const prepared = await store.get(entry);
      confusion.add(await this.labels(prepared), prepared.labels!);
    }
    return Object.fromEntries(this.classes.slice(1).map((name, i) => [name, confusion.dice(i + 1)]));
  }
}
