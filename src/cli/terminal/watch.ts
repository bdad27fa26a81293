import { type ChildProcess, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../files/index.ts';

/** A page that shows a training, served by a process of its own. */
export interface Watch {
  /** Ends the page with the training. */
  stop(): void;
}

/** What launchers of MPI programs tell a process, which the page's is none of. */
const OF_LAUNCHERS = /^(OMPI_|PMIX_|PMI_|SLURM_|HYDRA_)/;

/**
 * Serves the page of a run for as long as it is trained. The page's process runs at the lowest priority and reads what the training
 * writes into its folder, so that no step waits for it; it ends when this one does, however that is. `say` is told its address, or why
 * there is none: training goes on without.
 */
export function watchRun(run: string, say: (line: string) => void): Watch {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_LAUNCHERS.test(name)));
  const child: ChildProcess = spawn(
    process.execPath,
    [path.join(packageRoot, 'bin', 'halomesh.js'), 'view', run],
    { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  let ended = false;
  child.on('error', ({ message }) => say(`no page: ${message}`));
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const url = /http:\S+/.exec(text)?.[0];
    if (url !== undefined) say(`watch     ${url}`);
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    if (!ended) say(`page: ${text.trim()}`);
  });
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  // Neither the page nor the channel to it keeps a finished training.
  child.unref();
  child.channel?.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref?: () => void }).unref?.();
  return {
    stop: () => {
      ended = true;
      child.kill();
    },
  };
}
