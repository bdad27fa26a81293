// How losses of a training in float32 part from the CPU's, beside how those of the CPU part from its own where the image is changed in its
// last bits, and how near to each other gradients are, variable by variable.
//
//   node scripts/gpu/drift.mjs [--size 64] [--base 16] [--levels 3] [--steps 20] [--rate 0.01]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../setup/common.mjs';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '64' },
    base: { type: 'string', default: '16' },
    levels: { type: 'string', default: '3' },
    steps: { type: 'string', default: '20' },
    rate: { type: 'string', default: '0.01' },
  },
});
const [size, base, levels, steps, rate] = ['size', 'base', 'levels', 'steps', 'rate'].map((name) =>
  Number(values[name]),
);
const load = (name) => import(join(packageRoot, `dist/${name}/index.js`));
const { cpuDevice } = await load('machine');
const { cudaDevice } = await load('machine/cuda');
const { mesh, shape, uniform } = await load('core');
const { Session } = await load('run');
const { buildTraining, Context, deepLoss, networkConfig, networkLevels } = await load('nn');
const { gradients, inputOf } = await load('ops');

const voxels = size ** 3;
const dims = { batch: 1, depth: size, height: size, width: size, channel: 1 };
const labels = Uint8Array.from({ length: voxels }, (_, i) => 3 * uniform(4, 5, 6, i));
/** `changed`: by how much, relative to each number. */
const imageOf = (changed) =>
  Float32Array.from(
    { length: voxels },
    (_, i) => uniform(1, 2, 3, i) * (1 + changed * (uniform(7, 8, 9, i) - 0.5)),
  );

async function lossesOf(device, changed = 0) {
  const { graph } = buildTraining({
    image: shape(dims),
    network: { base, levels },
    storage: 'f32',
    optimizer: { kind: 'adam' },
  });
  const session = new Session({ device, mesh: mesh({}), layout: {}, seed: 3 });
  const program = await session.load(graph);
  const image = imageOf(changed);
  const losses = [];
  for (let step = 0; step < steps; step++) {
    const feeds = { image, labels, step: Int32Array.of(step), learning_rate: Float64Array.of(rate) };
    losses.push((await program.run(feeds, ['loss'])).loss[0]);
  }
  session.close();
  return losses;
}

async function gradientsOf(device) {
  const ctx = new Context({ seed: 5, training: true, storage: 'f32', deep: false });
  const scores = networkLevels(
    ctx,
    inputOf(ctx.graph, 'image', shape(dims)),
    networkConfig({ base, levels, keep: 0.8 }),
    false,
  );
  void ctx.step;
  const { loss } = deepLoss(scores, inputOf(ctx.graph, 'labels', shape(dims).slice(0, -1), 'u8'));
  const wrt = ctx.trainable;
  gradients(
    loss,
    wrt.map(({ value }) => value),
  ).forEach((gradient, i) => {
    ctx.graph.output(wrt[i].name, gradient);
  });
  const session = new Session({ device, mesh: mesh({}), layout: {}, seed: 9 });
  const program = await session.load(ctx.graph);
  const found = await program.run({ image: imageOf(0), labels, step: Int32Array.of(3) });
  session.close();
  return found;
}

const [cpu, cuda] = [cpuDevice(), cudaDevice()];
const norm = (list) => Math.sqrt(list.reduce((sum, x) => sum + x * x, 0));
const [expected, found] = [await gradientsOf(cpu), await gradientsOf(cuda)];
let worst = 0;
for (const [name, data] of Object.entries(expected)) {
  const list = [...data];
  const error = norm(list.map((x, i) => x - found[name][i])) / norm(list);
  worst = Math.max(worst, error);
  console.log(
    `gradient of ${name.padEnd(28)} apart by ${error.toExponential(1)} of its norm ${norm(list).toExponential(1)}`,
  );
}
const losses = await lossesOf(cpu);
const parted = async (what, others) =>
  console.log(
    `${what.padEnd(40)} ${(await others).map((x, i) => (x / losses[i] - 1).toExponential(1)).join(' ')}`,
  );
await parted('losses of the GPU, from the CPU', lossesOf(cuda));
await parted('of the CPU with its image off by 1e-7', lossesOf(cpu, 1.2e-7));
cpu.close();
cuda.close();
// What single products and sums round to; a fault of a kernel lies far above it.
if (worst > 2e-5) console.log(`gradients apart by ${worst.toExponential(1)}: more than rounding explains`);
process.exit(worst > 2e-5 ? 1 : 0);
