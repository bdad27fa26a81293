import * as hm from 'halomesh';

// Runs a convolution with the weights that PyTorch saved, split over a mesh. Nothing of the file is run as a program.
//
//   node examples/torch-weights.mjs weights.pth [NAME]      NAME: a tensor [out, in, kernel, kernel, kernel]; the first one by default

const [path, wanted] = process.argv.slice(2);
const file = await hm.openTorch(path);
// A state_dict, or a checkpoint with one in it: dictionaries are maps.
const isTensor = (value) => value?.kind === 'tensor';
const find = (value) => {
  if (!(value instanceof Map)) return undefined;
  if ([...value.values()].some(isTensor)) return value;
  return [...value.values()].map(find).find((found) => found !== undefined);
};
const tensors = [...(find(file.value) ?? [])].filter(([, tensor]) => isTensor(tensor));
for (const [name, { type, shape }] of tensors.slice(0, 10)) console.log(`${name}: ${type} [${shape}]`);
const [name, tensor] =
  tensors.find(([name, { shape }]) => (wanted ? name === wanted : shape.length === 5)) ?? [];
if (tensor === undefined)
  throw new Error(`${path} has no weights of a convolution${wanted ? ` called ${wanted}` : ''}`);
const numbers = await file.read(tensor, name);
await file.close();

// PyTorch has [out, in, kernel...]; here it is [kernel..., in, out].
const [out, channels, ...kernel] = tensor.shape;
const taps = kernel.reduce((a, b) => a * b);
const weight = Float32Array.from({ length: numbers.length }, (_, n) => {
  const [tap, c, o] = [Math.floor(n / (out * channels)), Math.floor(n / out) % channels, n % out];
  return Number(numbers[(o * channels + c) * taps + tap]);
});

const space = { depth: 12, height: 12, width: 12 };
const graph = new hm.Graph();
const image = hm.inputOf(graph, 'image', hm.shape({ batch: 1, ...space, channel: channels }));
const [kd, kh, kw] = kernel;
const given = hm.inputOf(graph, 'weight', hm.shape({ kd, kh, kw, channel_in: channels, channel: out }));
const same = (size) => {
  const pad = Math.floor(size / 2);
  return { kernel: size, stride: 1, dilation: 1, padLow: pad, padHigh: pad };
};
graph.output('y', hm.convRaw(image, given, { depth: same(kd), height: same(kh), width: same(kw) }));

const placement = { mesh: hm.mesh({ z: 2, y: 2 }), layout: { depth: 'z', height: 'y' } };
const program = await new hm.Session({ device: hm.cpuDevice(), ...placement }).load(graph);
const voxels = Float32Array.from({ length: 12 ** 3 * channels }, (_, n) => Math.sin(n));
const { y } = await program.run({ image: voxels, weight });
// The middle, by hand: what a convolution with padding of half the kernel is.
let sum = 0;
for (let k = 0; k < kd; k++)
  for (let j = 0; j < kh; j++)
    for (let i = 0; i < kw; i++)
      for (let c = 0; c < channels; c++) {
        const at = [k - (kd >> 1), j - (kh >> 1), i - (kw >> 1)].map((offset) => 6 + offset);
        const voxel = ((at[0] * 12 + at[1]) * 12 + at[2]) * channels + c;
        sum += voxels[voxel] * Number(numbers[c * taps + (k * kh + j) * kw + i]);
      }
const found = y[((6 * 12 + 6) * 12 + 6) * out];
console.log(`${name} on 2 x 2 ranks: ${found.toFixed(6)} in the middle, ${sum.toFixed(6)} by hand`);
