// `halomesh setup`: the set-up of this package, wherever it is installed.
import { sep } from 'node:path';
import { packageRoot } from './common.mjs';
import { cli } from './main.mjs';
import { prebuiltKernels } from './prebuilt.mjs';

export const usage = `halomesh setup [--mpi] [--compile] [--verbose]
  --mpi      install Open MPI where no MPI is found, and insist on building the shim for it
  --compile  compile the kernels also where a package brought those of this machine
  --verbose  show the commands and their output`;

/** Resolves to the exit code. Where this package is a dependency, npm has installed all that it needs but the native kernels. */
export function setupCommand(args, root = packageRoot) {
  const dependency = root.split(sep).includes('node_modules');
  if (!dependency)
    return cli(
      args.filter((arg) => arg !== '--compile'),
      usage,
    );
  const brought = args.includes('--compile') ? null : prebuiltKernels(root);
  if (brought === null) return cli([...args.filter((arg) => arg !== '--compile'), '--native-only'], usage);
  console.log(`set-up: the kernels of ${brought} are installed (--compile builds them here)`);
  return cli([...args, '--mpi-only'], usage);
}
