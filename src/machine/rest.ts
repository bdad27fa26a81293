/** Lets signals and timers of the process have a turn. */
export const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
