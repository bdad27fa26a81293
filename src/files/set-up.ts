import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this package: src/files and dist/files both lie two folders below it. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/**
 * How to set up this package from a folder: in a clone by its own script, in a project that depends on it, whose scripts are others, by
 * its command, and elsewhere by the path of that. `compile` compiles the kernels also where a package brought some.
 */
export function setUpCommand(part?: 'mpi' | 'compile', root = packageRoot, folder = process.cwd()): string {
  const isBelow = (above: string): boolean => `${folder}${path.sep}`.startsWith(path.join(above, path.sep));
  const flag = part === undefined ? '' : ` --${part}`;
  const [project, ...below] = root.split(`${path.sep}node_modules${path.sep}`);
  if (below.length > 0 && isBelow(project)) return `npx halomesh setup${flag}`;
  if (below.length === 0 && isBelow(root)) return part === 'mpi' ? 'npm run setup:mpi' : 'npm run setup';
  return `node ${path.join(root, 'bin', 'halomesh.js')} setup${flag}`;
}
