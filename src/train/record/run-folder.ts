import { statSync } from 'node:fs';
import path from 'node:path';

/** Where everything lies in the folder of a run. */
export interface RunFolder {
  readonly dir: string;
  /** The whole config, JSON. */
  readonly config: string;
  /** The module of the network, where that is one's own. */
  readonly network: string;
  /** The cases and what their files are known by, JSON. */
  readonly data: string;
  /** What was expected of memory and time, JSON. */
  readonly plan: string;
  /** One JSON line for every step and every validation. */
  readonly log: string;
  /** Event files for TensorBoard, one for each start. */
  readonly tensorboard: string;
  /** Voxels of each class in each training case, where cases are drawn by them. */
  readonly classVoxels: string;
  readonly checkpoints: string;
  /** Where training stands; what it resumes from. */
  readonly latest: string;
  /** The latest checkpoint but one. */
  readonly previous: string;
  /** The best network so far. */
  readonly best: string;
  /** Curves of loss and Dice. */
  readonly progress: string;
}

export function runFolder(dir: string): RunFolder {
  const checkpoints = path.join(dir, 'checkpoints');
  return {
    dir,
    config: path.join(dir, 'config.json'),
    network: path.join(dir, 'network.mjs'),
    data: path.join(dir, 'data.json'),
    plan: path.join(dir, 'plan.json'),
    log: path.join(dir, 'log.jsonl'),
    tensorboard: path.join(dir, 'tensorboard'),
    classVoxels: path.join(dir, 'class-voxels.json'),
    checkpoints,
    latest: path.join(checkpoints, 'latest.safetensors'),
    previous: path.join(checkpoints, 'previous.safetensors'),
    best: path.join(checkpoints, 'best.safetensors'),
    progress: path.join(dir, 'progress.png'),
  };
}

/** Whether a run is one file, as `halomesh export --web` and pages write it, and no folder. */
export const isRunFile = (run: string): boolean =>
  /\.safetensors$/i.test(run) && statSync(run, { throwIfNoEntry: false })?.isDirectory() !== true;

/** Where everything of a run lies: in its folder or, of a run that is one file, in that. */
export function placeOfRun(run: string): RunFolder {
  const folder = runFolder(run);
  return isRunFile(run) ? { ...folder, config: run, latest: run, best: run } : folder;
}

/** All files that a run is read from. */
export function filesOfRun(folder: RunFolder): string[] {
  const { config, network, data, plan, log, classVoxels } = folder;
  return [config, network, data, plan, log, classVoxels, ...checkpointsOf(folder)];
}

/** Files that training can go on from, the newest first. */
export const checkpointsOf = ({ latest, previous, best }: RunFolder): string[] => [latest, previous, best];
