import { fail, type Shape, shape, shownValue } from '../../core/index.ts';
import { debugLevel } from '../../files/index.ts';
import type { AugmentConfig, PrepareOptions, Shape3 } from '../../imaging/index.ts';
import { type Device, deviceEntry } from '../../machine/index.ts';
import {
  type Accumulation,
  type Built,
  type BuiltLoss,
  buildEvaluation,
  buildPrediction,
  buildScores,
  buildStatistics,
  buildTraining,
  isAverage,
  type NetworkSettings,
} from '../../nn/index.ts';
import { type FittedProgram, fitParts, type Plan, type Target } from '../../plan/index.ts';
import { Session, type SessionOptions } from '../../run/index.ts';
import { augmentationFrom } from './augmentation.ts';
import { meshOf, type StagedNetwork, type TrainConfig } from './config.ts';
import { machineHere } from './machine-file.ts';
import { channelCount, normalizationsOfConfig } from './normalization.ts';
import { kernelOf, shapeOfSize } from './plane.ts';
import { lossOf } from './task/loss.ts';
import { classifies } from './task/task.ts';

export { learningRateOf } from './learning-rate.ts';

// What a config means: network, loss, learning rate, device, session, preprocessing.

/** How many scores a network gives each voxel: one for each class, or for each region. */
export const scoreCount = ({ regions }: Pick<TrainConfig, 'regions'>, classes: number): number =>
  regions?.length ?? classes;

/** Names of what a network has scores of, and its probability files. */
export const scoreNames = (
  { regions }: Pick<TrainConfig, 'regions'>,
  classes: readonly string[],
): readonly string[] => regions?.map(({ name }) => name) ?? classes;

/** Names of what is judged: the background, then the classes, or the regions; of images that have one label the classes. */
export const judgedNames = (
  { regions }: Pick<TrainConfig, 'regions'>,
  classes: readonly string[],
): readonly string[] => (regions ? [classes[0], ...regions.map(({ name }) => name)] : classes);

/** The network of a config for label maps of so many classes. Throws HalomeshError where it is a function that is not there. */
export function networkOf(config: TrainConfig, labelClasses: number): NetworkSettings {
  const classes = scoreCount(config, labelClasses);
  const { network } = config;
  if (network !== undefined) return otherNetwork(network, classes);
  const { base, levels, norm, dropoutKeep: keep } = config;
  // Group norm: the most groups, up to the usual 8, that divide the width of every level.
  const groups = [8, 7, 6, 5, 4, 3, 2, 1].find((n) => base % n === 0);
  const settings = { base, levels, classes, norm, keep, groups, kernel: kernelOf(config) };
  return classifies(config) ? { kind: 'classifier', ...settings } : settings;
}

function otherNetwork(network: NonNullable<TrainConfig['network']>, classes: number): NetworkSettings {
  if (typeof network === 'string')
    return fail({ where: 'config "network"', problem: `${shownValue(network)} is not loaded` });
  if ('stages' in network) return { ...network, classes };
  const { name, build } = network;
  if (build !== undefined) return { kind: 'custom', name, classes, build };
  return fail({
    where: 'config "network"',
    problem: `the function of network ${shownValue(name)} is not there`,
    hint:
      network.kind === 'code'
        ? 'It was given in code: call train or openRun with it as "network"'
        : 'Open the run with openRun, which loads its module',
  });
}

/** A network that is given stage by stage; undefined where the config's is another. */
export const stagedOf = ({ network }: Pick<TrainConfig, 'network'>): StagedNetwork | undefined =>
  typeof network === 'object' && 'stages' in network ? network : undefined;

/** Its stages. */
export const stagesOf = (config: Pick<TrainConfig, 'network'>) => stagedOf(config)?.stages;

/** Whether a config's network is a function that a module or code gives. */
export const isFunction = ({ network }: Pick<TrainConfig, 'network'>): boolean =>
  typeof network === 'object' && !('stages' in network);

/** Whether the network has moving statistics to measure, on volumes of a size. */
export function movesStatistics(config: TrainConfig, classes: number, size: Shape3): boolean {
  if (!isFunction(config)) return config.norm === 'batch';
  const { parameters } = statisticsGraph(config, classes, size);
  return parameters.some(({ name, trainable }) => !trainable && !isAverage(name));
}

/** Shape of a batch of images: of volumes, or of slices with those around them as channels. */
export function imageShape(
  config: Pick<TrainConfig, 'slices' | 'channels' | 'normalization'>,
  size: Shape3,
  batch = 1,
): Shape {
  const [depth, height, width] = size;
  return shape({ batch, depth, height, width, channel: config.slices ?? channelCount(config) });
}

/** The graph of a training step on samples of one shape; of a step of several batches that of its last one, or of those before. */
export function trainingGraph(
  config: TrainConfig,
  classes: number,
  size: Shape3,
  part: Accumulation['part'] = 'apply',
): BuiltLoss {
  const { accumulate = 1, freeze, rates } = config;
  return buildTraining({
    image: imageShape(config, size, config.batch),
    network: networkOf(config, classes),
    storage: config.precision,
    seed: config.seed,
    loss: lossOf(config, classes),
    optimizer: { ...config.optimizer, clipNorm: config.clipNorm },
    average: config.ema,
    deepSupervision: config.deepSupervision,
    first: config.firstWeights,
    ...{ freeze, rates },
    ...(accumulate > 1 && { accumulation: { batches: accumulate, part } }),
  });
}

/** The graph that judges labelled samples by the loss and by counts of voxels. */
export function evaluationGraph(config: TrainConfig, classes: number, size: Shape3, batch = 1): BuiltLoss {
  return buildEvaluation({
    image: imageShape(config, size, batch),
    network: networkOf(config, classes),
    storage: config.precision,
    seed: config.seed,
    averaged: config.ema !== undefined,
    loss: lossOf(config, classes),
  });
}

/** The graph that segments one volume; `probabilities`: with them as an output. */
export function predictionGraph(
  config: TrainConfig,
  classes: number,
  size: Shape3,
  probabilities = false,
): Built {
  return buildPrediction({
    probabilities,
    image: imageShape(config, size),
    network: networkOf(config, classes),
    storage: config.precision,
    seed: config.seed,
    averaged: config.ema !== undefined,
    written: config.regions?.map(({ written }) => written),
  });
}

/** The graph that gives the scores of one volume. */
export function scoresGraph(config: TrainConfig, classes: number, size: Shape3): Built {
  return buildScores({
    image: imageShape(config, size),
    network: networkOf(config, classes),
    storage: config.precision,
    seed: config.seed,
    averaged: config.ema !== undefined,
  });
}

/** The graph that measures the moving statistics of batch norm on samples. */
export function statisticsGraph(config: TrainConfig, classes: number, size: Shape3, batch = 1): Built {
  return buildStatistics({
    image: imageShape(config, size, batch),
    network: networkOf(config, classes),
    storage: config.precision,
    seed: config.seed,
    averaged: config.ema !== undefined,
  });
}

/** How scans are prepared. */
export function prepareOptions(config: TrainConfig): PrepareOptions {
  const { size: side, spacing, window, plane, ignoreGlass } = config;
  const normalizations = normalizationsOfConfig(config);
  const size = side !== undefined && plane ? shapeOfSize(config, side) : side;
  return {
    size,
    spacing,
    window,
    ...(plane && { plane }),
    ...(ignoreGlass && { ignoreGlass }),
    ...(normalizations && { normalizations }),
  };
}

/** How training samples are changed. */
export function augmentationOf({ augmentation }: TrainConfig): AugmentConfig {
  return augmentationFrom(augmentation);
}

export function deviceOf({
  device,
  threads,
  exactConv,
}: Pick<TrainConfig, 'device' | 'threads' | 'exactConv'>): Device {
  return deviceEntry(device).open({ threads, exactConv, ...machineHere() });
}

/** What planning needs to know of a config's device. */
export function targetOf({ device }: Pick<TrainConfig, 'device'>): Target {
  return deviceEntry(device).target(machineHere());
}

/** Device and mesh of a config, with fresh variables. */
export function sessionOf(
  config: TrainConfig,
  options: Pick<SessionOptions, 'tracer' | 'processes' | 'grantedBytes'> = {},
): Session {
  const { seed, memoryLimit, spillDir } = config;
  const device = deviceOf(config);
  return new Session({
    device,
    ...meshOf(config),
    ...options,
    seed,
    memoryLimit,
    spillFolder: spillDir,
    debug: debugLevel(),
    timed: !device.target.spaces.tensors.ofHost,
  });
}

/**
 * The config with a mesh that meets its memory limit: where it has a limit and no mesh of its own, the volume is cut into as
 * few parts along `dim` as all `programs` take; only then these are asked for, and planned.
 */
export function withinMemory(
  config: TrainConfig,
  programs: () => readonly FittedProgram[],
  dim = 'depth',
): { readonly config: TrainConfig; readonly plans?: readonly Plan[] } {
  const { memoryLimit } = config;
  if (memoryLimit === undefined || meshOf(config).mesh.size > 1) return { config };
  const { mesh, layout, plans } = fitParts(programs(), targetOf(config), memoryLimit, dim);
  const axes = Object.fromEntries(mesh.axes.map(({ name, size }) => [name, size]));
  return { config: { ...config, mesh: axes, layout }, plans };
}
