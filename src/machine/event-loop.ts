/** Lets signals and timers of the process have a turn: at once in Node.js, after what a browser takes for it elsewhere. */
export const yieldToEvents = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
