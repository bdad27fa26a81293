import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { StoreWriteError } from '../store/zarr-array.ts';
import { ImagingError } from '../volume/errors.ts';
import type { CaseTask } from './case-description.ts';
import type { CaseAnswer } from './case-worker.ts';
import { writeStoredCase } from './write-case.ts';

/** Prepares cases, one after the other. */
export interface CaseRunner {
  /** Prepares a case; rejects with the signal's reason when it was aborted. */
  run(task: CaseTask, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Runs in this thread. */
export const ownThread: CaseRunner = {
  run: writeStoredCase,
  close: () => Promise.resolve(),
};

/** The start of the last thread. */
let starting: Promise<unknown> = Promise.resolve();

/** Starts threads one after the other: each opens many files while it loads, and all share those that a process may open. */
function inTurn(start: () => Promise<Worker>): Promise<Worker> {
  const started = starting.then(start);
  starting = started.catch(() => undefined);
  return started;
}

/** Runs in a thread of its own, which an aborted signal ends in the middle of its work. */
export function workerThread(): CaseRunner {
  const file = new URL(`./case-worker${path.extname(import.meta.url)}`, import.meta.url);
  let worker: Worker | undefined;
  /** Of the case in the making. */
  let settle: { resolve(answer: CaseAnswer): void; reject(error: unknown): void } | undefined;
  const startWorker = (): Promise<Worker> =>
    new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        reject(error);
        settle?.reject(error);
      };
      const made = new Worker(file)
        .on('message', (answer: CaseAnswer | 'ready') =>
          answer === 'ready' ? resolve(made) : settle?.resolve(answer),
        )
        .on('error', fail)
        .on('exit', (code) => {
          // The next case gets another thread.
          if (worker === made) worker = undefined;
          fail(new Error(`its thread ended with code ${code}`));
        });
    });
  const stop = async (): Promise<void> => {
    await worker?.terminate();
    worker = undefined;
  };
  const give = async (task: CaseTask, over: AbortSignal): Promise<void> => {
    const thread = worker ?? (await inTurn(startWorker));
    if (over.aborted) {
      await thread.terminate();
      return;
    }
    worker = thread;
    thread.postMessage(task);
  };
  const answerTo = async (task: CaseTask, signal: AbortSignal | undefined): Promise<CaseAnswer> => {
    const over = new AbortController();
    try {
      return await new Promise((resolve, reject) => {
        settle = { resolve, reject };
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true, signal: over.signal });
        give(task, over.signal).catch(reject);
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
