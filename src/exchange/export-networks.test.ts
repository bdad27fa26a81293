import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { voxelCount } from '../imaging/index.ts';
import type { NetworkFunction } from '../nn/index.ts';
import { openSafetensors } from '../train/index.ts';
import { exportRun } from './export-run.ts';
import { farthest, imageOf, randomRunIn, SIZES, scoresOfRun } from './scores.testing.ts';
import { permuted } from './weights/weights.ts';

// Networks of one's own, given by modules, for other programs.

const fileOf = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const LAYERS = fileOf('test/fixtures/networks/layers.mjs');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'halomesh-networks-'));
  ort.env.wasm.numThreads = 1;
});
afterAll(() => rmSync(folder, { recursive: true }));

let modules = 0;
/** A run whose network is what a function gives, by the text of its body. */
function runOf(body: string): Promise<string> {
  const name = `module${modules++}`;
  const network = path.join(folder, `${name}.mjs`);
  writeFileSync(network, `export default (ctx, image, classes, kit) => { ${body} };`);
  return randomRunIn(folder, name, { network });
}

/** Scores in onnxruntime beside those of the run, at sizes that strides divide and others. */
async function compare(run: string, channels: number): Promise<void> {
  const onnx = `${run}.onnx`;
  await exportRun({ run, onnx });
  const session = await ort.InferenceSession.create(onnx);
  for (const size of SIZES) {
    const image = imageOf(voxelCount(size) * channels);
    const expected = await scoresOfRun(run, image, size);
    const turned = permuted(image, [...size, channels], [3, 0, 1, 2]);
    const { scores } = await session.run({
      image: new ort.Tensor('float32', turned, [1, channels, ...size]),
    });
    expect(scores.dims).toEqual([1, 3, ...size]);
    const found = permuted(scores.data as Float32Array, [3, ...size], [1, 2, 3, 0]);
    expect(Math.max(...found) - Math.min(...found)).toBeGreaterThan(0.1);
    expect(farthest(found, expected)).toBeLessThan(1e-4);
  }
  await session.release();
}

describe('a module in ONNX gives the scores of the run at any size', () => {
  it.each([
    [
      'the example of the docs on two channels with running averages',
      fileOf('docs/examples/network.mjs'),
      { ema: 0.9, channels: ['T1', 'T2'] },
    ],
    ['every layer', LAYERS, {}],
  ])('%s', async (name, network, settings) => {
    const run = await randomRunIn(folder, name, { network, ...settings });
    await compare(run, 'channels' in settings ? 2 : 1);
  });
});

it('a network given in code is given again', async () => {
  const network: NetworkFunction = (ctx, image, classes, { gelu, conv, scoresOf }) =>
    scoresOf(ctx, gelu(conv(ctx, image, { filters: 4, kernel: 3 })), classes, 1);
  const run = await runOf(
    'return kit.scoresOf(ctx, kit.gelu(kit.conv(ctx, image, { filters: 4, kernel: 3 })), classes, 1);',
  );
  const config = path.join(run, 'config.json');
  const saved = JSON.parse(readFileSync(config, 'utf8'));
  await exportRun({ run, onnx: `${run}.module.onnx` });
  writeFileSync(config, JSON.stringify({ ...saved, network: { kind: 'code', name: 'mine' } }));
  await expect(exportRun({ run, onnx: `${run}.onnx` })).rejects.toThrow('the function of network "mine"');
  await exportRun({ run, onnx: `${run}.onnx`, network });
  expect(readFileSync(`${run}.onnx`)).toEqual(readFileSync(`${run}.module.onnx`));
});

describe('what ONNX cannot be told is refused by name, and leaves no file', () => {
  it.each([
    [
      'const third = kit.slice(image, { depth: [0, Math.ceil(image.shape[1].size / 3)] }); return kit.scoresOf(ctx, kit.mul(image, kit.reduceMax(third, ["depth", "height", "width"])), classes, 1);',
      'slice',
      'a size that no value before it has cannot be exported as ONNX',
    ],
    [
      'return kit.scoresOf(ctx, kit.mul(image, kit.scalar(image, 1 + 1 / image.shape[1].size)), classes, 1);',
      'fill',
      'a number that depends on the size of the image cannot be exported as ONNX',
    ],
    [
      'return kit.scoresOf(ctx, image.shape[1].size > 600 ? kit.abs(image) : image, classes, 1);',
      'network module',
      'the network is made of other operations where the image has other sizes',
    ],
    [
      'return kit.scoresOf(ctx, kit.castTo(kit.castTo(image, "u8"), "f32"), classes, 1);',
      'cast',
      'values of u8 cannot be exported as ONNX',
    ],
  ])('%s', async (body, where, problem) => {
    const run = await runOf(body);
    const onnx = `${run}.onnx`;
    const error = await exportRun({ run, onnx }).then(
      () => 'none',
      ({ message }: Error) => message,
    );
    expect(error).toContain(problem);
    expect(error).toContain(where);
    expect(error).toContain('.safetensors');
    expect(existsSync(onnx)).toBe(false);
  });
});

it('a module in safetensors has the names of its layers and the layout of PyTorch', async () => {
  const run = await randomRunIn(folder, 'torch', { network: LAYERS });
  const safetensors = path.join(folder, 'torch.safetensors');
  await exportRun({ run, safetensors });
  const file = await openSafetensors(safetensors);
  try {
    const shapes = Object.fromEntries([...file.tensors].map(([name, { shape }]) => [name, shape]));
    expect(shapes).toMatchObject({
      'first.weight': [8, 1, 3, 3, 3],
      'first.bias': [8],
      'norm0.weight': [8],
      'grouped.weight': [12, 2, 3, 3, 3],
      'prelu.weight': [12],
      'depthwise.weight': [12, 1, 1, 3, 3],
      'norm2.running_mean': [12],
      'squeeze_excite.squeeze.weight': [3, 12],
      'low.conv0.weight': [10, 12, 3, 3, 3],
      'dense.weight': [9, 40],
      'up.weight': [9, 5, 2, 2, 2],
      'attention.psi.weight': [1, 6, 1, 1, 1],
    });
  } finally {
    await file.close();
  }
});
