import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportRun } from '../exchange/index.ts';
import { readScan, writePhantom } from '../imaging/index.ts';
import { wasmHere } from '../machine/wasm-here.ts';
import { evaluate, predict, resolveConfig, train } from '../train/index.ts';
import { readWebRun } from '../train/record/web-run.ts';
import { niftiOf, openGiven, scanAmong, shownScan } from './given-scan.ts';
import { type Passes, segmentScan } from './segment.ts';

let dir: string;
const at = (name: string) => path.join(dir, name);
const bytesOf = (name: string) => Uint8Array.from(readFileSync(at(name)));
const SCAN = 'data/imagesTr/phantom_000.nii.gz';
const MIB = 2 ** 20;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'halomesh-app-'));
  await writePhantom({ out: at('data'), size: 32, cases: 2, spacing: 6, seed: 4 });
  for (const norm of ['batch', 'instance'] as const) {
    const [data, out] = [at('data'), at(norm)];
    // Parts of a small volume gain nothing.
    const size = { steps: 4, base: 16, levels: 2, spacing: norm === 'batch' ? 5 : 4 };
    await train(resolveConfig({ ...size, data, out, norm, device: 'wasm', seed: 5 }));
    await exportRun({ run: out, web: at(`${norm}.safetensors`) });
    await predict({ run: out, device: 'wasm', input: at(SCAN), output: at(`${norm}.nii.gz`) });
  }
});
afterAll(() => rmSync(dir, { recursive: true }));

const given = () => new Map([['scan.nii.gz', bytesOf(SCAN)]]);

async function segmented(norm: string, budget: number) {
  const opened = readWebRun(bytesOf(`${norm}.safetensors`), `${norm}.safetensors`);
  const source = await openGiven(scanAmong(given(), opened.run.channels), opened.run.prepare);
  const device = wasmHere();
  try {
    const passes: Passes[] = [];
    const result = await segmentScan(opened, source, { device, budget, onPass: (pass) => passes.push(pass) });
    return { ...result, passes };
  } finally {
    device.close();
    expect(device.held).toBe(0);
  }
}

describe('a scan segmented by an exported run', () => {
  it.each(['batch', 'instance'])('has the labels of predict (%s norm)', async (norm) => {
    const { labels, found, passes } = await segmented(norm, 1024 * MIB);
    const expected = await readScan(at(`${norm}.nii.gz`));
    expect(labels.data).toEqual(expected.data);
    expect(labels.affine).toEqual(expected.affine);
    const counts = [1, 2].map((label) => labels.data.filter((value) => value === label).length);
    expect(found.map(({ name, voxels }) => [name, voxels])).toEqual([
      ['liver', counts[0]],
      ['tumour', counts[1]],
    ]);
    expect(Math.max(...counts)).toBeGreaterThan(100);
    expect(found[0].millilitres).toBeCloseTo(counts[0] * 0.216, 6);
    expect(passes.map(({ done, all }) => [done, all])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it('has the same labels in blocks, within its budget', async () => {
    const whole = await segmented('batch', 1024 * MIB);
    const budget = whole.predictedBytes - 2 * MIB;
    const { labels, passes, predictedBytes } = await segmented('batch', budget);
    expect(labels.data).toEqual(whole.labels.data);
    expect(passes.length).toBeGreaterThan(2);
    expect(passes.at(-1)!.done).toBe(passes.at(-1)!.all);
    expect(predictedBytes).toBeLessThan(budget);
    for (const { bytes } of passes) expect(bytes).toBeLessThan(budget);
  });

  it('has the same labels in parts that take turns, of a network without blocks', async () => {
    const whole = await segmented('instance', 1024 * MIB);
    const { labels, predictedBytes } = await segmented('instance', whole.predictedBytes - MIB);
    expect(labels.data).toEqual(whole.labels.data);
    expect(predictedBytes).toBeLessThan(whole.predictedBytes - MIB);
  });

  it('is refused where the budget is too low', async () => {
    await expect(segmented('batch', 10 * MIB)).rejects.toThrow(
      /^memory budget: the scan does not fit; expected at least .*MiB for the network, beside .* of the scan/,
    );
  });
});

describe('the file of a run', () => {
  it.each(['batch', 'instance'])('is a run that predict takes (%s norm)', async (norm) => {
    const { checkpoint, step } = await predict({
      ...{ run: at(`${norm}.safetensors`), device: 'wasm', input: at(SCAN), output: at('by-file.nii.gz') },
      overwrite: true,
    });
    expect([checkpoint, step]).toEqual(['best', 4]);
    expect(readFileSync(at('by-file.nii.gz')).equals(readFileSync(at(`${norm}.nii.gz`)))).toBe(true);
    const other = predict({ run: at('none.safetensors'), input: at(SCAN), output: at('other.nii.gz') });
    await expect(other).rejects.toThrow(/none.safetensors: is no file of a run/);
    await expect(evaluate({ run: at(`${norm}.safetensors`), data: at('data') })).rejects.toThrow(
      /safetensors: a run that is one file says nothing of its cases/,
    );
    const latest = at(`${norm}/checkpoints/latest.safetensors`);
    await expect(predict({ run: latest, input: at(SCAN), output: at('other.nii.gz') })).rejects.toThrow(
      /latest.safetensors: is no run as one file/,
    );
  });

  const refusal = (change: (bytes: Uint8Array) => Uint8Array) => {
    try {
      readWebRun(change(bytesOf('batch.safetensors')), 'a.safetensors');
      return 'none';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const replaced = (from: string, to: string) => (bytes: Uint8Array) => {
    const place = Buffer.from(bytes).indexOf(from);
    bytes.set(Buffer.from(to), place);
    return bytes;
  };

  it('says network, preprocessing, classes and their colours', () => {
    const { run, weights } = readWebRun(bytesOf('batch.safetensors'), 'a.safetensors');
    expect(run).toMatchObject({ name: 'batch', step: 4, prepare: { spacing: 5 }, averaged: true });
    expect(run.network).toMatchObject({ base: 16, levels: 2, norm: 'batch', classes: 3 });
    expect(run.classes).toEqual(['background', 'liver', 'tumour']);
    expect(run.colors.slice(1)).toEqual(['#ffff33', '#ff3333']);
    expect(weights.get('down0/conv0/weight/ema')).toHaveLength(27 * 16);
  });

  it('is refused where it is damaged, cut off, of another version or something else', () => {
    expect(refusal((bytes) => bytes.subarray(0, 5))).toMatch(/at least 8 bytes/);
    expect(refusal((bytes) => bytes.slice(0, -1))).toMatch(/a.safetensors: is no whole file of a run/);
    expect(refusal((bytes) => bytes.fill(255, bytes.length - 2))).toMatch(/tensor ".*" is damaged/);
    expect(refusal(replaced('web run 1', 'web run 2'))).toMatch(/a header with the sum/);
    expect(refusal(() => Uint8Array.from(readFileSync(at('batch/checkpoints/latest.safetensors'))))).toMatch(
      /is no run as one file, for pages and for predict; expected format "halomesh web run 1"/,
    );
    expect(refusal(() => bytesOf(SCAN))).toMatch(/is no whole file of a run/);
  });
});

describe('the scan among given files', () => {
  const names = (...files: string[]) => new Map(files.map((file) => [file, new Uint8Array(1)]));
  const found = (files: string[], channels: string[]) => scanAmong(names(...files), channels).channels;

  it('is a file, all files of DICOM, or one file for each channel', () => {
    expect(found(['a.nii.gz'], ['ct'])).toEqual([{ file: 'a.nii.gz' }]);
    expect(found(['a.hdr', 'a.img'], ['ct'])).toEqual([{ file: 'a.hdr' }]);
    expect(found(['s/1.dcm', 's/2.dcm'], ['ct'])).toEqual([{ file: '' }]);
    expect(found(['s/1.dcm', 's/a.nii', 's/b.nii'], ['ct'])).toEqual([{ file: '' }]);
    expect(found(['p_0001.nii', 'p_0000.nii'], ['t1', 't2'])).toEqual([
      { file: 'p_0000.nii' },
      { file: 'p_0001.nii' },
    ]);
    expect(found(['p.nii'], ['t1', 't2'])).toEqual([
      { file: 'p.nii', volume: 0, volumes: 2 },
      { file: 'p.nii', volume: 1, volumes: 2 },
    ]);
    expect(() => found(['a.nii', 'b.nii'], ['ct'])).toThrow(
      /one channel; expected one scan, found 2: a.nii, b.nii/,
    );
    expect(() => found([], ['ct'])).toThrow(/no file was given/);
  });

  it('is shown and saved as NIfTI with its own voxels', async () => {
    const expected = await readScan(at(SCAN));
    const shown = await shownScan(scanAmong(given(), ['ct']));
    const again = await openGiven(scanAmong(new Map([['s.nii', shown]]), ['ct']), {});
    expect(again.geometry.original.affine).toEqual(expected.affine);
    expect(shown).toEqual(niftiOf(expected, expected.data));
  });
});
