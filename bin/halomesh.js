#!/usr/bin/env node
// Starts the command line of dist/. Kept to syntax that old versions of Node can read.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeTooOld } from '../scripts/setup/node-version.mjs';

const main = new URL('../dist/cli/main.js', import.meta.url);

function refuse(problem) {
  console.error(`halomesh: ${problem}`);
  process.exitCode = 1;
}

/** What cannot be imported yet: dist/ is missing, or a package that it needs. The set-up itself needs neither. */
function notSetUp(problem) {
  if (process.argv[2] !== 'setup') {
    const self = realpathSync(fileURLToPath(import.meta.url));
    return refuse(`${problem}. Run: node ${path.relative(process.cwd(), self)} setup`);
  }
  return import('../scripts/setup/command.mjs')
    .then(({ setupCommand }) => setupCommand(process.argv.slice(3)))
    .then((code) => {
      process.exitCode = code;
    });
}

if (nodeTooOld()) refuse(nodeTooOld());
else if (!existsSync(main)) notSetUp('it is not built yet');
else
  import(main.href).catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return notSetUp(`a package that it needs is not installed: ${error.message.split(' imported from')[0]}`);
  });
