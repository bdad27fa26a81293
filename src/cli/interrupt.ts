import { EXIT } from './report-error.ts';

/** Listens for Ctrl-C while something runs that can end early and in order. */
export interface Interruption {
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Listens no longer. */
  stop(): void;
}

/** The first Ctrl-C (or SIGTERM) aborts the signal and calls `onFirst`; the second ends the process at once. */
export function onInterrupt(onFirst: () => void): Interruption {
  const controller = new AbortController();
  const handler = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
    onFirst();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const name of signals) process.on(name, handler);
  return {
    signal: controller.signal,
    stop() {
      for (const name of signals) process.off(name, handler);
    },
  };
}
