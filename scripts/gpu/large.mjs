// A convolution of 16 channels and its gradients over images of more than 2^31 numbers. All that is read is one number, so that what must
// come out is known: every voxel whose window lies inside has the same score, and the sum over all is a count.
//
//   node scripts/gpu/large.mjs [--planes 132]        # of 1024 x 1024 voxels; 132 x 2^20 x 16 are 2^31 + 2^26 numbers
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../setup/common.mjs';

const { values } = parseArgs({
  options: { planes: { type: 'string', default: '132' }, side: { type: 'string' } },
});
const load = (name) => import(join(packageRoot, `dist/${name}/index.js`));
const { cudaDevice } = await load('machine/cuda');
const { Graph, mesh, shape } = await load('core');
const { castTo, convRaw, gradients, inputOf, reduceSum, windows } = await load('ops');
const { Session } = await load('run');

const emulated = process.env.HALOMESH_CUDA === 'emulated';
const depth = Number(values.planes);
const side = Number(values.side ?? (emulated ? 20 : 1024));
const graph = new Graph();
// One channel of ones, whose convolution is the image of 16 channels.
const image = inputOf(graph, 'image', shape({ batch: 1, depth, height: side, width: side, channel: 1 }));
const window = (k) => windows({ depth: k, height: k, width: k }, { padding: 'same' });
const first = inputOf(graph, 'first', shape({ kd: 1, kh: 1, kw: 1, channel: 1, out: 16 }));
const second = inputOf(graph, 'second', shape({ kd: 3, kh: 3, kw: 3, channel: 16, out: 16 }));
const x = castTo(convRaw(castTo(image, 'bf16'), first, window(1), 'channel'), 'bf16');
const y = castTo(convRaw(x, second, window(3), 'channel'), 'bf16');
const loss = reduceSum(castTo(y, 'f32'), ['batch', 'depth', 'height', 'width', 'channel'], 'f64');
graph.output('loss', loss);
graph.output('gradient', gradients(loss, [second])[0]);

const device = cudaDevice();
const session = new Session({ device, mesh: mesh({}), layout: {} });
const program = await session.load(graph);
const start = performance.now();
const found = await program.run({
  image: (box) => new Float32Array(box.reduce((n, { start, end }) => n * (end - start), 1)).fill(1),
  first: new Float64Array(16).fill(1),
  second: new Float64Array(27 * 256).fill(1 / 64),
});
const seconds = (performance.now() - start) / 1000;
// Pairs of a voxel and one of its window that are both inside, along an axis, by place of the kernel.
const pairs = (n) => [n - 1, n, n - 1];
const along = [pairs(depth), pairs(side), pairs(side)];
const total = along.reduce((product, list) => product * list.reduce((a, b) => a + b), 1);
// A voxel's score is a number of 16ths of its window's size: exact in bfloat16 up to 27 / 4.
const expected = (total * 16 * 16) / 64;
const near = (a, b) => Math.abs(a / b - 1) < 1e-12;
let good = near(found.loss[0], expected);
let place = 0;
for (let d = 0; d < 3; d++)
  for (let h = 0; h < 3; h++)
    for (let w = 0; w < 3; w++)
      for (let c = 0; c < 256; c++, place++) {
        const count = along[0][d] * along[1][h] * along[2][w];
        if (Math.abs(found.gradient[place] / count - 1) > 1e-6) good = false;
      }
const elements = depth * side * side * 16;
console.log(
  `${elements} numbers (${(elements / 2 ** 31).toFixed(3)} times 2^31), ${seconds.toFixed(1)} s: sum ${found.loss[0]}, expected ${expected}; gradients ${good ? 'as counted' : 'DIFFERENT'}`,
);
session.close();
device.close();
process.exit(good ? 0 : 1);
