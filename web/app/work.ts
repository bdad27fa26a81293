import type { Asked, Said } from './protocol.ts';
import AppWorker from './worker.ts?worker&inline';

/** What a worker does; `stop` ends it, and then nothing comes of it. */
export interface Work {
  readonly done: Promise<Exclude<Said, { kind: 'pass' | 'error' }> | undefined>;
  stop(): void;
}

/** Lets a worker of its own do something, and ends it then. Rejects with what it said went wrong. */
export function work(asked: Asked, onPass?: (pass: Extract<Said, { kind: 'pass' }>) => void): Work {
  const worker = new AppWorker();
  let stop = (): void => undefined;
  const done = new Promise<Exclude<Said, { kind: 'pass' | 'error' }> | undefined>((resolve, reject) => {
    stop = () => resolve(undefined);
    worker.onmessage = ({ data }: MessageEvent<Said>) => {
      if (data.kind === 'pass') onPass?.(data);
      else if (data.kind === 'error') reject(new Error(data.message));
      else resolve(data);
    };
    worker.onerror = ({ message }) => reject(new Error(message || 'the worker could not be started'));
    worker.postMessage(asked);
  }).finally(() => worker.terminate());
  return { done, stop: () => stop() };
}
