import { fail } from '../../core/index.ts';
import { type PreparedCase, type PrepareOptions, wholeBox } from '../../imaging/index.ts';
import { alone, loadDevice, type Processes } from '../../machine/index.ts';
import type { NetworkFunction } from '../../nn/index.ts';
import { type Tracer, together } from '../../run/index.ts';
import {
  flagsOver,
  mergeConfig,
  readConfigFile,
  resolveConfig,
  settingIn,
  type TrainConfig,
} from '../config/config.ts';
import { grantedBytes } from '../config/memory-room.ts';
import { judgedNames, prepareOptions, scoreNames } from '../config/model.ts';
import { channelNamesOf } from '../config/normalization.ts';
import { classifies } from '../config/task/task.ts';
import { loadNetwork } from '../record/network-file.ts';
import { exists } from '../record/run-check.ts';
import { readRunFile } from '../record/run-file.ts';
import { filesOfRun, isRunFile, placeOfRun, type RunFolder } from '../record/run-folder.ts';
import { checkSameCheckpoint } from '../record/same-files.ts';
import { PatchSegmenter } from './patches/patch-segmenter.ts';
import { type SegmentedPart, Segmenter, type SegmenterParts, type SegmentOptions } from './segmenter.ts';
import { gatherLabels, sourceOf } from './volume-parts.ts';

/** Where and from which checkpoint a trained network runs. */
export interface RunOptions {
  /** Folder of the run, or its file from `halomesh export --web` or a page. */
  readonly run: string;
  /** `best` by default, where the run has one. */
  readonly checkpoint?: 'best' | 'latest';
  /** What computes where no device is asked for; by default that of the run. */
  readonly runsOn?: (ofRun: TrainConfig['device']) => TrainConfig['device'];
  /** In place of those of the run's config. */
  readonly device?: TrainConfig['device'];
  readonly threads?: number;
  readonly split?: TrainConfig['split'];
  readonly mesh?: TrainConfig['mesh'];
  readonly layout?: TrainConfig['layout'];
  readonly memoryLimit?: number;
  readonly exactConv?: TrainConfig['exactConv'];
  readonly spillDir?: string;
  /** Of a run that segments by patches as nnU-Net does: one patch over all of a scan. */
  readonly wholeVolume?: boolean;
  /** The processes that run the ranks of the mesh; this one alone by default. All call the same. */
  readonly processes?: Processes;
  /** Told what split was chosen and why, where the choice is left to the program. */
  readonly onSplit?: (text: string) => void;
  /** Collects where the time goes. */
  readonly tracer?: Tracer;
  /** The network, where the run was trained with one given in code. */
  readonly network?: NetworkFunction;
}

/** A trained network, ready to segment. */
export interface OpenRun {
  readonly folder: RunFolder;
  readonly config: TrainConfig;
  readonly classes: readonly string[];
  /** What the network has scores of: the classes, or regions, sets of them that may overlap. */
  readonly scores: readonly string[];
  /** What is judged: the background and classes, or regions. */
  readonly judged: readonly string[];
  /** File of the checkpoint, and which one it is. */
  readonly file: string;
  /** Files of the run, or of all runs that it stands for: nothing may be written over them. */
  readonly reads: readonly string[];
  readonly checkpoint: 'best' | 'latest';
  /** How scans are to be read for it. */
  readonly prepare: PrepareOptions;
  /** What it segments with. */
  readonly network: SegmenterParts;
  /**
   * The most likely class of every voxel of a prepared scan, [depth, height, width]. All processes call it; those in `to` get the
   * labels, all by default, the others an empty array.
   */
  segment(
    prepared: Pick<PreparedCase, 'image' | 'shape'>,
    options?: SegmentOptions & { readonly to?: readonly number[] },
  ): Promise<Uint8Array>;
  /**
   * Segments a volume that is read box by box; all processes call it. `take` gets the boxes of labels that this process computed:
   * together, over all processes, the volume once. So what is counted over them needs no whole volume anywhere.
   */
  segmentParts: PatchSegmenter['segment'];
  /** The box of a prepared volume that this process reads when it is segmented so: all of it where there is one process. */
  needs: Segmenter['needs'];
  /** Steps that the network was trained for; known after the first volume. */
  readonly step: number | undefined;
  /** Gives its memory back. */
  free(): void;
}

/** The folder of a run and its config, with what the options put in its place. */
export async function configOfRun(options: RunOptions): Promise<{ folder: RunFolder; config: TrainConfig }> {
  const { run, device, threads, split, mesh, layout, memoryLimit, spillDir, exactConv } = options;
  const folder = placeOfRun(run);
  if (!(await exists(folder.config)))
    fail({
      where: run,
      problem: isRunFile(run) ? 'is no file of a run' : 'is no folder of a run',
      expected: folder.config,
      found: 'no such file',
      hint: 'Give the folder that was --out of halomesh train, or a file of halomesh export --web',
    });
  const file = isRunFile(run) ? await readRunFile(run) : undefined;
  const saved = file?.settings ?? readConfigFile(folder.config);
  const given = { device, threads, split, mesh, layout, memoryLimit, spillDir, exactConv };
  const resolved = resolveConfig(mergeConfig(saved, given), flagsOver(given, settingIn(folder.config)));
  const config = file?.fit(resolved) ?? resolved;
  if (device !== undefined || options.runsOn === undefined) return { folder, config };
  return { folder, config: { ...config, device: options.runsOn(config.device) } };
}

/** The checkpoint of a run that is asked for, or its best one, or its latest where it has no best. */
export async function checkpointOf(folder: RunFolder, asked: RunOptions['checkpoint']) {
  const checkpoint = asked ?? ((await exists(folder.best)) ? 'best' : 'latest');
  const file = folder[checkpoint];
  if (!(await exists(file)))
    fail({
      where: folder.dir,
      problem: 'the run has no checkpoint yet',
      expected: file,
      found: 'no such file',
      hint: 'Train on; checkpoints appear every "checkpointEvery" steps and at the end',
    });
  return { checkpoint, file };
}

/** Opens the folder of a run for evaluation and prediction. */
export async function openRun(options: RunOptions): Promise<OpenRun> {
  const { processes, tracer } = options;
  const { folder, config: saved } = await configOfRun(options);
  const { config } = await loadNetwork(saved, { folder, processes, given: options.network });
  if (classifies(config))
    fail({
      where: options.run,
      problem: 'tells the class of an image as a whole',
      expected: 'a run that tells voxels apart',
      found: 'task classify',
      hint: 'halomesh predict and evaluate take it',
    });
  await loadDevice(config.device);
  const { classes } = config;
  if (classes === undefined)
    return fail({
      where: `${folder.config} "classes"`,
      problem: 'expected the names of the classes, found nothing',
    });
  const { checkpoint, file } = await together(processes ?? alone(1), 'the run', () =>
    checkpointOf(folder, options.checkpoint),
  );
  if (processes) await checkSameCheckpoint(processes, file);
  const { onSplit } = options;
  const granted = await grantedBytes(processes);
  const network = { config, classes, file, tracer, processes, grantedBytes: granted, onSplit };
  const reads = filesOfRun(folder);
  const names = { classes, scores: scoreNames(config, classes), judged: judgedNames(config, classes) };
  const opened = { folder, config, ...names, file, reads, checkpoint, network };
  if (config.nnunet !== undefined) return byPatches(opened, [network], options.wholeVolume);
  if (options.wholeVolume)
    fail({
      where: options.run,
      problem: 'the run sees whole volumes in any case',
      expected: 'a run that was imported from nnU-Net',
      found: 'one that was trained here',
      hint: 'Leave out --whole-volume',
    });
  const segmenter = new Segmenter(network);
  return {
    ...opened,
    prepare: prepareOptions(config),
    needs: (shape, settings) => segmenter.needs(shape, settings),
    segmentParts: (source, settings, take) => segmenter.segment(source, settings, take),
    async segment(prepared, settings = {}) {
      const parts: SegmentedPart[] = [];
      await segmenter.segment(sourceOf(prepared), { ...settings, probabilities: false }, (part) => {
        parts.push(part);
      });
      return gatherLabels(
        processes,
        parts,
        prepared.shape,
        settings.to ?? processes?.ranks.map((_, index) => index),
      );
    },
    get step() {
      return segmenter.step;
    },
    free: () => segmenter.free(),
  };
}

/** A run that has nnU-Net's settings; of several networks with the same the mean of their scores. */
export function byPatches(
  run: Omit<OpenRun, 'prepare' | 'segment' | 'segmentParts' | 'needs' | 'step' | 'free'>,
  networks: readonly SegmenterParts[],
  wholeVolume?: boolean,
): OpenRun {
  const { config } = run;
  const segmenter = new PatchSegmenter(networks, { settings: config.nnunet!, wholeVolume });
  return {
    ...run,
    prepare: { normalizations: channelNamesOf(config).map(() => ({ kind: 'none' })) },
    needs: (shape) => Promise.resolve(wholeBox(shape)),
    segmentParts: (source, settings, take) => segmenter.segment(source, settings, take),
    async segment() {
      return fail({ where: 'the run', problem: 'segments scans from their own voxels alone' });
    },
    get step() {
      return segmenter.step;
    },
    free: () => segmenter.free(),
  };
}
