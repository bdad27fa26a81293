// What the launches of a training step should take on a GPU, which none is needed for: the bytes that each moves, the products of its tensor
// cores and the instructions of its rows, by what is printed, over the speeds that a card is said to have. A number that a kernel reads
// several times counts once. Tells which kind of kernel takes most; a profile tells what it takes in truth.
//
//   node scripts/gpu/model.mjs [--size 128] [--base 16] [--top 12] [--bytes 3.5e12] [--flops 3.5e14] [--operations 1.5e13] [--launch 2.5e-6]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../setup/common.mjs';
import { costOf } from './launch-cost.mjs';
import { recorder } from './recorder.mjs';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '128' },
    base: { type: 'string', default: '16' },
    levels: { type: 'string', default: '4' },
    top: { type: 'string', default: '12' },
    // Of an H200, as measured by kernels of their own: a copy, products, logic and shifts of 132 multiprocessors, a launch of a graph.
    bytes: { type: 'string', default: '3.5e12' },
    flops: { type: 'string', default: '3.5e14' },
    operations: { type: 'string', default: '1.5e13' },
    launch: { type: 'string', default: '2.5e-6' },
  },
});
const load = (name) => import(join(packageRoot, `dist/${name}/index.js`));
const { cudaDevice } = await load('machine/cuda');
const { buildTraining } = await load('nn');
const { mesh, shape } = await load('core');
const { Session } = await load('run');

const size = Number(values.size);
const voxels = size ** 3;
const driver = await recorder();
const { graph } = buildTraining({
  image: shape({ batch: 1, depth: size, height: size, width: size, channel: 1 }),
  network: { base: Number(values.base), levels: Number(values.levels) },
  storage: 'bf16',
  optimizer: { kind: 'adam' },
});
const session = new Session({ device: cudaDevice({ driver }), mesh: mesh({}), layout: {}, seed: 0 });
const program = await session.load(graph, { hostBytes: 0 });
// The second step is recorded.
for (let step = 0; step < 2; step++)
  await program.run(
    {
      image: new Float32Array(voxels),
      labels: new Uint8Array(voxels),
      step: Int32Array.of(step),
      learning_rate: Float64Array.of(1e-3),
    },
    ['loss'],
  );

const speeds = Object.fromEntries(
  ['bytes', 'flops', 'operations', 'launch'].map((name) => [name, Number(values[name])]),
);
/** Seconds of a launch, and which of its parts is the longest. */
function timeOf({ bytes, flops, operations }) {
  const parts = {
    bytes: bytes / speeds.bytes,
    flops: flops / speeds.flops,
    operations: operations / speeds.operations,
  };
  const [longest] = Object.entries(parts).sort((a, b) => b[1] - a[1])[0];
  return { seconds: speeds.launch + parts[longest], longest };
}

const kinds = new Map();
for (const launch of driver.launches) {
  const cost = costOf(launch);
  const { seconds, longest } = timeOf(cost);
  const kind = kinds.get(cost.title) ?? { launches: 0, bytes: 0, flops: 0, seconds: 0, by: {} };
  kind.launches++;
  kind.bytes += cost.bytes;
  kind.flops += cost.flops;
  kind.seconds += seconds;
  kind.by[longest] = (kind.by[longest] ?? 0) + seconds;
  kinds.set(cost.title, kind);
}
session.close();
const all = [...kinds.values()];
const sum = (name) => all.reduce((total, kind) => total + kind[name], 0);
const line = (name, { launches, bytes, flops, seconds }, most = '') =>
  console.log(
    `${name.padEnd(44)} ${String(launches).padStart(5)} ${(bytes / 2 ** 30).toFixed(2).padStart(8)} ${(flops / 1e9).toFixed(1).padStart(9)} ${(1e3 * seconds).toFixed(3).padStart(9)}  ${most}`,
  );
console.log(`${'kernels'.padEnd(44)} count      GiB    GFLOP        ms  mostly by`);
for (const [title, kind] of [...kinds]
  .sort((a, b) => b[1].seconds - a[1].seconds)
  .slice(0, Number(values.top)))
  line(title, kind, Object.entries(kind.by).sort((a, b) => b[1] - a[1])[0][0]);
line('all', {
  launches: sum('launches'),
  bytes: sum('bytes'),
  flops: sum('flops'),
  seconds: sum('seconds'),
});
