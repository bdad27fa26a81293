// Processes that share the GPU of this machine, over every transport: losses and gradients have the bits of one process, the bytes that
// are sent are those of the plan, and of the exchanges it is told what hides behind kernels. Needs mpirun, mpicxx, NVRTC and what was
// built into dist/; HALOMESH_CUDA=emulated stands for a GPU.
//
//   node scripts/gpu-mpi.mjs [--seconds 90] [--size 256] [--base 16] [--steps 3] [--transports pinned,ipc] [--no-setup]
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { lawsOf, MESHES, ranksOf } from '../test/mpi/laws-net.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '90' },
    size: { type: 'string', default: '256' },
    base: { type: 'string', default: '16' },
    steps: { type: 'string', default: '3' },
    ranks: { type: 'string', default: '2,3,4,8' },
    transports: { type: 'string' },
    'no-setup': { type: 'boolean' },
    job: { type: 'string' },
  },
});
const load = (name) => import(fileURLToPath(new URL(`../dist/${name}/index.js`, import.meta.url)));
const numbers = (text) => text.split(',').map(Number);
const begun = performance.now();
const left = () => Number(values.seconds) - (performance.now() - begun) / 1000;

// ---- Of a process that mpirun started, and of this one alone ------------------------------------------------------------

const bitsOf = (results) => {
  const hash = createHash('sha256');
  for (const [name, data] of Object.entries(results)) hash.update(name).update(Float64Array.from(data));
  return hash.digest('hex').slice(0, 12);
};

const nameOf = ([axes, layout, norm]) =>
  `${Object.entries(layout)
    .map(([dim, axis]) => `${dim}=${axes[axis]}`)
    .join(',')} ${norm} norm`;

/** Loss and gradients of the network of the laws on every mesh of so many ranks. */
async function laws(device, ranks, processes) {
  const found = [];
  for (const test of MESHES.filter((one) => ranksOf(one) === ranks)) {
    const { results, sent, predicted } = await lawsOf(test, device, processes);
    const counted = sent.exchange + sent.allReduce;
    const all = processes ? await processes.share('sent', String(counted)) : [counted];
    found.push({
      name: nameOf(test),
      bits: bitsOf(results),
      counted: all.reduce((sum, text) => sum + Number(text), 0),
      predicted: predicted.exchange + predicted.allReduce,
    });
  }
  return found;
}

/** A training: its losses, seconds, and what exchanges and all-reduces took. */
async function training(device, ranks, processes, traced) {
  const { bench } = await load('measure');
  const { mesh } = await load('core');
  const { Tracer } = await load('run');
  const tracer = traced ? new Tracer() : undefined;
  const result = await bench({
    size: Number(values.size),
    network: { base: Number(values.base), levels: 4 },
    precision: 'bf16',
    steps: Number(values.steps),
    ...(ranks > 1 && { mesh: mesh({ depth: ranks }), layout: { depth: 'depth' } }),
    processes,
    device,
    tracer,
  });
  return {
    losses: result.losses,
    all: result.seconds,
    seconds: result.secondsPerStep.median,
    counted: result.bytesSentPerStep,
    predicted: result.predictedBytesSentPerStep,
    flights: tracer && flightsOf(tracer.runs.at(-1).events),
  };
}

/** Milliseconds of the collectives of a step: from their begin to their end, and what the queue of the device stood still for. */
function flightsOf(events) {
  const kinds = {};
  const open = new Map();
  for (const event of events) {
    if (event.name !== 'exchange' && event.name !== 'all_reduce') continue;
    const key = `${event.name} ${event.scope} ${event.text}`;
    if (event.part === 'begin') {
      open.set(key, event);
      continue;
    }
    const first = open.get(key) ?? event;
    open.delete(key);
    kinds[event.name] ??= { count: 0, under: 0, stood: 0, waited: 0 };
    const kind = kinds[event.name];
    kind.count++;
    kind.under += event.start + event.duration - first.start;
    kind.stood += event.duration + (first === event ? 0 : first.duration);
    kind.waited += event.waited;
  }
  return kinds;
}

const say = (value) => process.stdout.write(`@${JSON.stringify(value)}\n`);

async function work() {
  const { cudaDevice } = await load('machine/cuda');
  const { startMpi } = await import('../dist/machine/mpi/library.js');
  const { MpiProcesses } = await import('../dist/machine/mpi/processes.js');
  const mpi = startMpi();
  for (const transport of values.transports.split(',')) {
    try {
      // The network of the laws is small: its messages shall lie in memory of the GPU all the same.
      const small = values.job === 'laws' ? { smallBytes: 8 } : {};
      const processes = new MpiProcesses(mpi, { transport, ...small });
      const device = cudaDevice();
      const start = performance.now();
      if (values.job === 'laws') {
        const found = await laws(device, mpi.size, processes);
        if (mpi.rank === 0) say({ transport, took: performance.now() - start, found });
      } else {
        const timed = await training(device, mpi.size, processes, false);
        const traced = await training(device, mpi.size, processes, true);
        if (mpi.rank === 0)
          say({ transport, took: performance.now() - start, found: { ...timed, flights: traced.flights } });
      }
      device.close();
    } catch (error) {
      process.stderr.write(`rank ${mpi.rank}, ${transport}: ${error.stack}\n`);
      mpi.abort(1);
    }
  }
  mpi.finish();
}

// ---- Of the one that starts them ----------------------------------------------------------------------------------------

/** Runs this file on some processes; gives the lines of JSON that rank 0 printed, whatever the end. */
function started(ranks, job, transports, env = {}) {
  const own = ['size', 'base', 'steps'].flatMap((name) => [`--${name}`, values[name]]);
  const args = [
    ...['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '-n', String(ranks)],
    ...[process.execPath, fileURLToPath(import.meta.url), '--job', job, '--transports', transports, ...own],
  ];
  return new Promise((resolve) => {
    // A container may not let processes read each other's memory, which Open MPI would.
    const child = spawn('mpirun', args, {
      env: { OMPI_MCA_btl_vader_single_copy_mechanism: 'none', ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = { out: '', err: '' };
    child.stdout.on('data', (text) => {
      texts.out += text;
    });
    child.stderr.on('data', (text) => {
      texts.err += text;
    });
    const timer = setTimeout(() => child.kill('SIGTERM'), 1000 * Math.max(1, left()));
    child.on('error', (error) => {
      texts.err += error.message;
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      const lines = texts.out.split('\n').filter((line) => line.startsWith('@'));
      resolve({ code, err: texts.err.trim(), lines: lines.map((line) => JSON.parse(line.slice(1))) });
    });
  });
}

let failed = 0;
const verdict = (good) => {
  if (!good) failed++;
  return good ? 'equal' : 'DIFFERENT';
};
const failure = ({ code, err }, what) => {
  failed++;
  console.log(`${what}: FAILED (${left() <= 0 ? 'out of time' : `code ${code}`}) ${err.slice(-600)}`);
};
const ms = (value) => value.toFixed(1).padStart(8);

async function checkLaws(device, ranks, transports) {
  const alone = await laws(device, ranks);
  const ended = await started(ranks, 'laws', transports);
  for (const { transport, took, found } of ended.lines) {
    const bits = verdict(found.every(({ bits }, i) => bits === alone[i].bits));
    const bytes = verdict(found.every(({ counted, predicted }) => counted === predicted));
    const sent = found.reduce((sum, { counted }) => sum + counted, 0);
    console.log(
      `${ranks} processes  ${transport.padEnd(7)} loss and gradients ${bits}, bytes ${bytes} (${sent}), ${found.length} meshes, ${(took / 1000).toFixed(1)} s`,
    );
  }
  if (ended.code !== 0) failure(ended, `${ranks} processes`);
}

async function timeExchanges(device, transports) {
  const whole = await training(device, 1);
  // The same split: on another one a rounding may fall the other way, once in very many.
  const alone = await training(device, 2);
  const plan = `${values.size}^3, base ${values.base}, bf16`;
  console.log(`${plan}: 1 process ${ms(1000 * whole.seconds)} ms a step, losses ${whole.losses.join(' ')}`);
  console.log(
    `in two parts: 1 process ${ms(1000 * alone.seconds)} ms a step, losses ${alone.losses.join(' ')}`,
  );
  // Without its service for several processes a GPU gives each of them its turn for milliseconds, in which the others stand still.
  const shared = sharedGpu();
  const ways = [
    ...(shared ? [{ overlap: '1', mps: true }] : []),
    { overlap: '1', mps: false },
    { overlap: '0', mps: shared !== undefined },
  ];
  for (const { overlap, mps } of ways) {
    const way = `overlap ${overlap === '1' ? 'on ' : 'off'}${mps ? ', MPS' : ''}`;
    if (left() < 5) {
      console.log(`2 processes, ${way}: left out, no time`);
      continue;
    }
    const ended = await started(2, 'steps', transports, {
      HALOMESH_OVERLAP: overlap,
      ...(mps && shared.env),
    });
    for (const { transport, found } of ended.lines) {
      const { losses, all, seconds, counted, predicted, flights } = found;
      const equal = losses.every((loss, i) => loss === alone.losses[i]);
      const same = `${verdict(equal)}${equal ? '' : ` (${losses.join(' ')})`}`;
      const each = all.map((one) => (1000 * one).toFixed(0)).join(' ');
      console.log(
        `2 processes ${transport.padEnd(7)} ${way} ${ms(1000 * seconds)} ms a step (${each}), losses ${same}, bytes ${verdict(counted === predicted)} (${(counted / 2 ** 20).toFixed(1)} MiB)`,
      );
      for (const [kind, { count, under, stood, waited }] of Object.entries(flights))
        console.log(
          `    ${kind.padEnd(10)} ${String(count).padStart(3)}: ${ms(under)} ms under way, ${ms(under - stood)} hidden, ${ms(stood)} not hidden; host waited ${ms(waited)}`,
        );
    }
    if (ended.code !== 0) failure(ended, `2 processes, ${way}`);
  }
  shared?.end();
}

/** NVIDIA's service (MPS) that lets kernels of several processes run at the same time; undefined where there is none. */
function sharedGpu() {
  if (process.env.HALOMESH_CUDA === 'emulated') return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-mps-'));
  const env = { CUDA_MPS_PIPE_DIRECTORY: folder, CUDA_MPS_LOG_DIRECTORY: folder };
  const control = (args, input) =>
    spawnSync('nvidia-cuda-mps-control', args, {
      ...{ env: { ...process.env, ...env }, encoding: 'utf8', input, timeout: 10_000 },
    });
  const { status, error, stderr } = control(['-d']);
  if (status !== 0) {
    console.log(`MPS: not to be had: ${(error?.message ?? stderr).trim()}`);
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const end = () => {
    control([], 'quit\n');
    rmSync(folder, { recursive: true, force: true });
  };
  return { env, end };
}

async function main() {
  if (!values['no-setup']) {
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      [fileURLToPath(new URL('setup.mjs', import.meta.url)), '--mpi-only', '--mpi'],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`the shim for MPI was not built: ${stdout}${stderr}`);
  }
  const { DEVICES, mpiAvailable } = await load('machine');
  const { cudaDevice } = await load('machine/cuda');
  const { available, note } = DEVICES.cuda.available();
  const mpi = mpiAvailable();
  if (!available || !mpi.available) {
    console.error(`gpu mpi: nothing was tested: ${available ? `MPI is ${mpi.note}` : note}`);
    process.exitCode = 2;
    return;
  }
  const gpuMpi = process.env.HALOMESH_CUDA === 'emulated' || mpi.gpuMemory;
  const transports = values.transports ?? ['pinned', 'ipc', ...(gpuMpi ? ['mpi'] : [])].join(',');
  console.log(`${note}; ${mpi.note}; transports ${transports}`);
  const device = cudaDevice();
  const [first, ...others] = numbers(values.ranks);
  await checkLaws(device, first, transports);
  await timeExchanges(device, transports);
  for (const ranks of others)
    if (left() > 5) await checkLaws(device, ranks, transports);
    else console.log(`${ranks} processes: left out, no time`);
  device.close();
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(failed === 0 ? `all as it should be, ${seconds} s` : `${failed} FAILED, ${seconds} s`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await (values.job === undefined ? main() : work());
