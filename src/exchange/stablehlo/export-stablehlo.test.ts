import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mesh } from '../../core/index.ts';
import { openSafetensors, runFolder } from '../../train/index.ts';
import { randomRunIn } from '../scores.testing.ts';
import { exportStablehlo, type StablehloOptions } from './export-stablehlo.ts';

let folder = '';
let run = '';
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'halomesh-stablehlo-'));
  run = await randomRunIn(folder, 'run', { base: 2, levels: 2, size: 8 });
});
afterAll(() => rmSync(folder, { recursive: true }));

const halves = { mesh: mesh({ a: 2 }), layout: { depth: 'a' } };
const write = (name: string, options: Partial<StablehloOptions> = {}) =>
  exportStablehlo({ run, stablehlo: path.join(folder, name), ...options });

interface Described {
  readonly arguments: readonly { readonly kind: string; readonly name: string; readonly whole: number[] }[];
  readonly results: readonly { readonly kind: string }[];
}

describe('programs for XLA', () => {
  it('are a prediction and a step, with the numbers of the checkpoint', async () => {
    const written = await write('whole');
    expect(written.map((file) => path.basename(file))).toEqual([
      'predict.mlir',
      'predict.options',
      'step.mlir',
      'step.options',
      'weights.safetensors',
      'programs.json',
      'run.py',
    ]);
    expect(readdirSync(path.join(folder, 'whole')).sort()).toEqual(
      written.map((file) => path.basename(file)).sort(),
    );
    const { programs, ...about } = JSON.parse(readFileSync(written[5], 'utf8'));
    expect(about).toEqual({ classes: ['background', 'liver', 'tumour'], steps: 7 });
    const weights = await openSafetensors(written[4]);
    const checkpoint = await openSafetensors(runFolder(run).latest);
    expect(Object.keys(programs)).toEqual(['predict', 'step']);
    for (const [name, { arguments: takes, results }] of Object.entries<Described>(programs)) {
      const text = readFileSync(path.join(folder, 'whole', `${name}.mlir`), 'utf8');
      expect(text.match(/%arg\d+: tensor/g)?.length).toBe(takes.length);
      for (const { kind, name: key, whole } of takes)
        if (kind === 'variable') expect(weights.tensors.get(key)?.shape).toEqual(whole);
      // Every variable that a step changes gives its memory to its new value.
      const changed = results.filter(({ kind }) => kind === 'variable');
      expect(text.match(/tf\.aliasing_output/g)?.length ?? 0).toBe(changed.length);
      expect(changed.length > 0).toBe(name === 'step');
    }
    for (const name of checkpoint.tensors.keys())
      if (weights.tensors.has(name)) expect(await weights.read(name)).toEqual(await checkpoint.read(name));
    await Promise.all([weights.close(), checkpoint.close()]);
  });

  it('are told of a layout, and split by halomesh beside it', async () => {
    const written = await write('halves', halves);
    const text = (name: string) => readFileSync(path.join(folder, 'halves', name), 'utf8');
    expect(written).toHaveLength(11);
    expect(text('step.mlir')).toContain('sdy.mesh @mesh = <["a"=2]>');
    expect(text('step.mlir')).not.toContain('collective_permute');
    expect(text('step.split.mlir')).toContain('collective_permute');
    expect(text('step.split.mlir')).toContain('all_reduce');
    const { programs } = JSON.parse(text('programs.json'));
    expect(programs['predict.split'].mesh).toEqual({ a: 2 });
    expect(programs['predict.split'].arguments[0]).toEqual({
      ...{ name: 'image', kind: 'input', dtype: 'float32' },
      dims: ['batch', 'depth', 'height', 'width', 'channel'],
      ...{ shape: [1, 8, 8, 8, 1], whole: [1, 8, 8, 8, 1], axes: [null, 'a', null, null, null] },
    });
    await write('gspmd', { ...halves, sharding: 'gspmd' });
    expect(readFileSync(path.join(folder, 'gspmd', 'predict.mlir'), 'utf8')).toContain(
      'mhlo.sharding = "{devices=[1,2,1,1,1]<=[2]}"',
    );
  });

  it('of uneven blocks are split by halomesh alone', async () => {
    const thirds = { mesh: mesh({ a: 3 }), layout: { depth: 'a' } };
    await expect(write('thirds', thirds)).rejects.toThrow(
      'split depth=3: "image" is not cut into equal parts, which arrays of JAX are; expected a number of parts that divides 8',
    );
    expect(readdirSync(folder)).not.toContain('thirds');
    await write('thirds', { ...thirds, sharding: 'none' });
    expect(readFileSync(path.join(folder, 'thirds', 'predict.mlir'), 'utf8')).toContain(
      'num_partitions = 1 ',
    );
    const { programs } = JSON.parse(readFileSync(path.join(folder, 'thirds', 'programs.json'), 'utf8'));
    const [{ shape, whole, places }] = programs['predict.split'].arguments;
    expect([shape, whole]).toEqual([
      [1, 9, 8, 8, 1],
      [1, 8, 8, 8, 1],
    ]);
    expect(places[1]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, -1]);
  });

  it('need a size, and replace nothing unasked', async () => {
    const free = await randomRunIn(folder, 'free', { base: 2, levels: 2 });
    await expect(write('free-out', { run: free })).rejects.toThrow(
      '--size: expected the voxels along depth, height and width, found none',
    );
    await write('free-out', { run: free, size: [4, 4, 6] });
    await expect(write('free-out', { run: free, size: [4, 4, 6] })).rejects.toThrow('--overwrite');
    await write('free-out', { run: free, size: [4, 6, 6], overwrite: true });
  });

  it('hold no float64 where a device has none', async () => {
    await write('narrow', { wide: 'f32' });
    for (const name of ['predict.mlir', 'step.mlir'])
      expect(readFileSync(path.join(folder, 'narrow', name), 'utf8')).not.toMatch(/xf64>|<f64>/);
  });
});
