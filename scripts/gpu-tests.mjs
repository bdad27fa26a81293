// Tests of the CUDA device on the GPU of this machine: the suite of devices, the laws of every operation, networks and three training
// steps; then a training step of 32^3 voxels under compute-sanitizer, where that is found. Runs after the set-up.
//
//   node scripts/gpu-tests.mjs [--no-laws]
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot, secondsSince } from './setup/common.mjs';

const { values } = parseArgs({ options: { 'no-laws': { type: 'boolean' } } });
const { DEVICES } = await import(join(packageRoot, 'dist/machine/index.js'));
const { available, note } = DEVICES.cuda.available();
if (!available || process.env.HALOMESH_CUDA === 'emulated') {
  console.error(
    `gpu tests: nothing was tested, since there is no GPU: ${note}. Without one, npm test and npm run test:long run these tests on the emulator`,
  );
  // Who asks for these tests must not take their absence for a success.
  process.exit(2);
}
console.log(`gpu tests: ${note}`);

let failed = 0;
/** Runs a program; gives whether it went well. */
function step(name, program, args) {
  const begun = performance.now();
  const { status } = spawnSync(program, args, {
    cwd: packageRoot,
    stdio: 'inherit',
    env: { ...process.env, HALOMESH_TEST_GPU: '1' },
  });
  console.log(`gpu tests: ${name} ${status === 0 ? 'passed' : 'failed'} after ${secondsSince(begun)}`);
  if (status !== 0) failed++;
}

const vitest = join(packageRoot, 'node_modules/vitest/vitest.mjs');
const files = ['device', 'network', 'train'].map((name) => `test/cuda/${name}.test.ts`);
step('devices, networks, training', process.execPath, [vitest, 'run', ...files]);
const long = ['run', '--config', 'vitest.long.config.ts'];
const more = ['matrix', 'layers', 'exact'].map((name) => `test/cuda/${name}.long.test.ts`);
step('layers, whole trainings', process.execPath, [vitest, ...long, ...more]);
if (!values['no-laws']) step('laws', process.execPath, [vitest, ...long, 'test/cuda/laws.long.test.ts']);

/** compute-sanitizer of the path or of a toolkit. */
function sanitizer() {
  const { CUDA_HOME, CUDA_PATH } = process.env;
  const roots = [CUDA_HOME, CUDA_PATH, '/usr/local/cuda'].filter((root) => root);
  const places = ['compute-sanitizer', ...roots.map((root) => join(root, 'bin/compute-sanitizer'))];
  return places.find(
    (place) =>
      (place.includes('/') ? existsSync(place) : true) && spawnSync(place, ['--version']).status === 0,
  );
}

const found = sanitizer();
if (found === undefined)
  console.log('gpu tests: compute-sanitizer skipped, since it is neither on the PATH nor in a CUDA toolkit');
else
  for (const tool of ['memcheck', 'racecheck'])
    for (const precision of ['f32', 'bf16'])
      step(`compute-sanitizer ${tool}, ${precision}`, found, [
        ...['--tool', tool, '--error-exitcode', '9', process.execPath, join(packageRoot, 'bin/halomesh.js')],
        ...[
          'bench',
          '--device',
          'cuda',
          '--size',
          '32',
          '--base',
          '16',
          '--steps',
          '1',
          '--precision',
          precision,
        ],
      ]);
process.exit(failed > 0 ? 1 : 0);
