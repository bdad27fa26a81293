// What the WebGPU device reaches here: 3x3x3 convolutions with their gradients by channels and size, a U-Net forward and a training step,
// and how far its numbers are from those of the reference device. Needs the package `webgpu` and dist/, and nothing else.
//
//   node bench/webgpu.mjs [--sizes 64,128] [--base 16] [--levels 4] [--repeats 5] [--dist FOLDER] [--package FILE] [--json FILE]
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    sizes: { type: 'string', default: '64,128' },
    base: { type: 'string', default: '16' },
    levels: { type: 'string', default: '4' },
    repeats: { type: 'string', default: '5' },
    dist: { type: 'string', default: resolve(import.meta.dirname, '../dist') },
    package: { type: 'string' },
    json: { type: 'string' },
  },
});
const sizes = flags.sizes.split(',').map(Number);
const repeats = Number(flags.repeats);
const part = (file) => import(pathToFileURL(join(resolve(flags.dist), file)).href);
const { webgpuDevice } = await part('machine/webgpu/index.js');
const { referenceDevice } = await part('machine/reference.js');
const { Session } = await part('run/index.js');
const { buildTraining, buildPrediction } = await part('nn/index.js');
const { Graph, shape } = await part('core/index.js');
const { convRaw, convTransposeRaw, convWeightGradRaw, constant, inputOf, reduceSum, windows } =
  await part('ops/index.js');

const file = flags.package ?? createRequire(import.meta.url).resolve('webgpu');
const { create } = await import(pathToFileURL(file).href);
const gpu = create([]);
const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
if (adapter === null) throw new Error('there is no adapter: no GPU whose driver WebGPU can use');
const { vendor, architecture, device: name, description, driver } = adapter.info;
const results = [];
const tell = (row) => {
  results.push(row);
  console.log(Object.values(row).join('  '));
};
console.log(`adapter: ${[vendor, architecture, name, description, driver].filter(Boolean).join(', ')}`);
for (const limit of [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
])
  console.log(`  ${limit} ${adapter.limits[limit]}`);
console.log(`  ${[...adapter.features].sort().join(' ')}`);

const device = webgpuDevice({ gpu });
const SPACE = ['depth', 'height', 'width'];
const ALL = ['batch', ...SPACE, 'channel'];
const window = windows({ depth: 3, height: 3, width: 3 }, { padding: 'same' });
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const cube = (size, channel) => ({ batch: 1, depth: size, height: size, width: size, channel });

/** Median seconds of a run, after one that compiles. */
async function secondsOf(graph, given, outputs) {
  const session = new Session({ device, seed: 1 });
  const program = await session.load(graph);
  const run = async () => {
    const begin = performance.now();
    await program.run(given, outputs);
    await device.done();
    return (performance.now() - begin) / 1e3;
  };
  const first = await run();
  const times = [];
  for (let i = 0; i < repeats; i++) times.push(await run());
  const flops = program.plan.flops.reduce((a, b) => a + b, 0);
  session.close();
  return { seconds: median(times), first, flops };
}

/** A chain of `count` layers, whose first input is made on the device. */
function chain(kind, count, size, channels) {
  const graph = new Graph();
  const weights = shape({ kd: 3, kh: 3, kw: 3, channel: channels, out: channels });
  const weight = inputOf(graph, 'weight', weights);
  const sums = [];
  let x = convOf('conv', constant(graph, 1, shape(cube(size, channels))), weight);
  for (let i = 0; i < count; i++) {
    if (kind === 'weight gradient') sums.push(convWeightGradRaw(x, x, window, weight));
    else x = convOf(kind, x, weight);
  }
  if (kind !== 'weight gradient') sums.push(reduceSum(x, ALL, 'f64'));
  for (const [i, sum] of sums.entries()) graph.output(`out ${i}`, sum);
  if (sums.length === 0) graph.output('out', reduceSum(x, ALL, 'f64'));
  return graph;
}

function convOf(kind, x, weight) {
  return kind === 'conv'
    ? convRaw(x, weight, window, 'channel')
    : convTransposeRaw(x, weight, window, x.shape);
}

async function layers() {
  for (const size of sizes)
    for (const channels of [16, 32, 64]) {
      if (size ** 3 * channels > 2 ** 26) continue;
      const weight = Float32Array.from(
        { length: 27 * channels ** 2 },
        (_, i) => ((i * 7919) % 101) / 5e4 - 1e-3,
      );
      for (const kind of ['conv', 'input gradient', 'weight gradient']) {
        try {
          const [few, many] = [2, 6];
          const times = [];
          for (const count of [few, many])
            times.push(await secondsOf(chain(kind, count, size, channels), { weight }, []));
          const seconds = (times[1].seconds - times[0].seconds) / (many - few);
          const gflops = (2 * 27 * channels ** 2 * size ** 3) / 1e9 / seconds;
          tell({ kind, size, channels, ms: (seconds * 1e3).toFixed(3), gflops: gflops.toFixed(0) });
        } catch (error) {
          tell({ kind, size, channels, error: String(error.message ?? error).slice(0, 400) });
        }
      }
    }
}

const network = { base: Number(flags.base), levels: Number(flags.levels), classes: 3 };

async function networks() {
  for (const size of sizes) {
    const image = shape(cube(size, 1));
    const voxels = size ** 3;
    const given = {
      image: Float32Array.from({ length: voxels }, (_, i) => ((i * 7919) % 1009) / 1009),
      labels: Uint8Array.from({ length: voxels }, (_, i) => ((i * 7919) % 1009) % 3),
      step: Int32Array.of(0),
      learning_rate: Float64Array.of(0.001),
    };
    const jobs = {
      forward: [buildPrediction({ image, network }).graph, { image: given.image }, ['labels']],
      'training step': [
        buildTraining({ image, network, optimizer: { kind: 'adam' } }).graph,
        given,
        ['loss'],
      ],
    };
    for (const [kind, job] of Object.entries(jobs))
      try {
        const { seconds, first, flops } = await secondsOf(...job);
        const gflops = flops / 1e9 / seconds;
        tell({
          kind,
          size,
          base: network.base,
          ms: (seconds * 1e3).toFixed(1),
          gflops: gflops.toFixed(0),
          'first run s': first.toFixed(1),
        });
      } catch (error) {
        tell({ kind, size, error: String(error.message ?? error).slice(0, 400) });
      }
  }
}

/** Losses of three small steps beside those of the reference device. */
async function check() {
  const image = shape({ batch: 1, depth: 8, height: 12, width: 20, channel: 1 });
  const { graph } = buildTraining({
    image,
    network: { base: 16, levels: 2, keep: 1 },
    optimizer: { kind: 'adam' },
  });
  const losses = [];
  for (const one of [device, referenceDevice()]) {
    const session = new Session({ device: one, seed: 3 });
    const program = await session.load(graph);
    const found = [];
    for (let step = 0; step < 3; step++) {
      const voxels = 8 * 12 * 20;
      const given = {
        image: Float32Array.from({ length: voxels }, (_, i) => ((i * 7919) % 1009) / 1009),
        labels: Uint8Array.from({ length: voxels }, (_, i) => ((i * 7919) % 1009 > 700 ? 1 : 0)),
        step: Int32Array.of(step),
        learning_rate: Float64Array.of(0.01),
      };
      found.push((await program.run(given, ['loss'])).loss[0]);
    }
    session.close();
    losses.push(found);
  }
  console.log(`losses  ${losses[0].join(' ')}\n  of the reference  ${losses[1].join(' ')}`);
}

for (const work of [check, layers, networks])
  try {
    await work();
  } catch (error) {
    console.log(`${work.name} failed: ${error.stack ?? error}`);
  }
if (flags.json !== undefined) writeFileSync(flags.json, JSON.stringify(results, undefined, 1));
device.close();
process.exit(0);
