import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TrainConfig } from '../config/config.ts';
import { train } from './train.ts';

// What tests of interrupted trainings share.

/** A checkpoint without what names the folder of the run. */
export function checkpointOf(run: TrainConfig, which: 'latest' | 'best' = 'latest'): string {
  const bytes = readFileSync(path.join(run.out, 'checkpoints', `${which}.safetensors`));
  return bytes
    .toString('latin1')
    .replaceAll(run.out, '')
    .replace(/"header_crc32":"\w+"/, '');
}

/** Trains for some steps, as if Ctrl-C had been pressed then. */
export async function interrupt(run: TrainConfig, steps: number) {
  const stop = new AbortController();
  return train(run, {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.kind === 'step' && event.step === steps) stop.abort();
    },
  });
}
