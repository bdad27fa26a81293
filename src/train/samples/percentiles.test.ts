import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fingerprintDataset, openDataset, preprocess, readScan, writePhantom } from '../../imaging/index.ts';
import { resolveConfig } from '../config/config.ts';
import { train } from '../loop/train.ts';
import { predict } from '../predict/predict.ts';
import { readLog } from '../record/log.ts';

const root = mkdtempSync(path.join(tmpdir(), 'halomesh-percentiles-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const data = path.join(root, 'data');

let runs = 0;
const out = (): string => path.join(root, `run${runs++}`);
const settings = {
  base: 4,
  levels: 2,
  steps: 2,
  threads: 1,
  checkpointEvery: 2,
  augmentation: 'none',
} as const;

async function trained(given: object) {
  const config = resolveConfig({ data, out: out(), ...settings, ...given });
  await train(config);
  const lines = await readLog(path.join(config.out, 'log.jsonl'));
  const kept = JSON.parse(readFileSync(path.join(config.out, 'config.json'), 'utf8'));
  return { run: config.out, losses: lines.flatMap((line) => ('loss' in line ? [line.loss] : [])), kept };
}

beforeAll(() => writePhantom({ out: data, size: [14, 13, 12], cases: 3 }));

const asked = { normalization: 'ct-percentiles', validation: ['phantom_002'] };

it('become the numbers of the foreground of the training cases, from files and a store alike', async () => {
  const one = await trained(asked);
  const values: number[] = [];
  for (const { image, label } of (await openDataset(data)).cases.slice(0, 2)) {
    const [hu, labels] = [await readScan(image), await readScan(label!)];
    for (const [n, value] of hu.data.entries()) if (labels.data[n] > 0) values.push(value);
  }
  values.sort((a, b) => a - b);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const at = (share: number): number => {
    const place = share * (values.length - 1);
    const low = Math.floor(place);
    return values[low] + (place - low) * ((values[low + 1] ?? values[low]) - values[low]);
  };
  const [clip] = one.kept.normalization;
  expect(clip).toEqual({
    kind: 'clip',
    lower: expect.closeTo(at(0.005), 9),
    upper: expect.closeTo(at(0.995), 9),
    mean: expect.closeTo(mean, 9),
    deviation: expect.closeTo(deviation, 9),
  });
  // Fingerprint tells the same of all cases.
  const { foreground } = (await fingerprintDataset(data)).all;
  const all = await trained({ ...asked, validation: undefined });
  expect(all.kept.normalization[0]).toMatchObject({
    mean: foreground!.mean,
    lower: foreground!.percentiles['0.5'],
  });
  expect((await trained({ validation: asked.validation, normalization: clip })).losses).toEqual(one.losses);
  expect((await trained({ validation: asked.validation })).losses).not.toEqual(one.losses);
  const store = path.join(root, 'store');
  await preprocess({ data, out: store });
  const stored = await trained({ ...asked, data: store, split: { depth: 2 } });
  expect(stored.losses).toEqual(one.losses);
  expect(stored.kept.normalization).toEqual(one.kept.normalization);
  // The run goes on by the same numbers, and segments with them.
  const { losses } = await resumed(one.run);
  expect(losses).toHaveLength(5);
  const input = path.join(data, 'imagesTr', 'phantom_002.nii.gz');
  const { voxels } = await predict({ run: one.run, input, output: path.join(root, 'labels.nii.gz') });
  expect(Object.keys(voxels)).toEqual(['background', 'liver', 'tumour']);
});

async function resumed(run: string) {
  const config = resolveConfig({ data, out: run, ...settings, ...asked, steps: 3 });
  await train(config, { resume: true });
  const lines = await readLog(path.join(run, 'log.jsonl'));
  return { losses: lines.flatMap((line) => (line.kind === 'warning' ? [] : [line.loss])) };
}

it('are taken channel by channel', async () => {
  const several = path.join(root, 'several');
  await writePhantom({ out: several, size: 12, cases: 2, modality: 'mr', channels: 2 });
  const { kept } = await trained({ data: several, normalization: ['zscore', 'ct-percentiles'] });
  const { channels } = (await fingerprintDataset(several)).all;
  expect(kept.normalization).toEqual([
    'zscore',
    expect.objectContaining({ kind: 'clip', mean: channels![1].foreground!.mean }),
  ]);
  await expect(trained({ data: several, normalization: ['ct-percentiles'] })).rejects.toThrow(
    /config "normalization": expected one for each channel .* found 1/,
  );
});

it('are refused of a store of other voxels, and where nothing lies beneath labels', async () => {
  const store = path.join(root, 'coarse');
  await preprocess({ data, out: store, size: 8 });
  await expect(trained({ ...asked, data: store })).rejects.toThrow(
    /config "normalization": ct-percentiles is of the voxels of the files; found .*coarse, a store of others/,
  );
  const mapLabels = { 1: 0, 2: 'ignore' };
  await expect(trained({ ...asked, mapLabels, classes: ['background', 'nothing'] })).rejects.toThrow(
    /ct-percentiles of channel 0; expected voxels of different values .* found none/,
  );
});
