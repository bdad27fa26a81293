import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScan, writePhantom } from '../imaging/index.ts';
import { wasmHere } from '../machine/wasm-here.ts';
import { predict } from '../train/index.ts';
import { encodeWebRun, readWebRun } from '../train/record/web-run.ts';
import { type GivenLabels, readGivenLabels } from './given-labels.ts';
import { niftiOf, openGiven, scanAmong } from './given-scan.ts';
import { type LearnedStep, type LearnSettings, learnScan } from './learn.ts';
import { segmentScan } from './segment.ts';

const GIB = 2 ** 30;
const PREPARE = { window: { lower: -160, upper: 240 } };
let dir: string;
const at = (name: string) => path.join(dir, name);
const given = (name: string, bytes = Uint8Array.from(readFileSync(at(name)))) =>
  scanAmong(new Map([[path.basename(name), bytes]]), ['image']);
const scan = () => openGiven(given('data/imagesTr/phantom_000.nii.gz'), PREPARE);
const LABELS = 'data/labelsTr/phantom_000.nii.gz';

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'halomesh-learn-'));
  await writePhantom({ out: at('data'), size: 16, cases: 1, spacing: 12, seed: 4 });
});
afterAll(() => rmSync(dir, { recursive: true }));

async function learn(settings: Partial<LearnSettings> = {}) {
  const source = await scan();
  const labels = await readGivenLabels(given(LABELS), source.geometry);
  const device = wasmHere();
  const steps: LearnedStep[] = [];
  try {
    const opened = await learnScan(source, labels, {
      ...{ device, budget: GIB, steps: 6, base: 4, levels: 2, prepare: PREPARE, seed: 3 },
      ...{ onStep: (step: LearnedStep) => steps.push(step), ...settings },
    });
    return { opened, steps, source, labels };
  } finally {
    device.close();
    expect(device.held).toBe(0);
  }
}

describe('a network that learns from one scan', () => {
  it('learns, and is a run that the app and predict take with the same labels', async () => {
    const { opened, steps, source } = await learn({ steps: 40, augment: false, names: ['liver', 'tumour'] });
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
    expect(steps.at(-1)!.loss).toBeLessThan(0.7 * steps[0].loss);
    expect(Object.keys(steps[0].dice)).toEqual(['liver', 'tumour']);
    expect(steps.at(-1)!.dice.liver).toBeGreaterThan(0.5);
    expect(steps[0].bytes).toBeGreaterThan(16 ** 3 * 9);
    expect(opened.run).toMatchObject({
      name: 'phantom_000',
      step: 40,
      classes: ['background', 'liver', 'tumour'],
    });

    const file = encodeWebRun(opened);
    expect(readWebRun(file, 'learned')).toEqual(opened);
    writeFileSync(at('learned.safetensors'), file);
    const device = wasmHere();
    const { labels } = await segmentScan(opened, source, { device, budget: GIB });
    device.close();
    const input = at('data/imagesTr/phantom_000.nii.gz');
    await predict({ run: at('learned.safetensors'), device: 'wasm', input, output: at('out.nii.gz') });
    expect((await readScan(at('out.nii.gz'))).data).toEqual(labels.data);
    expect(labels.data.filter((value) => value === 1).length).toBeGreaterThan(20);
  });

  it('changes the scan at every step, the same for a seed, and in parts within a budget', async () => {
    const whole = await learn({ steps: 3 });
    const again = await learn({ steps: 3 });
    const still = await learn({ steps: 3, augment: false });
    const losses = ({ steps }: Awaited<ReturnType<typeof learn>>) => steps.map(({ loss }) => loss);
    expect(losses(again)).toEqual(losses(whole));
    expect(losses(still)).not.toEqual(losses(whole));
    await expect(learn({ budget: 2 ** 20 })).rejects.toThrow(
      /^memory budget: a training step on the scan does not fit, in however many parts; expected at least/,
    );
  });

  it('ends when it is told to, with what it has learned', async () => {
    const end = new AbortController();
    const { opened, steps } = await learn({
      onStep: ({ step }) => {
        if (step === 2) end.abort();
      },
      signal: end.signal,
    });
    expect(steps).toEqual([]);
    expect(opened.run.step).toBe(2);
    for (const numbers of opened.weights.values()) expect(numbers.every(Number.isFinite)).toBe(true);
  });

  it('names as many classes as there are', async () => {
    await expect(learn({ names: ['liver'] })).rejects.toThrow(
      /values 1, 2; expected 2 names, found 1: liver/,
    );
  });
});

describe('a label map that was given', () => {
  const read = async (
    change: (data: Uint8Array) => ArrayLike<number>,
    { turned = false, slices = 16 } = {},
  ) => {
    const source = await scan();
    const { data, affine, shape } = await readScan(at(LABELS));
    const changed = Float32Array.from(change(Uint8Array.from(data))).subarray(0, slices * 256);
    const place = turned
      ? affine.map((n, at) => (at === 0 ? -n : at === 3 ? n + 15 * affine[0] : n))
      : affine;
    const grid = { shape: [slices, shape[1], shape[2]] as const, affine: place as typeof affine };
    return readGivenLabels(given('labels.nii', Uint8Array.from(niftiOf(grid, changed))), source.geometry);
  };

  it('may have any values, which the run keeps', async () => {
    const plain = await read((data) => data);
    const other: GivenLabels = await read((data) => data.map((value) => [0, 7, 200][value]));
    expect(plain.values).toEqual([0, 1, 2]);
    expect(other.values).toEqual([0, 7, 200]);
    expect(other.labels).toEqual(plain.labels);
    // From the right to the left.
    const turned = await read((data) => data.map((_, n) => data[n - (n % 16) + 15 - (n % 16)]), {
      turned: true,
    });
    expect(turned.labels).toEqual(plain.labels);
  });

  it('is refused where it is none', async () => {
    await expect(read((data) => data.map(() => 0))).rejects.toThrow(/found background alone/);
    await expect(read((data) => Array.from(data, (value, n) => (n === 17 ? 0.5 : value)))).rejects.toThrow(
      /label of voxel 1, 1, 0.*found 0.5/,
    );
    await expect(read((data) => data, { slices: 8 })).rejects.toThrow(/expected the grid of the scan/);
  });
});
