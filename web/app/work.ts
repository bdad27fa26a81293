import type { Asked, News, Said } from './protocol.ts';
import AppWorker from './worker.ts?worker&inline';

/** What comes of a work. */
type Answer = Exclude<Said, News | { kind: 'error' }>;

/** What a worker does; `stop` ends it, and then nothing comes of it; `end` lets it come to what it has. */
export interface Work {
  readonly done: Promise<Answer | undefined>;
  stop(): void;
  end(): void;
}

/** Lets a worker of its own do something, and ends it then. Rejects with what it said went wrong. */
export function work(asked: Asked, onNews?: (news: News) => void): Work {
  const worker = new AppWorker();
  let stop = (): void => undefined;
  const done = new Promise<Answer | undefined>((resolve, reject) => {
    stop = () => resolve(undefined);
    worker.onmessage = ({ data }: MessageEvent<Said>) => {
      if (data.kind === 'pass' || data.kind === 'step') onNews?.(data);
      else if (data.kind === 'error') reject(new Error(data.message));
      else resolve(data);
    };
    worker.onerror = ({ message }) => reject(new Error(message || 'the worker could not be started'));
    worker.postMessage(asked);
  }).finally(() => worker.terminate());
  return { done, stop: () => stop(), end: () => worker.postMessage({ kind: 'end' } satisfies Asked) };
}
