import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stained, writeStained } from '../../../test/stained.ts';
import { readScan, writePhantom } from '../../imaging/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { predict } from '../predict/predict.ts';
import { openSafetensors } from '../record/safetensors.ts';
import { numbersOf } from './run-numbers.testing.ts';
import { train } from './train.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-train-plane-'));
const data = path.join(folder, 'data');
beforeAll(() => writeStained(data, 4));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function config(settings: object): TrainConfig {
  const out = path.join(folder, `run${made++}`);
  return resolveConfig({
    ...{ data, out, plane: true, base: 4, levels: 2, steps: 2, threads: 1, checkpointEvery: 2 },
    ...{ validation: ['slide_003'], ...settings },
  });
}

/** Losses, scores and weights of a run. */
async function numbers(run: TrainConfig): Promise<unknown> {
  await train(run);
  return numbersOf(run);
}

describe('a training on pictures', () => {
  it.each([
    [{}, [{ height: 2 }, { height: 3, width: 2 }]],
    [{ batch: 2, precision: 'bf16' }, [{ batch: 2, width: 3 }]],
    [{ network: 'nnunet' }, [{ height: 3, width: 2 }]],
    [{ patch: [1, 30, 27], norm: 'group' }, [{ height: 3, width: 2 }]],
    [{ augmentation: 'pathology', ignoreGlass: true }, [{ height: 3, channel: 2 }]],
  ] as const)('of %j has the same numbers on every split', async (settings, splits) => {
    const expected = await numbers(config(settings));
    for (const split of splits) expect(await numbers(config({ ...settings, split }))).toEqual(expected);
  });

  it('has windows over height and width, evaluates, and predicts on a split what it predicts on none', async () => {
    const run = config({ size: 24 });
    await train(run);
    const file = await openSafetensors(path.join(run.out, 'checkpoints', 'latest.safetensors'));
    const kernels = [...file.tensors].filter(([name]) => name.endsWith('down0/conv0/weight'));
    expect(kernels.map(([, { shape }]) => shape)).toEqual([[3, 3, 3, 4]]);
    await file.close();
    expect((await evaluate({ run: run.out })).original.cases.map(({ id }) => id)).toEqual(['slide_003']);
    const input = [0, 1, 2].map((c) => path.join(data, 'imagesTs', `slide_004_000${c}.nii`)).join(',');
    const [whole, split] = ['whole.nii', 'split.nii'].map((name) => path.join(folder, name));
    await predict({ run: run.out, input, output: whole });
    await predict({ run: run.out, input, output: split, split: { height: 3, width: 2 } });
    expect(readFileSync(split).equals(readFileSync(whole))).toBe(true);
  });

  it('leaves glass out of the loss, and writes background there', async () => {
    const run = config({ ignoreGlass: true, augmentation: 'none' });
    await train(run);
    expect(JSON.parse(readFileSync(path.join(run.out, 'config.json'), 'utf8'))).toMatchObject({
      ignore: true,
    });
    const input = [0, 1, 2].map((c) => path.join(data, 'imagesTs', `slide_004_000${c}.nii`)).join(',');
    const output = path.join(folder, 'glass.nii');
    await predict({ run: run.out, input, output });
    const { data: predicted } = await readScan(output);
    const { labels } = stained(4);
    expect([...predicted].filter((label, n) => label !== 0 && labels[n] === 0)).toEqual([]);
    expect([...predicted].some((label) => label !== 0)).toBe(true);
  });

  it('refuses glass and stains where channels are no colours', async () => {
    const volumes = path.join(folder, 'grey');
    await writePhantom({ out: volumes, size: [6, 8, 8], cases: 2 });
    const grey = { data: volumes, validation: [], plane: false };
    await expect(train(config({ ...grey, ignoreGlass: true }))).rejects.toThrow(
      'config "ignoreGlass": glass is told by three colours; expected channels red, green and blue with the normalization rgb, or clip from 0 to 255, found one channel',
    );
    await expect(train(config({ ...grey, augmentation: 'pathology' }))).rejects.toThrow(
      'config "augmentation": stain is told by three colours',
    );
  });

  it('refuses volumes, slices beside it, and sizes of no picture', async () => {
    const volumes = path.join(folder, 'volumes');
    await writePhantom({ out: volumes, size: [6, 8, 8], cases: 2 });
    await expect(train(config({ data: volumes, validation: [] }))).rejects.toThrow(
      'a network of pictures (plane) sees volumes of depth 1; expected a picture, or one slice, found 6 slices',
    );
    expect(() => config({ slices: 3 })).toThrow('config "plane": expected nothing beside slices, found true');
    expect(() => config({ size: 50_000 })).toThrow(
      '"size": expected a whole number of at least 1 and at most 46340',
    );
    expect(() => config({ plane: false, size: 16_384 })).toThrow(
      '"size": expected a whole number of at least 1 and at most 1290, found 16384. Only pictures can be as large: give plane (--plane) too',
    );
  });
});
