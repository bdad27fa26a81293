import path from 'node:path';
import { fileURLToPath } from 'node:url';

// src/files and dist/files both lie two folders below the root of the package.
const own = fileURLToPath(new URL('../..', import.meta.url));

/**
 * How to set up this package: in a clone by its own script, and where it is installed as a dependency, whose scripts a project
 * does not have, by its command.
 */
export function setUpCommand(part?: 'mpi', root = own): string {
  if (!root.split(path.sep).includes('node_modules'))
    return part === undefined ? 'npm run setup' : `npm run setup:${part}`;
  return part === undefined ? 'npx halomesh setup' : `npx halomesh setup --${part}`;
}
