// `halomesh setup`: the set-up of this package, wherever it is installed.
import { sep } from 'node:path';
import { packageRoot } from './common.mjs';
import { cli } from './main.mjs';

export const usage = `halomesh setup [--mpi] [--verbose]
  --mpi      install Open MPI where no MPI is found, and insist on building the shim for it
  --verbose  show the commands and their output`;

/** Resolves to the exit code. Where this package is a dependency, npm has installed all that it needs but the native kernels. */
export function setupCommand(args, root = packageRoot) {
  const dependency = root.split(sep).includes('node_modules');
  return cli(dependency ? [...args, '--native-only'] : args, usage);
}
