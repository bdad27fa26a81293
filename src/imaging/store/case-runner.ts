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
  /** Of the case in the making. */
  let settle: { resolve(answer: CaseAnswer): void; reject(error: unknown): void } | undefined;
  const startWorker = (): Worker => {
    const made = new Worker(file)
      .on('message', (answer: CaseAnswer) => settle?.resolve(answer))
      .on('error', (error) => settle?.reject(error))
      .on('exit', (code) => {
        // The next case gets another thread.
        if (worker === made) worker = undefined;
        settle?.reject(new Error(`its thread ended with code ${code}`));
      });
    return made;
  };
  const stop = async (): Promise<void> => {
    await worker?.terminate();
    worker = undefined;
  };
  const answerTo = async (task: CaseTask, signal: AbortSignal | undefined): Promise<CaseAnswer> => {
    const over = new AbortController();
    try {
      return await new Promise((resolve, reject) => {
        worker ??= startWorker();
        settle = { resolve, reject };
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true, signal: over.signal });
        worker.postMessage(task);
      });
    } finally {
      // The signal outlives the case and must not gather a listener for each.
      over.abort();
    }
  };
  return {
    async run(task, signal) {
      signal?.throwIfAborted();
      try {
        raise(await answerTo(task, signal));
      } catch (error) {
        if (!(error instanceof ImagingError)) await stop();
        throw error;
      }
    },
    close: stop,
  };
}

function raise({ problem, write, text }: CaseAnswer): void {
  if (problem !== undefined) throw new (write ? StoreWriteError : ImagingError)(problem);
  if (text !== undefined) throw new Error(text);
}
