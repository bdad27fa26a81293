// What moves and launches cost on the GPU of this machine: numbers that plans assume.
import { join } from 'node:path';
import { packageRoot } from '../setup/common.mjs';

const load = (name) => import(join(packageRoot, `dist/${name}/index.js`));
const { cudaDevice } = await load('machine/cuda');
const device = cudaDevice();
const count = process.env.HALOMESH_CUDA === 'emulated' ? 2 ** 16 : 2 ** 26;

const type = (shape, dtype = 'f32') => {
  const plain = { shape, dtype };
  return { ...plain, format: device.target.plain(plain) };
};
const memory = device.allocate(0);
function tensor(size) {
  const line = type([{ name: 'line', size }]);
  const box = [{ start: 0, end: size }];
  const own = device.allocate(line.format.bytes(box));
  return { own, box, at: device.tensor(own, 0, line, box) };
}
/** Seconds of the fastest of some runs, after one that is not counted. */
async function fastest(run) {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    await run();
    await device.done();
    if (i > 0) best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}
const say = (name, value) => console.log(`${name.padEnd(34)}  ${value}`);
const rate = (name, seconds) =>
  say(name, `${((4 * count) / seconds / 1e9).toFixed(1)} GB/s (${(4 * count) / 2 ** 20} MiB)`);

const [x, y] = [tensor(count), tensor(count)];
const numbers = new Float32Array(count);
rate('to the GPU', await fastest(() => device.upload(x.at, x.box, numbers)));
rate('from the GPU', await fastest(() => device.download(x.at, x.box)));
const copy = device.copy(y.at, x.at, x.box);
rate('copied by the kernel of moves', await fastest(() => copy.run()));
const spill = device.openSpill(undefined, 4 * count);
rate('to pinned memory', await fastest(() => spill.settled(spill.write(x.at, 0))));
rate('from pinned memory', await fastest(() => spill.settled(spill.read(x.at, 0))));
spill.close();
const [a, b] = [tensor(8), tensor(8)];
const LAUNCHES = 500;
const small = device.copy(a.at, b.at, a.box);
const all = Array.from({ length: LAUNCHES }, () => small);
const each = (seconds) => `${((1e6 * seconds) / LAUNCHES).toFixed(2)} us`;
say(
  'a launch',
  each(
    await fastest(() => {
      for (const one of all) one.run();
    }),
  ),
);
const graph = device.capture(all, memory);
say('a launch of a graph', each(await fastest(() => graph.run())));
for (const { own } of [x, y, a, b]) device.free(own);
device.free(memory);
device.close();
