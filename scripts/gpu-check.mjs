// All that is to be known of the GPU of this machine, section by section, each in at most 100 s, as tables: what is here, tests, sanitizers,
// speeds, steps beside PyTorch's, memory limits, tensors of more than 2^31 numbers, how losses part from the CPU's. Runs after the set-up
// as it is; HALOMESH_CUDA=emulated stands for a GPU, at small sizes.
//
//   node scripts/gpu-check.mjs                      # all sections, in their order
//   node scripts/gpu-check.mjs steps limit drift    # some
//   node scripts/gpu-check.mjs --seconds 60 --list
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sanitizedStep, sanitizer, sanitizerArgs, summaryOf } from './gpu/sanitizer.mjs';
import { suiteArgs, suiteResult } from './gpu/tests.mjs';
import { packageRoot } from './setup/common.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '100' },
    python: { type: 'string', default: process.env.HALOMESH_BENCH_PYTHON ?? 'python3' },
    list: { type: 'boolean' },
  },
});
const emulated = process.env.HALOMESH_CUDA === 'emulated';
const bin = join(packageRoot, 'bin/halomesh.js');
const helper = (name) => join(packageRoot, 'scripts/gpu', `${name}.mjs`);
const folder = mkdtempSync(join(tmpdir(), 'halomesh-gpu-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

let deadline = 0;
const left = () => Math.max(0, (deadline - performance.now()) / 1000);

/** Runs a program until the section's time is over; `out` is what it said on both streams. */
function run(program, args, env = {}) {
  if (left() < 2) return Promise.resolve({ code: undefined, out: '', err: '', late: true });
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: packageRoot,
      env: { ...process.env, ...(emulated ? {} : { HALOMESH_TEST_GPU: '1' }), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let [out, err, late] = ['', '', false];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      err += text;
    });
    const timer = setTimeout(() => {
      late = true;
      // With what it has started.
      process.kill(-child.pid, 'SIGKILL');
    }, 1000 * left());
    const done = (code) => {
      clearTimeout(timer);
      resolve({ code, out, err, late });
    };
    child.on('error', (error) => {
      err += error.message;
      done(undefined);
    });
    child.on('close', done);
  });
}

const node = (args, env) => run(process.execPath, args, env);
const lastLine = (text) => text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
/** Why a program did not end well. */
const problem = ({ late, code, out, err }) =>
  late ? 'out of time' : `code ${code}: ${lastLine(err) || lastLine(out)}`;
const row = (...cells) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(34) : cell)).join('  '));
let failed = 0;
function verdict(name, good, more) {
  if (!good) failed++;
  row(name, good ? 'passed' : 'FAILED', more);
}

/** A file of tests: a line, and one for each test that failed. */
async function tests(file) {
  const begun = performance.now();
  const report = join(folder, 'tests.json');
  const ended = await node(suiteArgs(file, report));
  const took = `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  const found = ended.late ? undefined : suiteResult(report);
  if (found === undefined) return verdict(file, false, problem(ended));
  verdict(file, found.good, `${found.summary}, ${took}`);
  for (const failure of found.failures) row('', failure.slice(0, 300));
}

async function bench(size, flags = []) {
  const how = ['bench', '--device', 'cuda', '--size', String(size), '--optimizer', 'adam', '--json'];
  const ended = await node([bin, ...how, ...flags]);
  return ended.code === 0 ? JSON.parse(ended.out) : { problem: problem(ended) };
}
const gib = (bytes) => (bytes === undefined ? '' : `${(bytes / 2 ** 30).toFixed(2)} GiB`);
const ms = (seconds) => `${(1000 * seconds).toFixed(1)} ms`;
const base = ['--base', emulated ? '4' : '16'];
const sizes = (real, small) => (emulated ? small : real);

async function steps(list, flags = []) {
  for (const size of list) {
    const result = await bench(size, [...base, '--steps', emulated ? '1' : '5', ...flags]);
    const name = `${size}^3 ${flags.join(' ')}`;
    if (result.problem) verdict(name, false, result.problem);
    else {
      const { secondsPerStep, deviceBytes, predictedPeakBytes, gflopsPerSecond, extra } = result;
      row(
        name,
        `${ms(secondsPerStep.median)} a step, ${(gflopsPerSecond / 1000).toFixed(1)} TFLOP/s`,
        `${gib(deviceBytes)} (planned ${gib(predictedPeakBytes)})`,
        extra?.split('\n')[0] ?? '',
      );
    }
  }
}

async function sanitized(tool) {
  const found = sanitizer();
  if (found === undefined) return row(tool, 'left out: no compute-sanitizer on the PATH or in a toolkit');
  for (const precision of ['bf16', 'f32']) {
    const args = [...sanitizerArgs(tool), process.execPath, bin, ...sanitizedStep(precision)];
    const ended = await run(found, args);
    const lines = summaryOf(`${ended.out}\n${ended.err}`);
    verdict(
      `${tool} ${precision}`,
      ended.code === 0,
      lines.length === 0 && ended.code !== 0 ? problem(ended) : '',
    );
    for (const line of lines) row('', line);
  }
}

/** What a script of scripts/gpu prints is its table; it says itself what fails. */
async function script(name, args = []) {
  const ended = await node([helper(name), ...args]);
  process.stdout.write(ended.out);
  verdict(name, ended.code === 0, ended.code === 0 ? '' : problem(ended));
}

const SECTIONS = {
  info: ['what is here', async () => process.stdout.write((await node([bin, 'info'])).out)],
  speeds: ['copies and launches of this GPU', () => script('speeds')],
  calibrate: [
    'speeds as machine files have them, in bf16',
    async () => {
      const small = emulated ? ['--calibrate-sizes', '8,16'] : [];
      const file = join(folder, 'gpu.json');
      const ended = await node([bin, 'info', '--calibrate', '--device', 'cuda', '--out', file, ...small]);
      process.stdout.write(ended.out);
      if (ended.code !== 0) verdict('calibrate', false, problem(ended));
    },
  ],
  device: ['the suite of devices, a U-Net on meshes, three steps', async () => {
    for (const file of ['device', 'network', 'train']) await tests(file);
  }],
  layers: ['every layer by whole numbers', async () => {
    for (const file of ['matrix.long', 'layers.long', 'losses.long']) await tests(file);
  }],
  exact: ['whole trainings: twice, on meshes, resumed, killed', () => tests('exact.long')],
  laws: ['the laws of every operation', () => tests('laws.long')],
  large: ['tensors of more than 2^31 numbers', () => script('large', emulated ? ['--planes', '4'] : [])],
  steps: ['training steps in bf16', () => steps(sizes([128, 256, 512], [8]), ['--precision', 'bf16'])],
  f32: ['training steps in f32', () => steps(sizes([128, 256], [8]), ['--precision', 'f32'])],
  limit: ['a step of 512^3 in 20 GiB', () =>
    steps(sizes([512], [8]), ['--precision', 'bf16', ...(emulated ? [] : ['--memory-limit', '20GiB'])])],
  profile: ['kernels of a step by time', async () => {
    const size = String(sizes(256, 8));
    const how = ['--device', 'cuda', '--size', size, ...base, '--steps', '2', '--precision', 'bf16'];
    const ended = await node([bin, 'bench', ...how, '--trace', join(folder, 'trace.json')]);
    if (ended.code === 0) console.log(ended.out.split('\n').slice(0, 45).join('\n'));
    else verdict('profile', false, problem(ended));
  }],
  model: ['what the launches of a step should take, by what is printed', () =>
    script('model', ['--size', String(sizes(256, 8)), ...base])],
  torch: ['PyTorch on this GPU', async () => {
    const peer = join(packageRoot, 'bench/peers/pytorch_unet.py');
    for (const size of sizes([128, 256], [8]))
      for (const mode of ['channels_last', 'channels_last_bf16', 'channels_last_bf16_compiled']) {
        const args = ['--mode', mode, '--size', String(size), '--base', '16', '--steps', '5', '--device', 'cuda'];
        const ended = await run(values.python, [peer, ...args]);
        if (ended.code !== 0) row(`${size}^3 ${mode}`, 'not measured:', problem(ended));
        else {
          const { seconds, deviceBytes, version } = JSON.parse(lastLine(ended.out.slice(ended.out.lastIndexOf('{'))));
          const median = [...seconds].sort((a, b) => a - b)[2];
          row(`${size}^3 ${mode}`, `${ms(median)} a step, ${gib(deviceBytes)}, PyTorch ${version}`);
        }
        if (left() < 5) return row('', 'no time for more');
      }
  }],
  drift: ['losses and gradients in f32 beside the CPU', () => script('drift', emulated ? ['--size', '12', '--base', '4', '--steps', '3'] : [])],
  memcheck: ['a training step under memcheck', () => sanitized('memcheck')],
  racecheck: ['a training step under racecheck: which kernels', () => sanitized('racecheck')],
  messages: ['processes that share the GPU', async () => {
    const ended = await node([join(packageRoot, 'scripts/gpu-mpi.mjs'), '--seconds', String(Math.max(5, Math.floor(left()) - 8))]);
    process.stdout.write(ended.out);
    verdict('messages', ended.code === 0, ended.code === 0 ? '' : problem(ended));
  }],
}; // biome-ignore format: a table

const unknown = positionals.filter((name) => !(name in SECTIONS));
if (values.list || unknown.length > 0) {
  if (unknown.length > 0) console.error(`gpu check: there is no section ${unknown.join(', ')}; there are:`);
  for (const [name, [what]] of Object.entries(SECTIONS)) console.log(`${name.padEnd(12)}${what}`);
  process.exit(unknown.length > 0 ? 2 : 0);
}
const { DEVICES } = await import(join(packageRoot, 'dist/machine/index.js'));
const { available, note } = DEVICES.cuda.available();
if (!available) {
  console.error(`gpu check: nothing was checked, since there is no GPU: ${note}`);
  // Who asks for this must not take its absence for a success.
  process.exit(2);
}
for (const [name, [what, section]] of Object.entries(SECTIONS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const begun = performance.now();
  deadline = begun + 1000 * Number(values.seconds);
  console.log(`\n== ${name}: ${what}`);
  await section();
  console.log(`-- ${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
}
console.log(failed === 0 ? '\nall as it should be' : `\n${failed} FAILED`);
process.exit(failed === 0 ? 0 : 1);
