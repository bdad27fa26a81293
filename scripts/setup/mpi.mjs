// The MPI shim: native/mpi/shim.cpp, with the headers beside it, into build/native/libhalomesh_mpi.so, where there is a compiler for MPI. All else works
// without it. It is built again when its source or the compiler changes, another MPI in the place of the first included.
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { installWithApt } from './apt.mjs';
import {
  hashOf,
  readJson,
  readText,
  run,
  SetupError,
  secondsSince,
  walk,
  which,
  writeAtomic,
} from './common.mjs';

const packages = ['libopenmpi-dev', 'openmpi-bin'];
const flags = '-std=c++17 -O2 -fPIC -shared -fvisibility=hidden -Wall -Wextra'.split(' ');

const sourcePath = (root) => join(root, 'native/mpi/shim.cpp');
const libraryPath = (root) => join(root, 'build/native/libhalomesh_mpi.so');
const stampPath = (root) => join(root, 'build/stamps/mpi.json');

const missing = (why) =>
  `no compiler for MPI was found${why}: install Open MPI ` +
  `(as root: apt-get update && apt-get install ${packages.join(' ')}) or set MPICXX to mpicxx, and run the same command again.`;

/** The compiler for MPI, or null; MPICXX goes first. */
function findMpi() {
  const chosen = process.env.MPICXX?.trim();
  for (const name of chosen ? [chosen] : ['mpicxx', 'mpic++']) {
    const path = which(name);
    if (path) return path;
  }
  return null;
}

/** What decides whether the shim must be built again; null where it cannot be. */
function keyOf(root) {
  const source = readText(sourcePath(root));
  const compiler = findMpi();
  if (source === null || compiler === null) return null;
  const folder = join(root, 'native/mpi');
  const headers = walk(folder).flatMap((file) =>
    file.endsWith('.h') ? [file, readText(join(folder, file))] : [],
  );
  // Alternatives are links: the file behind them tells one MPI from another, and its time one version from the next.
  const real = realpathSync(compiler);
  return hashOf(source, ...headers, ...flags, compiler, real, String(statSync(real).mtimeMs));
}

/** `required`: the user asked for MPI, so that a failure is an error; else the rest works without it. */
export const mpiStep = (required) => ({
  name: 'MPI shim',

  isDone({ root }) {
    const key = keyOf(root);
    if (key === null) return !required || readText(sourcePath(root)) === null;
    const stamp = readJson(stampPath(root));
    if (stamp?.key !== key) return false;
    return stamp.failed ? !required : existsSync(libraryPath(root));
  },

  async perform(context) {
    const { root, say, verbose } = context;
    if (findMpi() === null) await installWithApt(packages, missing, context);
    const compiler = findMpi();
    if (compiler === null) throw new SetupError(missing(' even after apt-get installed it'));
    const start = performance.now();
    const temporary = `${libraryPath(root)}.${process.pid}.tmp`;
    mkdirSync(join(root, 'build/native'), { recursive: true });
    const args = [...flags, '-o', temporary, sourcePath(root)];
    if (verbose) console.error([compiler, ...args].join(' '));
    const { code, output } = await run(compiler, args);
    const stamp = { key: keyOf(root), failed: code !== 0 };
    if (code === 0) renameSync(temporary, libraryPath(root));
    else rmSync(temporary, { force: true });
    writeAtomic(stampPath(root), `${JSON.stringify(stamp)}\n`);
    const problem = `native/mpi/shim.cpp did not compile with ${compiler}:\n${output.trim()}`;
    if (code === 0) say(`MPI shim built with ${compiler} (${secondsSince(start)})`);
    else if (required) throw new SetupError(problem);
    else say(`${problem}\nAll ranks run in one process. Once it is mended, run the set-up again with --mpi`);
  },
});
