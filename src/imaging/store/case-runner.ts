import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { ImagingError } from '../errors.ts';
import type { CaseAnswer } from './case-worker.ts';
import { type CaseTask, writeStoredCase } from './write-case.ts';
import { StoreWriteError } from './zarr-array.ts';

/** Prepares cases, one after the other. */
export interface CaseRunner {
  /** Prepares a case; rejects with the signal's reason when it was aborted. */
  run(task: CaseTask, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Runs in this thread. */
export const ownThread: CaseRunner = {
  run: ({ entry, folder, options }, signal) => writeStoredCase(entry, folder, options, signal),
  close: () => Promise.resolve(),
};

/** Runs in a thread of its own, which an aborted signal ends in the middle of its work. */
export function workerThread(): CaseRunner {
  const file = new URL(`./case-worker${path.extname(import.meta.url)}`, import.meta.url);
  let worker: Worker | undefined;
  const stop = async (): Promise<void> => {
    await worker?.terminate();
    worker = undefined;
  };
  const answerTo = (task: CaseTask, signal: AbortSignal | undefined): Promise<CaseAnswer> =>
    new Promise((resolve, reject) => {
      worker ??= new Worker(file);
      const ended = (code: number) =>
        reject(new Error(`the thread that prepared it ended with code ${code}`));
      worker.once('message', resolve).once('error', reject).once('exit', ended);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      worker.postMessage(task);
    });
  return {
    async run(task, signal) {
      signal?.throwIfAborted();
      try {
        raise(await answerTo(task, signal));
      } catch (error) {
        if (!(error instanceof ImagingError)) await stop();
        throw error;
      } finally {
        worker?.removeAllListeners();
      }
    },
    close: stop,
  };
}

function raise({ problem, write, text }: CaseAnswer): void {
  if (problem !== undefined) throw new (write ? StoreWriteError : ImagingError)(problem);
  if (text !== undefined) throw new Error(text);
}
