import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** The files that `npm run test:long` runs; all other files of tests are `npm test`. */
export const LONG = '{src,test,bench}/**/*.long.test.ts';

export const shared = {
  // Limits that end what hangs. No test is held to its time.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  // One file for each core: a file that waits for the processes that it has started leaves its core to another.
  maxWorkers: availableParallelism(),
};

export default defineConfig({
  test: { ...shared, include: ['{src,test,bench}/**/*.test.ts'], exclude: [LONG] },
});
