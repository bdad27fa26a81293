// One rank of a test of processes with a CUDA device under mpirun: every transport in turn, its messages in memory of the device however
// small, in small pieces. Rank 0 prints what was found as a line of JSON.
import { failTogether } from '../../dist/cli/terminal/processes.js';
import { mesh } from '../../dist/core/index.js';
import { cudaDevice } from '../../dist/machine/cuda/index.js';
import { startMpi } from '../../dist/machine/mpi/library.js';
import { MpiProcesses } from '../../dist/machine/mpi/processes.js';
import { bench } from '../../dist/measure/index.js';
import { CASES } from './cases.mjs';

const [what, ...transports] = process.argv.slice(2);

/** Every case for so many ranks: results by rank, and what all ranks sent. */
async function conformance(processes) {
  const found = [];
  for (const test of CASES.filter((one) => one.ranks === processes.ranks.length)) {
    const device = cudaDevice();
    const world = processes.world(device);
    await world.ready();
    const [result] = await test.run(world, [processes.index], device);
    const { traffic, transport } = world;
    const all = await processes.share(test.name, JSON.stringify({ result, traffic }));
    found.push({ name: test.name, transport, ranks: all.map((text) => JSON.parse(text)) });
    world.close();
    device.close();
  }
  return found;
}

const network = { size: 10, network: { base: 4, levels: 2 }, layout: { depth: 'depth' } };

/** A training of some steps. */
async function train(processes, steps, { device = cudaDevice(), onStep } = {}) {
  const result = await bench({
    ...network,
    mesh: mesh({ depth: processes.ranks.length }),
    processes,
    steps,
    device,
    onStep,
  });
  device.close();
  return result;
}

async function training(processes) {
  const { losses, bytesSentPerStep, predictedBytesSentPerStep } = await train(processes, 2);
  return { losses, counted: bytesSentPerStep, predicted: predictedBytesSentPerStep };
}

/** Steps without an end. */
async function busy(processes) {
  const pids = await processes.share('process ids', String(process.pid));
  const onStep = (step) =>
    processes.index === 0 && step === 1 && process.stdout.write(`pids ${pids.join(' ')}\n`);
  await train(processes, 1e6, { onStep });
}

/** Rank 1 fails in a kernel of the first step. */
async function broken(processes) {
  const device = cudaDevice();
  const prepare = device.prepare.bind(device);
  let runs = 0;
  device.prepare = async (...all) => {
    const launch = await prepare(...all);
    const run = launch.run.bind(launch);
    launch.run = () => {
      if (processes.index === 1 && ++runs === 30) throw new Error('a cosmic ray');
      run();
    };
    return launch;
  };
  await train(processes, 1, { device });
}

const mpi = startMpi({ chunkBytes: 4096 });
try {
  const found = [];
  for (const transport of transports) {
    const processes = new MpiProcesses(mpi, { transport, smallBytes: 8, pieceBytes: 1000 });
    found.push({ transport, found: await { conformance, training, busy, broken }[what](processes) });
  }
  if (mpi.rank === 0) process.stdout.write(`${JSON.stringify(found)}\n`);
  mpi.finish();
} catch (error) {
  // These processes were not joined by `mpiProcesses`, which would end all.
  mpi.abort(await failTogether(error, (text) => process.stderr.write(text)));
}
