import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Shape3, voxelCount } from '../imaging/index.ts';
import { openSafetensors, runFolder } from '../train/index.ts';
import { exportRun } from './export-run.ts';
import { importNnunet } from './nnunet/import-nnunet.ts';
import { farthest, imageOf, randomRunIn, SIZES, scoresOfRun } from './scores.testing.ts';
import { openTorch } from './torch/torch-file.ts';
import { permuted } from './weights/weights.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../test/fixtures/exchange/${name}`, import.meta.url));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'halomesh-export-'));
  ort.env.wasm.numThreads = 1;
});
afterAll(() => rmSync(folder, { recursive: true }));

const randomRun = (name: string, settings: object) => randomRunIn(folder, name, settings);

describe('networks in ONNX', () => {
  it.each<[name: string, settings: object]>([
    ['batch norm, running averages', { base: 3, levels: 3 }],
    ['batch norm without averages', { base: 2, levels: 2, preset: 'hou2019', size: 16, precision: 'f32' }],
    ['instance norm', { base: 3, levels: 2, norm: 'instance' }],
    ['group norm', { base: 4, levels: 3, norm: 'group' }],
    ['no norm', { base: 3, levels: 2, norm: 'none' }],
    ['one level', { base: 3, levels: 1 }],
  ])('with %s give the scores of the run in onnxruntime, at any size', async (name, settings) => {
    const run = await randomRun(name, settings);
    await compare(run, 3);
  });

  it('of images as wholes give a score of each class', async () => {
    const run = await randomRun('wholes', { task: 'classify', base: 3, levels: 3 });
    const [onnx, safetensors] = ['wholes.onnx', 'wholes.safetensors'].map((name) => path.join(folder, name));
    await exportRun({ run, onnx, safetensors });
    const session = await ort.InferenceSession.create(onnx);
    for (const size of SIZES) {
      const image = imageOf(voxelCount(size));
      const { scores, probabilities } = await session.run({
        image: new ort.Tensor('float32', image, [1, 1, ...size]),
      });
      expect([scores.dims, probabilities.dims]).toEqual([
        [1, 3],
        [1, 3],
      ]);
      expect(farthest(scores.data as Float32Array, await scoresOfRun(run, image, size))).toBeLessThan(1e-4);
    }
    const written = await openSafetensors(safetensors);
    expect(written.tensors.get('output.weight')?.shape).toEqual([3, 12]);
    await written.close();
    await expect(exportRun({ run, web: path.join(folder, 'wholes.web') })).rejects.toThrow(
      'pages segment scans; expected a run that tells voxels apart, found task classify',
    );
  });

  it('on slices take these as a batch of images', async () => {
    const run = await randomRun('slices', { base: 3, levels: 2, slices: 3 });
    const onnx = path.join(folder, 'slices.onnx');
    await exportRun({ run, onnx });
    const session = await ort.InferenceSession.create(onnx);
    const size: Shape3 = [4, 9, 10];
    const image = imageOf(voxelCount(size) * 3);
    const expected = await scoresOfRun(run, image, size);
    // [depth, height, width, channel] there, [depth, channel, height, width] here.
    const input = new ort.Tensor('float32', permuted(image, [4, 9, 10, 3], [0, 3, 1, 2]), [4, 3, 9, 10]);
    const { scores } = await session.run({ image: input });
    expect(scores.dims).toEqual([4, 3, 9, 10]);
    const back = permuted(scores.data as Float32Array, [4, 3, 9, 10], [0, 2, 3, 1]);
    expect(farthest(back, expected)).toBeLessThan(1e-4);
  });

  it.each(['nnunet', 'nnunet-slabs', 'nnunet-residual'])('of %s give the same too', async (name) => {
    const run = path.join(folder, `${name}-run`);
    await importNnunet({ nnunet: fixture(name), out: run });
    await compare(run, 3);
  });

  it('of several channels take them in their order, trained here or imported', async () => {
    const names = ['T1', 'T2', 'CT'];
    const window = { lower: -100, upper: 300 };
    const normalization = ['zscore', 'zscore', 'ct'];
    const settings = { base: 3, levels: 2, channels: names, window, normalization };
    const here = await randomRun('channels', settings);
    await compare(here, 3, 3);
    const imported = path.join(folder, 'nnunet-mr-run');
    await importNnunet({ nnunet: fixture('nnunet-mr'), out: imported });
    await compare(imported, 3, 4);
    const [own, other] = [here, imported].map((run) => readFileSync(`${run}.onnx`).toString('latin1'));
    expect(own).toContain('["T1","T2","CT"]');
    expect(own).toContain('[{"kind":"zscore"},{"kind":"zscore"},{"kind":"window","lower":-100,"upper":300}]');
    expect(other).toContain('["T1","T1ce","T2","FLAIR"]');
    expect(other).toContain(
      '[{"kind":"zscore","nonZero":true},{"kind":"zscore"},{"kind":"rescale"},{"kind":"none"}]',
    );
  });

  async function compare(run: string, classes: number, channels = 1): Promise<void> {
    const onnx = `${run}.onnx`;
    await exportRun({ run, onnx });
    const session = await ort.InferenceSession.create(onnx);
    for (const size of SIZES) {
      const image = imageOf(voxelCount(size) * channels);
      const expected = await scoresOfRun(run, image, size);
      // Channels are the last dimension here, and the first after the batch there.
      const turned = permuted(image, [...size, channels], [3, 0, 1, 2]);
      const { scores, probabilities } = await session.run({
        image: new ort.Tensor('float32', turned, [1, channels, ...size]),
      });
      expect(scores.dims).toEqual([1, classes, ...size]);
      const back = (data: Float32Array) => permuted(data, [classes, ...size], [1, 2, 3, 0]);
      expect(farthest(back(scores.data as Float32Array), expected)).toBeLessThan(1e-4);
      const shares = back(probabilities.data as Float32Array);
      const sum = shares.subarray(0, classes).reduce((a, b) => a + b);
      expect(sum).toBeCloseTo(1, 5);
    }
    await session.release();
  }

  it('tell names, voxels and intensities', async () => {
    const run = await randomRun('told', {
      base: 2,
      levels: 2,
      spacing: 3,
      window: { lower: -160, upper: 240 },
    });
    const onnx = path.join(folder, 'told.onnx');
    await exportRun({ run, onnx });
    const text = readFileSync(onnx).toString('latin1');
    for (const told of [
      'classes',
      '["background","liver","tumour"]',
      'spacing_mm',
      '[3,3,3]',
      '{"kind":"window","unit":"HU","lower":-160,"upper":240}',
      'RAS+',
    ])
      expect(text).toContain(told);
  });
});

describe('networks in safetensors', () => {
  it('of several channels have them as inputs of the first convolution', async () => {
    const run = await randomRun('channels-torch', { base: 3, levels: 2, channels: ['T1', 'T2'] });
    const safetensors = path.join(folder, 'channels.safetensors');
    await exportRun({ run, safetensors });
    const file = await openSafetensors(safetensors);
    try {
      expect(file.tensors.get('down0.conv0.weight')!.shape).toEqual([3, 2, 3, 3, 3]);
      expect(file.metadata).toMatchObject({ channel_names: '["T1","T2"]' });
    } finally {
      await file.close();
    }
  });

  it('have the names and shapes of PyTorch', async () => {
    const run = await randomRun('torch', { base: 2, levels: 2 });
    const safetensors = path.join(folder, 'torch.safetensors');
    await exportRun({ run, safetensors });
    const file = await openSafetensors(safetensors);
    const shapes = Object.fromEntries([...file.tensors].map(([name, { shape }]) => [name, shape]));
    expect(shapes).toMatchObject({
      'down0.conv0.weight': [2, 1, 3, 3, 3],
      'down0.conv0.norm.weight': [2],
      'down0.conv0.norm.bias': [2],
      'down0.conv0.norm.running_mean': [2],
      'down0.conv0.norm.running_var': [2],
      'up0.transpose.weight': [4, 2, 2, 2, 2],
      'output.weight': [3, 2, 1, 1, 1],
      'output.bias': [3],
    });
    expect(file.metadata.classes).toBe('["background","liver","tumour"]');
    await file.close();
  });

  it('of nnU-Net come back as they were', async () => {
    const run = path.join(folder, 'back');
    await importNnunet({ nnunet: fixture('nnunet'), out: run });
    const safetensors = path.join(folder, 'back.safetensors');
    await exportRun({ run, safetensors });
    const [file, torch] = [
      await openSafetensors(safetensors),
      await openTorch(path.join(fixture('nnunet'), 'fold_0/checkpoint_final.pth')),
    ];
    const value = torch.value as Map<string, Map<string, Parameters<typeof torch.read>[0]>>;
    const saved = value.get('network_weights')!;
    let compared = 0;
    for (const [name, { shape }] of file.tensors) {
      expect(saved.get(name)?.shape, name).toEqual(shape);
      expect(await file.read(name), name).toEqual(await torch.read(saved.get(name)!, name));
      compared++;
    }
    expect(compared).toBe((6 + 4) * 3 + 2 * 2 + 2);
    await Promise.all([file.close(), torch.close()]);
  });
});

describe('exports', () => {
  it('refuse to write over what is there or is read, and nothing', async () => {
    const run = await randomRun('refused', { base: 2, levels: 2 });
    const onnx = path.join(folder, 'there.onnx');
    writeFileSync(onnx, 'mine');
    await expect(exportRun({ run, onnx })).rejects.toThrow('the output is there already');
    // Also where the checkpoint that is exported is another one.
    const { latest, best } = runFolder(run);
    cpSync(latest, best);
    for (const given of [
      { onnx: latest },
      { web: best, checkpoint: 'latest' },
      { safetensors: latest },
    ] as const)
      await expect(exportRun({ run, ...given, overwrite: true })).rejects.toThrow(
        'the output is a file that is read',
      );
    rmSync(best);
    const file = path.join(folder, 'page.safetensors');
    await exportRun({ run, web: file });
    const bytes = readFileSync(file);
    await expect(exportRun({ run: file, safetensors: file, overwrite: true })).rejects.toThrow(
      'the output is a file that is read',
    );
    expect(readFileSync(file)).toEqual(bytes);
    await expect(exportRun({ run })).rejects.toThrow(
      'expected an ONNX file, a safetensors file or one for pages to write',
    );
    expect(readFileSync(onnx, 'utf8')).toBe('mine');
    await exportRun({ run, onnx, overwrite: true });
    expect(readFileSync(onnx).length).toBeGreaterThan(1000);
  });

  it('refuse a run without a network', async () => {
    const run = path.join(folder, 'empty');
    mkdirSync(run);
    await expect(exportRun({ run, onnx: path.join(folder, 'empty.onnx') })).rejects.toThrow(
      'is no folder of a run',
    );
    expect(existsSync(path.join(folder, 'empty.onnx'))).toBe(false);
  });
});
