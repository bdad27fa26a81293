// Tests of the CUDA device on the GPU of this machine, a line a suite: the suite of devices, networks, trainings, layers, the laws of every
// operation; then a training step of 32^3 voxels under compute-sanitizer, where that is found. Runs after the set-up.
//
//   node scripts/gpu-tests.mjs [--no-laws]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sanitizedStep, sanitizer, sanitizerArgs, summaryOf } from './gpu/sanitizer.mjs';
import { suiteArgs, suiteResult } from './gpu/tests.mjs';
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
const told = (name, good, begun, more = '') => {
  console.log(`gpu tests: ${name} ${good ? 'passed' : 'FAILED'} after ${secondsSince(begun)}${more}`);
  if (!good) failed++;
};
const env = { ...process.env, HALOMESH_TEST_GPU: '1' };

const folder = mkdtempSync(join(tmpdir(), 'halomesh-gpu-'));
const suites = ['device', 'network', 'train', 'matrix.long', 'layers.long', 'losses.long', 'exact.long'];
if (!values['no-laws']) suites.push('laws.long');
for (const suite of suites) {
  const begun = performance.now();
  const report = join(folder, 'report.json');
  const { stderr } = spawnSync(process.execPath, suiteArgs(suite, report), {
    cwd: packageRoot,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const result = suiteResult(report);
  told(
    suite,
    result?.good ?? false,
    begun,
    result === undefined ? `: ${stderr.slice(-2000)}` : `: ${result.summary}`,
  );
  for (const failure of result?.failures ?? []) console.log(`    ${failure}`);
}
rmSync(folder, { recursive: true });

const found = sanitizer();
if (found === undefined)
  console.log('gpu tests: compute-sanitizer skipped, since it is neither on the PATH nor in a CUDA toolkit');
else
  for (const tool of ['memcheck', 'racecheck'])
    for (const precision of ['f32', 'bf16']) {
      const begun = performance.now();
      const ended = spawnSync(
        found,
        [
          ...sanitizerArgs(tool),
          process.execPath,
          join(packageRoot, 'bin/halomesh.js'),
          ...sanitizedStep(precision),
        ],
        { cwd: packageRoot, env, encoding: 'utf8', maxBuffer: 2 ** 28 },
      );
      told(`compute-sanitizer ${tool}, ${precision}`, ended.status === 0, begun);
      for (const line of summaryOf(`${ended.stdout}\n${ended.stderr}`)) console.log(`    ${line}`);
    }
process.exit(failed > 0 ? 1 : 0);
