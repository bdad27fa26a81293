import { constants } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EXIT } from './report-error.ts';

/** Listens for Ctrl-C while something runs that can end early and in order. */
export interface Interruption {
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** What to exit with after the first: 129 where the terminal is gone, else 130. */
  readonly code: number;
  /** Listens no longer. */
  stop(): void;
}

/** SIGHUP: the terminal is gone. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How many listen for Ctrl-C themselves. */
let listening = 0;

/**
 * Ctrl-C, SIGTERM and SIGHUP end the process by an exit, where nobody listens for them: so unfinished files are removed, which a
 * signal's own way to end a process does not do.
 */
export function exitOnSignals(): void {
  for (const name of signals) process.on(name, exit);
}

/**
 * Leaves Ctrl-C and SIGTERM to the system again, for commands that write no file: a program hears of a signal only between
 * two pieces of work, and planning is one piece.
 */
export function endOnSignals(): void {
  for (const name of signals) process.off(name, exit);
}

/** {@link endOnSignals} for as long as something works that writes no file, such as measurements: kernels let no handler have a turn. */
export async function leavingSignals<T>(work: () => Promise<T>): Promise<T> {
  await hearSignals();
  endOnSignals();
  try {
    return await work();
  } finally {
    exitOnSignals();
  }
}

/**
 * Hears of the signals that came during long work: one turn that may be the rest of this one, one for the handler, and one for the exit
 * that it asks for.
 */
export async function hearSignals(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await nextTurn();
}

/**
 * Lets signals end the process at once while something plans, before there is anything to save: it takes seconds in one piece, after
 * which they would be heard. Locks and partial files go with the process.
 */
export async function endsOnSignals<T>(plan: () => T | Promise<T>): Promise<T> {
  const { heldLocks, unfinishedFiles } = await import('../../files/index.ts');
  const { removeOnSignals } = await import('../../machine/index.ts');
  // Those that came before are heard first; one that waits for its handler is lost with it.
  await hearSignals();
  const heard = signals.map((name) => ({ name, listeners: process.listeners(name) }));
  const files = [...heldLocks(), ...unfinishedFiles()];
  // Once to have the library loaded, and again because the last listener that goes gives a signal back to the system.
  if (files.length > 0) removeOnSignals(files);
  for (const { name } of heard) process.removeAllListeners(name);
  if (files.length > 0) removeOnSignals(files);
  try {
    return plan();
  } finally {
    if (files.length > 0) removeOnSignals(undefined);
    for (const { name, listeners } of heard) for (const listener of listeners) process.on(name, listener);
  }
}

function exit(name: (typeof signals)[number]): void {
  // A progress bar gives the terminal's cursor back first.
  if (listening === 0) setImmediate(() => process.exit(128 + constants.signals[name]));
}

/** The first Ctrl-C (or SIGTERM, or SIGHUP) aborts the signal and calls `onFirst`; the second ends the process at once. */
export function onInterrupt(onFirst: () => void): Interruption {
  const controller = new AbortController();
  let code: number = EXIT.interrupted;
  const handler = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      // A terminal that is closed sends SIGHUP, and again as its shell ends: that is no second wish.
      if (name === 'SIGHUP') return;
      process.exit(EXIT.interrupted);
    }
    if (name === 'SIGHUP') code = 128 + constants.signals.SIGHUP;
    controller.abort();
    onFirst();
  };
  let stopped = false;
  listening++;
  for (const name of signals) process.on(name, handler);
  return {
    signal: controller.signal,
    get code() {
      return code;
    },
    stop() {
      if (stopped) return;
      stopped = true;
      listening--;
      for (const name of signals) process.off(name, handler);
    },
  };
}
