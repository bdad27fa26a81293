import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePhantom } from '../../imaging/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { readLog } from '../record/log.ts';
import { openSafetensors, writeSafetensors } from '../record/safetensors.ts';
import { train } from './train.ts';
import type { StartEvent } from './train-events.ts';

// Steps of several batches, and runs that begin with the weights of others.

const root = mkdtempSync(path.join(tmpdir(), 'halomesh-train-steps-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const data = path.join(root, 'data');
beforeAll(async () => {
  await writePhantom({ out: data, size: [14, 13, 12], cases: 4 });
});

let runs = 0;
const config = (settings: object = {}): TrainConfig =>
  resolveConfig({
    ...{ data, out: path.join(root, `run${runs++}`), base: 4, levels: 2, steps: 2, threads: 1 },
    ...{ norm: 'instance', loss: { terms: ['ce', 'case-dice'] }, ema: undefined, ...settings },
  });

async function linesOf(run: TrainConfig) {
  return (await readLog(path.join(run.out, 'log.jsonl'))).filter((line) => line.kind === 'step');
}

async function tensorsOf(run: TrainConfig): Promise<Record<string, number[]>> {
  const file = await openSafetensors(path.join(run.out, 'checkpoints', 'latest.safetensors'));
  const found: Record<string, number[]> = {};
  for (const name of file.tensors.keys()) found[name] = [...(await file.read(name))];
  await file.close();
  return found;
}

describe('accumulate', () => {
  it('takes the cases and changes of a larger batch, and gives its step', async () => {
    const [large, several] = [config({ batch: 2 }), config({ accumulate: 2 })];
    await train(large);
    await train(several);
    const [expected, found] = [await linesOf(large), await linesOf(several)];
    expect(found.map(({ cases, epoch, dice }) => ({ cases, epoch, dice }))).toEqual(
      expected.map(({ cases, epoch, dice }) => ({ cases, epoch, dice })),
    );
    for (const [n, { loss, crossEntropy, diceCase }] of expected.entries()) {
      expect(found[n].loss).toBeCloseTo(loss, 6);
      expect(found[n].crossEntropy).toBeCloseTo(crossEntropy, 6);
      expect(found[n].diceCase).toBeCloseTo(diceCase!, 6);
    }
    const [a, b] = [await tensorsOf(large), await tensorsOf(several)];
    // Sums of gradients mean nothing between steps: they are not kept.
    expect(Object.keys(b)).toEqual(Object.keys(a));
    for (const [name, numbers] of Object.entries(a))
      for (const [i, x] of numbers.entries()) expect(Math.abs(x - b[name][i])).toBeLessThan(1e-6);
  });

  it('has the same bits on every mesh, and resumed', async () => {
    const settings = { accumulate: 3, norm: 'batch', dropoutKeep: 0.8, checkpointEvery: 1 };
    const one = config(settings);
    await train(one);
    const losses = (await linesOf(one)).map(({ loss }) => loss);
    const split = config({ ...settings, split: { depth: 2 } });
    await train(split);
    expect((await linesOf(split)).map(({ loss }) => loss)).toEqual(losses);
    const first = config({ ...settings, steps: 1, schedule: { kind: 'constant' } });
    const whole = config({ ...settings, schedule: { kind: 'constant' } });
    await train(whole);
    await train(first);
    await train({ ...first, steps: 2 }, { resume: true });
    expect((await linesOf(first)).map(({ loss }) => loss)).toEqual(
      (await linesOf(whole)).map(({ loss }) => loss),
    );
    expect(await tensorsOf(first)).toEqual(await tensorsOf(whole));
  });
});

describe('init', () => {
  it('begins with the weights of a run where they agree, and says where not', async () => {
    const before = config({ ema: 0.9 });
    await train(before);
    let told: StartEvent['init'];
    const after = config({ init: before.out, classes: ['background', 'liver', 'tumour'], freeze: ['down0'] });
    const options = {
      onEvent: (event: { kind: string }) => {
        if (event.kind === 'start') told = (event as StartEvent).init;
      },
    };
    await train(after, options);
    expect(told!.file).toBe(path.join(before.out, 'checkpoints', 'best.safetensors'));
    expect(told!.layers.every(({ taken, all }) => taken === all)).toBe(true);
    const [source, kept] = [await tensorsOf(before), await tensorsOf(after)];
    // The averages are what was validated, so they are what is taken.
    const frozen = Object.keys(kept).filter((name) => name.startsWith('down0/') && !/\/(sgd|ema)/.test(name));
    expect(frozen.length).toBeGreaterThan(1);
    for (const name of frozen) expect(kept[name]).toEqual(source[`${name}/ema`]);

    const strange = path.join(root, 'strange.safetensors');
    const data = () => Promise.resolve(Float32Array.of(1));
    await writeSafetensors(strange, [{ name: 'conv.weight', dtype: 'F32', shape: [1], data }], {});
    await expect(train(config({ init: strange }))).rejects.toThrow(
      /strange.safetensors: has no weight to begin with; expected tensors such as "down0.*, found conv.weight/,
    );
    await train(config({ init: told!.file, levels: 3 }), options);
    const whole = told!.layers.filter(({ taken, all }) => taken === all).map(({ layer }) => layer);
    expect(whole).toContain('down0');
    expect(told!.layers.find(({ taken, all }) => taken < all)?.why).toMatch(
      /^(no ".*" there|".*" is .* there, .* here)$/,
    );
    await expect(train(config({ init: path.join(root, 'none.safetensors') }))).rejects.toThrow(
      'none.safetensors',
    );
  });
});
