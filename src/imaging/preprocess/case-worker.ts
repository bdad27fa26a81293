import { parentPort } from 'node:worker_threads';
import { ImagingError, type ImagingProblem } from '../volume/errors.ts';
import type { CaseTask } from './case-description.ts';

// The file of a worker thread: says "ready" once it has loaded its modules, then prepares one case for each message and answers how
// it went. The larger part is loaded after what it imports: Node opens all files of an import at the same time, and a process may
// have few.
const { writeStoredCase } = await import('./write-case.ts');
const { StoreWriteError } = await import('../store/zarr-array.ts');

/** An answer; absent problem and text: the case is written. */
export interface CaseAnswer {
  /** What an ImagingError said; `write` where it was a StoreWriteError. */
  readonly problem?: ImagingProblem;
  readonly write?: boolean;
  /** Of any other error. */
  readonly text?: string;
}

parentPort?.on('message', async (task: CaseTask) => {
  let answer: CaseAnswer = {};
  try {
    await writeStoredCase(task);
  } catch (error) {
    if (error instanceof ImagingError) {
      const { file, field, expected, found, hint } = error;
      answer = { problem: { file, field, expected, found, hint }, write: error instanceof StoreWriteError };
    } else answer = { text: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  parentPort?.postMessage(answer);
});
parentPort?.postMessage('ready');
