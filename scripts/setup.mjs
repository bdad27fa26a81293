// Set-up: npm packages, C++ compiler, native kernels, the MPI shim where there is MPI, TypeScript. Idempotent; uses only Node's own modules.
//
//   node scripts/setup.mjs [--native-only] [--mpi-only] [--no-ts] [--mpi] [--verbose] [--root DIR]
//
// This first file keeps to syntax that old versions of Node can read, so that they reach the version message.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeTooOld } from './setup/node-version.mjs';

/** Sets up whatever is missing; throws a SetupError with one clear sentence when something cannot be. */
export async function setup(options) {
  const tooOld = nodeTooOld();
  if (tooOld) throw new Error(tooOld);
  const main = await import('./setup/main.mjs');
  return main.setup(options);
}

async function cli(args) {
  const tooOld = nodeTooOld();
  if (tooOld) {
    console.error(`set-up: ${tooOld}`);
    return 1;
  }
  const main = await import('./setup/main.mjs');
  return main.cli(args);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  cli(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
