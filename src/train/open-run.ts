import { isDeepStrictEqual } from 'node:util';
import { fail } from '../core/index.ts';
import { type PreparedCase, voxelCount } from '../imaging/index.ts';
import type { Processes } from '../machine/index.ts';
import type { Tracer } from '../run/index.ts';
import { predictionBytes } from './cases.ts';
import { type LoadedCheckpoint, loadCheckpoint } from './checkpoint.ts';
import { mergeConfig, readConfigFile, resolveConfig, type TrainConfig } from './config.ts';
import { predictionGraph, sessionOf, withinMemory } from './model.ts';
import { Predictor } from './predictor.ts';
import { Programs } from './programs.ts';
import { exists } from './run-check.ts';
import { type RunFolder, runFolder } from './run-folder.ts';

/** Where and from which checkpoint a trained network runs. */
export interface RunOptions {
  /** Folder of the run. */
  readonly run: string;
  /** `best` by default, where the run has one. */
  readonly checkpoint?: 'best' | 'latest';
  /** In place of those of the run's config. */
  readonly device?: TrainConfig['device'];
  readonly threads?: number;
  readonly split?: TrainConfig['split'];
  readonly mesh?: TrainConfig['mesh'];
  readonly layout?: TrainConfig['layout'];
  readonly memoryLimit?: number;
  readonly exactConv?: TrainConfig['exactConv'];
  readonly spillDir?: string;
  /** The processes that run the ranks of the mesh; this one alone by default. All call the same. */
  readonly processes?: Processes;
  /** Collects where the time goes. */
  readonly tracer?: Tracer;
}

/** A trained network, ready to segment. */
export interface OpenRun {
  readonly folder: RunFolder;
  readonly config: TrainConfig;
  readonly classes: readonly string[];
  /** File of the checkpoint, and which one it is. */
  readonly file: string;
  readonly checkpoint: 'best' | 'latest';
  /** The most likely class of every voxel of a prepared scan. */
  segment(prepared: Pick<PreparedCase, 'image' | 'shape'>): Promise<Uint8Array>;
  /** Steps that the network was trained for; known after the first volume. */
  readonly step: number | undefined;
  /** Gives its memory back. */
  free(): void;
}

/** The folder of a run and its config, with what the options put in its place. */
export async function configOfRun(options: RunOptions): Promise<{ folder: RunFolder; config: TrainConfig }> {
  const { run, device, threads, split, mesh, layout, memoryLimit, spillDir, exactConv } = options;
  const folder = runFolder(run);
  if (!(await exists(folder.config)))
    fail({
      where: run,
      problem: 'is no folder of a run',
      expected: folder.config,
      found: 'no such file',
      hint: 'Give the folder that was --out of halomesh train',
    });
  const saved = readConfigFile(folder.config);
  const given = { device, threads, split, mesh, layout, memoryLimit, spillDir, exactConv };
  return { folder, config: resolveConfig(mergeConfig(saved, given)) };
}

/** Opens the folder of a run for evaluation and prediction. */
export async function openRun(options: RunOptions): Promise<OpenRun> {
  const { run, processes, tracer } = options;
  const { folder, config } = await configOfRun(options);
  const { classes } = config;
  if (classes === undefined)
    return fail({
      where: `${folder.config} "classes"`,
      problem: 'expected the names of the classes, found nothing',
    });
  const checkpoint = options.checkpoint ?? ((await exists(folder.best)) ? 'best' : 'latest');
  const file = folder[checkpoint];
  if (!(await exists(file)))
    fail({
      where: run,
      problem: 'the run has no checkpoint yet',
      expected: file,
      found: 'no such file',
      hint: 'Train on; checkpoints appear every "checkpointEvery" steps and at the end',
    });
  let current: Opened | undefined;
  return {
    folder,
    config,
    classes,
    file,
    checkpoint,
    async segment(prepared) {
      const { shape } = prepared;
      const graph = () => predictionGraph(config, classes.length, shape).graph;
      const fitted = withinMemory(config, graph, predictionBytes(voxelCount(shape)));
      if (!isDeepStrictEqual(current?.mesh, fitted.mesh)) {
        current?.programs.free();
        current = undefined;
        current = await open(fitted, classes, file, shape, { tracer, processes });
      }
      return current!.predictor.labels(prepared);
    },
    get step() {
      return current?.checkpoint.step;
    },
    free: () => current?.programs.free(),
  };
}

/** A session for volumes of one size and smaller, with the variables of a checkpoint. */
interface Opened {
  readonly mesh: TrainConfig['mesh'];
  readonly programs: Programs;
  readonly predictor: Predictor;
  readonly checkpoint: LoadedCheckpoint;
}

async function open(
  config: TrainConfig,
  classes: readonly string[],
  file: string,
  shape: PreparedCase['shape'],
  { tracer, processes }: Pick<RunOptions, 'tracer' | 'processes'>,
): Promise<Opened> {
  const session = sessionOf(config, tracer, processes);
  const programs = new Programs(session);
  const predictor = new Predictor({ config, programs, classes });
  // The first program brings the variables.
  predictor.prepare(shape);
  const checkpoint = await loadCheckpoint(file, session.state, { partial: true });
  return { mesh: config.mesh, programs, predictor, checkpoint };
}
