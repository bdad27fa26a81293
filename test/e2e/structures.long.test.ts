import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  canonicalGrid,
  fingerprintDataset,
  loadLabels,
  openDataset,
  preprocess,
  readScan,
  verifyDataset,
} from '../../src/imaging/index.ts';
import { evaluate, predict, readLog, resolveConfig, train } from '../../src/train/index.ts';
import { STRUCTURES, structureCases } from '../imaging/structures-fixture.ts';

// Trainings on data sets with one file for each structure, as TotalSegmentator's, are those of the same data with one label map.

const { place, nnunet, apart, cases } = structureCases();
const names = STRUCTURES;

let runs = 0;
async function losses(settings: object): Promise<unknown[]> {
  const out = place(`run${runs++}`);
  const config = resolveConfig({
    ...{ data: apart, out, base: 2, levels: 2, steps: 2, threads: 1, checkpointEvery: 2 },
    ...{ validation: [cases[1]], window: { lower: -160, upper: 240 }, ...settings },
  });
  await train(config);
  const lines = await readLog(path.join(out, 'log.jsonl'));
  return lines.flatMap((line) =>
    line.kind === 'step' ? [line.loss] : line.kind === 'validation' ? [line.loss, line.dice] : [],
  );
}

describe('a data set with a file for each structure', () => {
  it('trains, from its files or a store, as the same data of one file do; and is judged', async () => {
    const one = await losses({ data: nnunet });
    expect(await losses({})).toEqual(one);
    const store = place('store');
    await preprocess({ data: apart, out: store, window: { lower: -160, upper: 240 } });
    expect(await losses({ data: store, split: { depth: 2 } })).toEqual(one);
    expect(await losses({ data: apart, split: { depth: 2 } })).toEqual(one);
    const found = await evaluate({ run: place('run1'), data: apart });
    const beside = await evaluate({ run: place('run0'), data: nnunet });
    expect(found.original).toEqual(beside.original);
  });

  it('is verified and looked at like others', async () => {
    const [report, other] = [await verifyDataset(apart), await verifyDataset(nnunet)];
    expect(report.cases.map(({ findings }) => findings)).toEqual(other.cases.map(({ findings }) => findings));
    expect(report.cases.map(({ labels }) => labels)).toEqual(other.cases.map(({ labels }) => labels));
    expect((await fingerprintDataset(apart)).all).toEqual((await fingerprintDataset(nnunet)).all);
  });

  it('reads what predictions with a file for each class are', async () => {
    const scan = path.join(apart, cases[0], 'ct.nii.gz');
    const again = place('again', 'one');
    mkdirSync(again, { recursive: true });
    cpSync(scan, path.join(again, 'ct.nii.gz'));
    const whole = place('whole.nii.gz');
    await predict({ run: place('run0'), input: scan, output: whole, oneFilePerClass: true });
    cpSync(place('whole'), path.join(again, 'segmentations'), { recursive: true });
    const { labelNames, cases: found } = await openDataset(place('again'));
    expect(labelNames).toEqual(['background', ...names]);
    const grid = canonicalGrid(await readScan(scan));
    expect(await loadLabels(found[0].label!, grid, labelNames)).toEqual(
      await loadLabels(whole, grid, labelNames),
    );
  });
});
