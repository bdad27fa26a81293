// One rank of a test under mpirun: `worker.mjs conformance | texts | busy | broken | slow | astray | laws | leaks`. Rank 0 prints the result as a line of JSON.
import { spawnSync } from 'node:child_process';
import { failTogether } from '../../dist/cli/terminal/processes.js';
import { mesh, range, shape } from '../../dist/core/index.js';
import { cpuDevice, finishMpi, library, mpiProcesses, referenceDevice } from '../../dist/machine/index.js';
import { bench } from '../../dist/measure/index.js';
import { CASES } from './cases.mjs';
import { lawsOf, MESHES, ranksOf } from './laws-net.mjs';

const processes = mpiProcesses();
const { index, ranks } = processes;
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const devices = { cpu: () => cpuDevice({ threads: 1 }), reference: referenceDevice };

/** Every case for so many ranks, on both devices: results by rank, and what all ranks sent. */
async function conformance() {
  const found = [];
  for (const [name, make] of Object.entries(devices))
    for (const test of CASES.filter((one) => one.ranks === ranks.length)) {
      const device = make();
      const world = processes.world(device);
      const [result] = await test.run(world, [processes.index], device);
      const all = await processes.share(test.name, JSON.stringify({ result, traffic: world.traffic }));
      found.push({ device: name, name: test.name, ranks: all.map((text) => JSON.parse(text)) });
    }
  if (index === 0) say(found);
}

/** Texts and arrays longer than a piece of a message. */
async function texts() {
  const long = await processes.share('long texts', `${index}`.repeat(1000 * (index + 1)));
  const data = new Uint8Array(index === 2 ? 0 : 100_000).map((_, i) => (index === 1 ? i % 251 : 0));
  await processes.deliver('an array', data, 1, [0]);
  if (index === 0)
    say({ lengths: long.map(({ length }) => length), right: data.every((b, i) => b === i % 251) });
}

const network = { size: 12, network: { base: 4, levels: 2 }, threads: 1, layout: { depth: 'depth' } };

/** Steps without an end. */
async function busy() {
  const all = await processes.share('process ids', String(process.pid));
  if (index === 0) say(all.map(Number));
  const onStep = (step) => index === 0 && step === 2 && say('running');
  await bench({ ...network, mesh: mesh({ depth: ranks.length }), processes, steps: 1e6, onStep });
}

/** Rank 2 fails in a kernel of the second step. */
async function broken() {
  const device = cpuDevice({ threads: 1 });
  let runs = 0;
  const prepare = async (kernel, ...rest) => {
    const launch = await device.prepare(kernel, ...rest);
    return {
      ...launch,
      run() {
        if (index === 2 && ++runs === 30) throw new Error('a cosmic ray');
        launch.run();
      },
    };
  };
  const breaking = new Proxy(device, {
    get(target, key) {
      if (key === 'prepare') return prepare;
      const value = target[key];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await bench({
    ...network,
    mesh: mesh({ depth: ranks.length }),
    processes,
    steps: 1e6,
    device: breaking,
  });
}

/** The network of the laws on every mesh of so many ranks, with the bytes that all sent. */
async function laws() {
  const found = [];
  for (const test of MESHES.filter((one) => ranksOf(one) === ranks.length)) {
    const one = await lawsOf(test, devices.cpu(), processes);
    const all = (await processes.share('sent', JSON.stringify(one.sent))).map((text) => JSON.parse(text));
    const total = (key) => all.reduce((sum, sent) => sum + sent[key], 0);
    found.push({ ...one, sent: { exchange: total('exchange'), allReduce: total('allReduce') } });
  }
  if (index === 0) say(found);
}

/** Rank 1 holds its thread for longer than a rank may be silent. */
async function slow() {
  if (index === 1) spawnSync('sleep', ['13']);
  await processes.share('who comes late', '');
  if (index === 0) say('met');
}

/** Ranks 1 and 2 call the same exchange by different names, and then wait for rank 0, which has nothing to do in it. */
async function astray() {
  const device = referenceDevice();
  const box = [range(0, 8)];
  const flat = { shape: shape({ width: 8 }), dtype: 'f32' };
  const type = { ...flat, format: device.target.plain(flat) };
  const tensor = device.tensor(device.allocate(type.format.bytes(box)), 0, type, box);
  const transfers =
    index === 0
      ? []
      : [
          { from: index, to: 3 - index, box },
          { from: 3 - index, to: index, box },
        ];
  await processes
    .world(device)
    .exchange(
      index === 1 ? 'left' : 'right',
      { kind: 'exchange', inPlace: false, transfers },
      [tensor],
      [tensor],
    );
  if (index === 0) await new Promise((resolve) => setTimeout(resolve, 60_000));
  await processes.share('never', '');
}

/** Native memory of every rank before some trainings, in the steps of each, and after it. */
async function leaks() {
  const heldByAll = async () => (await processes.share('memory held', String(library().held))).map(Number);
  const found = { before: await heldByAll(), during: [], after: [] };
  for (let run = 0; run < 5; run++) {
    const onStep = (step) => index === 0 && step === 1 && found.during.push(library().held);
    await bench({ ...network, mesh: mesh({ depth: ranks.length }), processes, steps: 1, onStep });
    found.after.push(await heldByAll());
  }
  if (index === 0) say(found);
}

try {
  await { conformance, texts, busy, broken, slow, astray, laws, leaks }[process.argv[2]]();
  await finishMpi();
} catch (error) {
  process.exitCode = await failTogether(error, (text) => process.stderr.write(text));
}
