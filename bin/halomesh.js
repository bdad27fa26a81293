#!/usr/bin/env node
// Starts the command line of dist/. Kept to syntax that old versions of Node can read.
import { existsSync } from 'node:fs';
import { nodeTooOld } from '../scripts/setup/node-version.mjs';

const main = new URL('../dist/cli/main.js', import.meta.url);
const problem =
  nodeTooOld() ||
  (existsSync(main) ? null : 'it is not built yet: run `npm run setup` in the folder of halomesh first.');

if (problem) {
  console.error(`halomesh: ${problem}`);
  process.exitCode = 1;
} else {
  import(main.href);
}
