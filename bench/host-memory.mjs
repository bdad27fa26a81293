// Memory and time of everything on the host: reading, preparing, augmenting, predicting, evaluating, training, the phantom.
// Each stage runs in a fresh process on a phantom of SIZE^3 voxels and reports its highest resident memory.
//
//   node bench/host-memory.mjs [--size 512] [--stages read,prepare] [--data FOLDER] [--dist FOLDER] [--keep]
//
// "host" is the peak less Node.js itself and, where a network runs, less the arenas and variables that its plan counts.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '512' },
    stages: { type: 'string' },
    data: { type: 'string' },
    dist: { type: 'string', default: resolve(import.meta.dirname, '../dist') },
    keep: { type: 'boolean', default: false },
    stage: { type: 'string' }, // of a child process
  },
});
const size = Number(flags.size);
const folder = resolve(flags.data ?? mkdtempSync(join(tmpdir(), 'halomesh-host-memory-')));
const hm = await import(pathToFileURL(join(resolve(flags.dist), 'index.js')).href);
const MiB = 2 ** 20;

const set = join(folder, 'set');
const scan = join(set, 'imagesTr/phantom_000.nii.gz');
const truth = join(set, 'labelsTr/phantom_000.nii.gz');
/** The same scan in another axis order, with a slope, not compressed; and its labels in that order as int16. */
const turned = join(folder, 'turned.nii');
const turnedTruth = join(folder, 'turned-label.nii');
const run = join(folder, 'run');

/** Index axes i, j, k run to the feet, to the left and to the back. */
const turnedAffine = [0, -1, 0, 0, 0, 0, -1, 0, -1, 0, 0, 0, 0, 0, 0, 1];

async function writeTurned() {
  for (const [from, to, type] of [
    [scan, turned, 'int16'],
    [truth, turnedTruth, 'int16'],
  ]) {
    const volume = await hm.readScan(from);
    await hm.writeNifti(to, { ...volume, affine: turnedAffine }, { type });
  }
  const header = Buffer.alloc(8);
  header.writeFloatLE(0.5, 0); // scl_slope
  header.writeFloatLE(-24, 4); // scl_inter
  const file = openSync(turned, 'r+');
  writeSync(file, header, 0, 8, 112);
}

/** A small network that was trained for two steps on small volumes: its sizes do not matter here. */
async function trainSmall() {
  const data = join(folder, 'small');
  await hm.writePhantom({ out: data, size: 16, cases: 1 });
  await hm.train(config({ data, out: run }));
}

const config = (more) =>
  hm.resolveConfig({
    ...{ base: 2, levels: 2, steps: 2, precision: 'bf16', augmentation: 'paper', statisticsCases: 0 },
    ...more,
  });

function fill(array, value) {
  for (let n = 0; n < array.length; n++) array[n] = value(n);
  return array;
}

const volume = () => ({
  image: fill(new Float32Array(size ** 3), (n) => (n % 1000) / 1000),
  labels: fill(new Uint8Array(size ** 3), (n) => n % 3),
  shape: [size, size, size],
});

const everything = {
  flip: [1, 0, 1],
  rotate180: 0,
  affine: { probability: 1, transformRatio: 0.1, translateRatio: 0.05 },
  noise: { probability: 1, ratio: 0.1 },
  intensity: { probability: 1, scale: 0.2, shift: 0.1 },
};

const key = { seed: 1, caseIndex: 0, step: 0 };
const entry = { id: 'a', image: scan, label: truth };
const turnedEntry = { id: 'b', image: turned, label: turnedTruth };
const prepare = async (which, options) => {
  const { image, shape } = await hm.loadCase(which, options);
  return `${shape.join('x')}, mean ${mean(image)}`;
};

/** A number that shows that two versions do the same. */
function mean(values) {
  let sum = 0;
  for (let n = 0; n < values.length; n++) sum += values[n];
  return (sum / values.length).toPrecision(12);
}

function restoreInput(shape) {
  const original = { shape: [size, size, size], affine: turnedAffine };
  const geometry = hm.prepareCase('x', { ...original, data: new Uint8Array(size ** 3) }, undefined, {
    size: shape,
  });
  const labels = fill(new Uint8Array(geometry.image.length), (n) => (n >> 6) % 3);
  return [labels, { ...geometry, image: undefined }];
}

const stages = {
  phantom: () => hm.writePhantom({ out: join(folder, 'other'), size, cases: 1, seed: 2 }),
  'read .nii.gz': async () => mean((await hm.readScan(scan)).data),
  'read .nii, scaled': async () => mean((await hm.readScan(turned)).data),
  'read and turn': async () => mean(hm.toCanonical(await hm.readScan(turned)).volume.data),
  prepare: () => prepare(entry, {}),
  'prepare, turned and scaled': () => prepare(turnedEntry, {}),
  'prepare, down to 3/4': () => prepare(turnedEntry, { size: (size * 3) / 4 }),
  'prepare, resampled at its size': () => prepare(turnedEntry, { size: [size - 2, size, size] }),
  augment: async () => {
    const before = volume();
    const start = performance.now();
    const { image, labels } = await hm.augmentBox(
      new hm.MemorySource({ id: 'x', ...before }),
      everything,
      key,
    );
    const seconds = (performance.now() - start) / 1000;
    return `${seconds.toFixed(1)} s alone, means ${mean(image)} ${mean(labels)}`;
  },
  'restore, turned': async () => mean(hm.restoreLabels(...restoreInput(size)).data),
  'restore, from 3/4': async () => mean(hm.restoreLabels(...restoreInput((size * 3) / 4)).data),
  'write .nii.gz': async () => {
    const { labels, shape } = volume();
    await hm.writeNifti(join(folder, 'written.nii.gz'), { data: labels, shape, affine: turnedAffine });
  },
  predict: async () => {
    const output = join(folder, 'predicted.nii.gz');
    const { voxels } = await hm.predict({ run, input: scan, output });
    return JSON.stringify(voxels);
  },
  evaluate: async () => {
    const { original } = await hm.evaluate({ run, data: set });
    return `accuracy ${original.accuracy}`;
  },
  train: async () => {
    const out = join(folder, 'large-run');
    rmSync(out, { recursive: true, force: true });
    const onEvent = (event) => {
      if (event.kind === 'start') trainingPlan = event.plan;
    };
    const { last } = await hm.train(config({ data: set, out }), { onEvent });
    return `loss ${last.loss}`;
  },
};

/** Of the stage that trains. */
let trainingPlan;

/** Bytes of arenas and variables of a stage that runs a network. */
function planBytes(stage) {
  let plan = trainingPlan;
  if (stage === 'predict' || stage === 'evaluate') {
    const image = hm.shape({ batch: 1, depth: size, height: size, width: size, channel: 1 });
    const network = { base: 2, levels: 2, classes: 3, norm: 'batch' };
    const { graph } = hm.buildPrediction({ image, network, storage: 'bf16' });
    plan = hm.explainPlan(hm.makePlan(graph, hm.mesh({}), {}, hm.cpuDevice()));
  }
  return (plan?.ranks ?? []).reduce(
    (sum, { arenaBytes, variableBytes }) => sum + arenaBytes + variableBytes,
    0,
  );
}

if (flags.stage !== undefined) {
  const start = performance.now();
  const result = (await stages[flags.stage]?.()) ?? '';
  const seconds = (performance.now() - start) / 1000;
  const peak = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({ seconds, peak, plan: planBytes(flags.stage), result: String(result) }));
} else {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(scan)) await hm.writePhantom({ out: set, size, cases: 1, seed: 1 });
  if (!existsSync(turned)) await writeTurned();
  if (!existsSync(run)) await trainSmall();
  const base = report('nothing').peak;
  console.log(`Node.js and the package: ${(base / MiB).toFixed(0)} MiB\n`);
  console.log(
    `${'stage'.padEnd(34)}${'seconds'.padStart(8)}${'peak MiB'.padStart(10)}${'host MiB'.padStart(10)}  B/voxel`,
  );
  for (const name of flags.stages?.split(';') ?? Object.keys(stages)) {
    const { seconds, peak, plan, result } = report(name);
    const host = peak - base - plan;
    const numbers = `${seconds.toFixed(1).padStart(8)}${(peak / MiB).toFixed(0).padStart(10)}${(host / MiB).toFixed(0).padStart(10)}`;
    console.log(`${name.padEnd(34)}${numbers}${(host / size ** 3).toFixed(1).padStart(9)}  ${result}`);
  }
  if (!flags.keep && flags.data === undefined) rmSync(folder, { recursive: true });
}

function report(stage) {
  const args = [
    import.meta.filename,
    '--stage',
    stage,
    '--size',
    flags.size,
    '--data',
    folder,
    '--dist',
    flags.dist,
  ];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`stage "${stage}" failed:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}
