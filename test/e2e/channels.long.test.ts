import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preprocess, writePhantom } from '../../src/imaging/index.ts';
import { evaluate, predict, predictFolder, readLog, resolveConfig, train } from '../../src/train/index.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-channels-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = ['T1', 'T1ce', 'T2', 'FLAIR'];
const place = (...parts: string[]): string => path.join(folder, ...parts);
const nnunet = place('nnunet');
const cases = ['phantom_000', 'phantom_001', 'phantom_002'];
const labels = { background: 0, liver: 1, tumour: 2 };

const fileOf = (id: string, channel: number): string =>
  path.join(nnunet, 'imagesTr', `${id}_000${channel}.nii.gz`);

/** The files of the channels of a case as one with a fourth dimension. */
function joined(id: string): Buffer {
  const parts = names.map((_, channel) => gunzipSync(readFileSync(fileOf(id, channel))));
  const [head] = parts;
  const offset = head.readFloatLE(108);
  head.writeInt16LE(4, 40);
  head.writeInt16LE(names.length, 48);
  return Buffer.concat([head.subarray(0, offset), ...parts.map((part) => part.subarray(offset))]);
}

/** The same data set in the folders of the Decathlon. */
function decathlon(): string {
  const dir = place('decathlon');
  for (const name of ['imagesTr', 'labelsTr']) mkdirSync(path.join(dir, name), { recursive: true });
  for (const id of cases) {
    writeFileSync(path.join(dir, 'imagesTr', `${id}.nii`), joined(id));
    cpSync(path.join(nnunet, 'labelsTr', `${id}.nii.gz`), path.join(dir, 'labelsTr', `${id}.nii.gz`));
  }
  const training = cases.map((id) => ({ image: `./imagesTr/${id}.nii`, label: `./labelsTr/${id}.nii.gz` }));
  const byValue = Object.fromEntries(Object.entries(labels).map(([name, value]) => [value, name]));
  const modality = Object.fromEntries(names.entries());
  writeFileSync(path.join(dir, 'dataset.json'), JSON.stringify({ modality, labels: byValue, training }));
  return dir;
}

/** The same in files that patterns find. */
function loose(): string {
  const dir = place('loose');
  for (const id of cases) {
    mkdirSync(path.join(dir, id), { recursive: true });
    for (const [channel, name] of names.entries())
      cpSync(fileOf(id, channel), path.join(dir, id, `${name}.nii.gz`));
    cpSync(path.join(nnunet, 'labelsTr', `${id}.nii.gz`), path.join(dir, id, 'seg.nii.gz'));
  }
  writeFileSync(path.join(dir, 'dataset.json'), JSON.stringify({ labels }));
  return dir;
}

let runs = 0;

function config(settings: object) {
  const out = place(`run${runs++}`);
  return resolveConfig({
    ...{ data: nnunet, out, base: 2, levels: 2, steps: 3, threads: 1, checkpointEvery: 3, size: 12 },
    ...{ validation: ['phantom_002'], ...settings },
  });
}

/** All losses of a training. */
async function losses(settings: object): Promise<unknown[]> {
  const run = config(settings);
  await train(run);
  const lines = await readLog(path.join(run.out, 'log.jsonl'));
  return lines.map((line) => ('loss' in line ? [line.kind, line.loss, line.dice] : line));
}

beforeAll(() =>
  writePhantom({
    out: nnunet,
    modality: 'mr',
    channels: 4,
    size: [16, 14, 15],
    cases: cases.length,
    seed: 3,
  }),
);

describe('scans of several channels', () => {
  it('give the same training in every layout, from a store and on every mesh, to the last bit', async () => {
    const expected = await losses({});
    expect(expected).toHaveLength(4);
    expect(await losses({ data: decathlon() })).toEqual(expected);
    const patterns = { images: '*/{T1,T1ce,T2,FLAIR}.nii.gz', labels: '*/seg.nii.gz' };
    expect(await losses({ data: loose(), ...patterns })).toEqual(expected);
    const store = place('store');
    await preprocess({ data: nnunet, out: store, size: 12 });
    expect(await losses({ data: store })).toEqual(expected);
    expect(await losses({ data: store, split: { depth: 2, height: 2 } })).toEqual(expected);
    expect(await losses({ split: { depth: 2, height: 2 } })).toEqual(expected);
    expect(await losses({ split: { channel: 2 } })).toEqual(expected);
    // Channels are normalised by what they are: other names, another training.
    expect(await losses({ normalization: ['zscore', 'zscore', 'zscore', 'rescale'] })).not.toEqual(expected);
  });

  it('are predicted from files with numbers, from a list, and from a file of volumes; and judged', async () => {
    const run = config({ augmentation: 'none' });
    await train(run);
    const kept = JSON.parse(readFileSync(path.join(run.out, 'config.json'), 'utf8'));
    expect(kept).toMatchObject({ channels: names, normalization: names.map(() => 'zscore') });
    const out = place('labels');
    const scans = path.join(nnunet, 'imagesTr');
    const { results, faults } = await predictFolder({ run: run.out, input: scans, output: out });
    expect(faults).toEqual([]);
    expect(readdirSync(out)).toEqual(cases.map((id) => `${id}.nii.gz`));
    const whole = place('joined.nii');
    writeFileSync(whole, joined(cases[0]));
    const list = names.map((_, n) => fileOf(cases[0], n)).join(',');
    for (const input of [whole, list]) {
      const one = await predict({ run: run.out, input, output: place('one.nii.gz'), overwrite: true });
      expect(one.voxels).toEqual(results[0].voxels);
      expect(readFileSync(place('one.nii.gz'))).toEqual(readFileSync(path.join(out, `${cases[0]}.nii.gz`)));
    }
    const judged = await evaluate({ run: run.out, out: place('judged') });
    expect(judged.original.cases.map(({ id }) => id)).toEqual(['phantom_002']);
  });

  it('are refused where channels are missing or lie elsewhere, by the names of case, channel and file', async () => {
    const run = config({ steps: 1 });
    await train(run);
    const output = place('refused.nii.gz');
    const of = (input: string) => predict({ run: run.out, input, output });
    await expect(of(fileOf(cases[0], 0))).rejects.toThrow(
      /_0000\.nii\.gz: the run takes 4 channels \(T1, T1ce, T2, FLAIR\); expected all of them, found one\. Give their files/,
    );
    await expect(of(`${fileOf(cases[0], 0)},${fileOf(cases[0], 1)}`)).rejects.toThrow(
      'expected 4 files, found 2',
    );
    const single = place('single.nii.gz');
    cpSync(fileOf(cases[0], 0), single);
    await expect(of(single)).rejects.toThrow(/the run takes 4 channels .* found 1 \(dim 15x14x16\)/);
    const scans = place('scans');
    cpSync(path.join(nnunet, 'imagesTr'), scans, { recursive: true });
    rmSync(path.join(scans, 'phantom_001_0002.nii.gz'));
    const { results, faults } = await predictFolder({ run: run.out, input: scans, output: place('some') });
    expect(results).toHaveLength(2);
    expect(faults.map(({ error }) => error.message)).toEqual([
      expect.stringMatching(
        /phantom_001_0002\.nii\.gz: channels of the scan phantom_001; expected its channel 2 \(T2\), found nothing/,
      ),
    ]);
    const moved = place('moved');
    cpSync(nnunet, moved, { recursive: true });
    const file = path.join(moved, 'imagesTr', 'phantom_001_0003.nii.gz');
    const bytes = gunzipSync(readFileSync(file));
    bytes.writeFloatLE(bytes.readFloatLE(280 + 12) + 40, 280 + 12);
    writeFileSync(file, bytes);
    await expect(losses({ data: moved, validation: ['phantom_000'] })).rejects.toThrow(
      /phantom_001_0003\.nii\.gz: geometry of channel 3 of case phantom_001: expected the grid of its channel 0/,
    );
    await expect(losses({ slices: 3 })).rejects.toThrow(/config "slices": .* found 4: T1, T1ce, T2, FLAIR/);
    await expect(losses({ normalization: ['zscore'] })).rejects.toThrow(
      /config "normalization": expected one for each channel .* 4 \(T1, T1ce, T2, FLAIR\), found 1/,
    );
  });

  it('of one channel that is no CT are z-scored, or windowed where a window is asked for', async () => {
    const data = place('single');
    await writePhantom({ out: data, modality: 'mr', size: 12, cases: 2 });
    const settings = { data, size: undefined, validation: undefined, steps: 2 };
    const expected = await losses(settings);
    expect(await losses({ ...settings, normalization: 'zscore' })).toEqual(expected);
    await expect(losses({ ...settings, window: { lower: -160, upper: 240 } })).rejects.toThrow(
      /window -160\.\.240/,
    );
    const windowed = config({ ...settings, window: { lower: 0, upper: 1500 } });
    await train(windowed);
    const kept = JSON.parse(readFileSync(path.join(windowed.out, 'config.json'), 'utf8'));
    expect([kept.channels, kept.normalization]).toEqual([undefined, undefined]);
  });
});
