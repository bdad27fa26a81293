// The set-up's steps in order. Each knows whether it is done; only the others are performed, under a lock.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot, SetupError, secondsSince, stopChildren } from './common.mjs';
import { acquireLock } from './lock.mjs';
import { mpiStep } from './mpi.mjs';
import { nativeStep } from './native.mjs';
import { npmStep } from './npm.mjs';
import { pageStep } from './page.mjs';
import { typescriptStep } from './typescript.mjs';

const usage = `node scripts/setup.mjs [--native-only] [--mpi-only] [--no-ts] [--mpi] [--verbose] [--root DIR]
  --native-only  build the native kernels and the shim for MPI, and nothing else
  --mpi-only     build the shim for MPI and nothing else
  --no-ts        do not build dist/
  --mpi          install Open MPI where no MPI is found, and insist on building the shim for it
  --verbose      show the commands and their output
  --root DIR     set up this folder instead of the package's own`;

function stepsFor({ nativeOnly, mpiOnly, noTs, mpi }) {
  if (mpiOnly) return [mpiStep(mpi ?? false)];
  const native = [nativeStep, mpiStep(mpi ?? false)];
  if (nativeOnly) return native;
  return noTs ? [npmStep, ...native] : [npmStep, ...native, typescriptStep, pageStep];
}

/**
 * Sets up whatever is missing in `root` and resolves to the names of the steps that had to be performed.
 * Throws a SetupError whose message tells the user what to do.
 */
export async function setup(options = {}) {
  const root = resolve(options.root ?? packageRoot);
  const say = options.say ?? ((line) => console.log(`set-up: ${line}`));
  const context = { root, say, verbose: options.verbose ?? false };
  const steps = stepsFor(options);
  if (steps.every((step) => step.isDone(context))) {
    say('everything is up to date');
    return [];
  }
  const start = performance.now();
  const release = await acquireLock(join(root, 'build/.setup-lock'), say);
  const onSignal = (signal) => {
    stopChildren();
    release();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const performed = [];
  try {
    for (const step of steps) {
      if (step.isDone(context)) continue; // also when another set-up did it while we waited
      await step.perform(context);
      performed.push(step.name);
    }
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    release();
  }
  say(performed.length > 0 ? `done (${secondsSince(start)})` : 'everything is up to date');
  return performed;
}

/** An error in words: of the system, where it cannot write into the package's folder, too. */
function said(error) {
  if (typeof error.code !== 'string' || typeof error.path !== 'string') return error.message;
  return (
    `${error.path}: ${error.syscall} failed with ${error.code}. The set-up writes into the folder of the package: ` +
    'run it as a user who may do so.'
  );
}

/** The command line, which `help` explains; resolves to the exit code. */
export async function cli(args, help = usage) {
  const flag = { type: 'boolean' };
  const options = {
    'native-only': flag,
    'mpi-only': flag,
    'no-ts': flag,
    mpi: flag,
    verbose: flag,
    help: flag,
    root: { type: 'string' },
  };
  let values;
  try {
    values = parseArgs({ args, options }).values;
  } catch (error) {
    console.error(`set-up: ${error.message}\n${help}`);
    return 2;
  }
  if (values.help) {
    console.log(help);
    return 0;
  }
  try {
    await setup({
      ...values,
      nativeOnly: values['native-only'],
      mpiOnly: values['mpi-only'],
      noTs: values['no-ts'],
    });
    return 0;
  } catch (error) {
    const expected = error instanceof SetupError || typeof error.code === 'string';
    console.error(`set-up: ${expected && !values.verbose ? said(error) : error.stack}`);
    return 1;
  }
}
