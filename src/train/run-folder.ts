import path from 'node:path';

/** Where everything lies in the folder of a run. */
export interface RunFolder {
  readonly dir: string;
  /** The whole config, JSON. */
  readonly config: string;
  /** One JSON line for every step and every validation. */
  readonly log: string;
  readonly checkpoints: string;
  /** Where training stands; what it resumes from. */
  readonly latest: string;
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
    log: path.join(dir, 'log.jsonl'),
    checkpoints,
    latest: path.join(checkpoints, 'latest.safetensors'),
    best: path.join(checkpoints, 'best.safetensors'),
    progress: path.join(dir, 'progress.png'),
  };
}
