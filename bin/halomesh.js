#!/usr/bin/env node
// Starts the command line of dist/. Kept to syntax that old versions of Node can read.
import { existsSync } from 'node:fs';
import { nodeTooOld } from '../scripts/setup/node-version.mjs';

const main = new URL('../dist/cli/main.js', import.meta.url);
const problem =
  nodeTooOld() ||
  (existsSync(main) ? null : 'it is not built yet: run `npm run setup` in the folder of halomesh first.');

if (process.argv[2] === 'setup' && !nodeTooOld()) {
  // Where this package is a dependency, npm has installed what it needs but the native kernels.
  const installed = /[\\/]node_modules[\\/]/.test(main.pathname) ? ['--native-only'] : [];
  import('../scripts/setup/main.mjs')
    .then(({ cli }) => cli([...installed, ...process.argv.slice(3)]))
    .then((code) => {
      process.exitCode = code;
    });
} else if (problem) {
  console.error(`halomesh: ${problem}`);
  process.exitCode = 1;
} else {
  import(main.href);
}
