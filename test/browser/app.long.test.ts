import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGivenLabels } from '../../src/app/given-labels.ts';
import { openGiven, scanAmong } from '../../src/app/given-scan.ts';
import { learnScan } from '../../src/app/learn.ts';
import { exportRun } from '../../src/exchange/index.ts';
import { loadLabels } from '../../src/imaging/dataset/labels.ts';
import { readScan, writePhantom } from '../../src/imaging/index.ts';
import { canonicalGrid } from '../../src/imaging/volume/orientation.ts';
import { library } from '../../src/machine/index.ts';
import { wasmHere } from '../../src/machine/wasm-here.ts';
import { predict, resolveConfig, train } from '../../src/train/index.ts';
import { encodeWebRun } from '../../src/train/record/web-run.ts';
import { writeApp } from '../../src/view/index.ts';
import { writeSlices } from '../imaging/dicom-fixture.ts';
import { CHROMIUM, NO_CHROMIUM, openFolder, startChromium } from './chromium.ts';

/** What draws without a GPU on a busy machine takes its time. */
const SOON = { timeout: 240_000 };

describe.skipIf(CHROMIUM === undefined)(`the page of halomesh app (skipped with ${NO_CHROMIUM})`, () => {
  let dir: string;
  let browser: Browser;
  const at = (name: string) => path.join(dir, name);
  const scan = () => at('data/imagesTr/phantom_000.nii.gz');

  beforeAll(async () => {
    process.env.HALOMESH_ISA = 'base';
    expect(library().isa).toBe('base');
    dir = mkdtempSync(path.join(tmpdir(), 'halomesh-app-page-'));
    await writePhantom({ out: at('data'), size: 32, cases: 2, spacing: 6, seed: 4 });
    const settings = { steps: 4, base: 16, levels: 2, spacing: 5, seed: 5, device: 'cpu' } as const;
    await train(resolveConfig({ ...settings, data: at('data'), out: at('run') }));
    await exportRun({ run: at('run'), web: at('run.safetensors') });
    await predict({ run: at('run'), input: scan(), output: at('expected.nii.gz') });
    await writeApp(at('page'));
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(dir, { recursive: true });
    delete process.env.HALOMESH_ISA;
  });

  const state = (page: Page, name: string, value: string) =>
    page.locator(`body[data-${name}="${value}"]`).waitFor(SOON);

  it('segments a dropped scan with the labels of the baseline kernels, and asks for nothing once it is loaded', async () => {
    const { page, problems } = await openFolder(browser, at('page'));
    await state(page, 'state', 'ready');
    const asked: string[] = [];
    page.on('request', (request) => {
      if (!/^(blob|data):/.test(request.url())) asked.push(request.url());
    });
    await page.context().setOffline(true);
    await page.locator('#run').setInputFiles(at('run.safetensors'));
    await state(page, 'run', 'run');
    expect(await page.locator('#run-facts').textContent()).toContain('liver, tumour');
    await page.locator('#files').setInputFiles(scan());
    await state(page, 'scan', 'phantom_000');
    await page.locator('#start').click();
    await state(page, 'segmented', 'phantom_000');

    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()]);
    expect(download.suggestedFilename()).toBe('phantom_000_segmentation.nii.gz');
    await download.saveAs(at('got.nii.gz'));
    const unpacked = (name: string) => gunzipSync(readFileSync(at(name)));
    expect(unpacked('got.nii.gz').equals(unpacked('expected.nii.gz'))).toBe(true);

    const { data } = await readScan(at('expected.nii.gz'));
    const liver = [...data].filter((value) => value === 1).length;
    expect(liver).toBeGreaterThan(100);
    const rows = await page.locator('#volumes tr').allTextContents();
    expect(rows[0]).toBe(`liver${(liver * 0.216).toFixed(1)} ml${liver} voxels`);
    expect(await page.locator('#progress-facts').textContent()).toMatch(
      /in one pass · memory \d+ MiB of 2048 MiB/,
    );
    expect(asked).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('segments a folder of DICOM and saves that as DICOM, with the labels of predict', async () => {
    const volume = await readScan(scan());
    const [depth, rows, columns] = volume.shape;
    const uid = (number: number, value: string) => [0x8, number, 'UI', Buffer.from(value)] as const;
    const slices = Array.from({ length: depth }, (_, k) => {
      const plane = rows * columns;
      return {
        ...{ rows, columns, position: [0, 0, 6 * k], orientation: [1, 0, 0, 0, 1, 0], spacing: [6, 6] },
        ...{ slope: 1, intercept: 0, values: [...volume.data.slice(k * plane, (k + 1) * plane)] },
        more: [uid(0x16, '1.2.840.10008.5.1.4.1.1.2'), uid(0x18, `1.2.3.9.${k}`)],
      };
    });
    const named = Object.fromEntries(slices.map((slice, k) => [`slice${k}.dcm`, slice]));
    mkdirSync(at('series'));
    const series = writeSlices(at('series'), named);
    await predict({ run: at('run'), input: series, output: at('series.dcm'), format: 'dicom-seg' });
    const { page, problems } = await openFolder(browser, at('page'));
    await state(page, 'state', 'ready');
    await page.locator('#run').setInputFiles(at('run.safetensors'));
    await state(page, 'run', 'run');
    await page.locator('#folder').setInputFiles(series);
    await expect
      .poll(() => page.locator('#scan-facts').textContent(), SOON)
      .toMatch(/: DICOM · 32 x 32 x 32/);
    await page.locator('#start').click();
    await page.locator('body[data-segmented]').waitFor(SOON);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('#save-dicom').click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/_segmentation\.dcm$/);
    await download.saveAs(at('got.dcm'));
    const grid = canonicalGrid(await readScan(series));
    const names = ['background', 'liver', 'tumour'];
    const expected = await loadLabels(at('series.dcm'), grid, names);
    expect(expected.data.filter((label) => label === 1).length).toBeGreaterThan(100);
    expect(await loadLabels(at('got.dcm'), grid, names)).toEqual(expected);
    // They differ in their identifiers and the time they were made at alone.
    expect(readFileSync(at('got.dcm')).length).toBeCloseTo(readFileSync(at('series.dcm')).length, -2);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('learns from a dropped scan and its label map, with the bits of Node.js, and then segments by what it has learned', async () => {
    const { page, problems } = await openFolder(browser, at('page'));
    await state(page, 'state', 'ready');
    await page.context().setOffline(true);
    await page.locator('#files').setInputFiles(scan());
    await state(page, 'scan', 'phantom_000');
    expect(await page.locator('#learn').isDisabled()).toBe(true);
    const truth = at('data/labelsTr/phantom_000.nii.gz');
    await page.locator('#truth').setInputFiles(truth);
    await page.locator('#names').fill('liver, tumour');
    await page.locator('#steps').fill('4');
    await page.locator('#base').fill('16');
    await page.locator('#learn').click();
    await state(page, 'learned', '4');
    expect(await page.locator('#learning-facts').textContent()).toMatch(
      /^step 4 of 4 · loss \d\.\d{4}, Dice liver \d\.\d\d, tumour \S+ · .* s a step · memory \d+ MiB of 2048 MiB/,
    );
    const curve = PNG.sync.read(await page.getByLabel('loss', { exact: true }).screenshot());
    let grey = 0;
    for (let n = 0; n < curve.data.length; n += 4)
      if (Math.hypot(curve.data[n] - 152, curve.data[n + 1] - 161, curve.data[n + 2] - 179) < 40) grey++;
    expect(grey).toBeGreaterThan(100);
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save-run').click()]);
    expect(download.suggestedFilename()).toBe('phantom_000.safetensors');
    await download.saveAs(at('phantom_000.safetensors'));

    const given = (file: string) =>
      scanAmong(new Map([[path.basename(file), Uint8Array.from(readFileSync(file))]]), ['']);
    const prepare = { window: { lower: -160, upper: 240 } };
    const source = await openGiven(given(scan()), prepare);
    const labels = await readGivenLabels(given(truth), source.geometry);
    const device = wasmHere();
    const settings = { device, budget: 2 ** 31, steps: 4, base: 16, levels: 4, prepare };
    const learned = await learnScan(source, labels, { ...settings, names: ['liver', 'tumour'] });
    device.close();
    expect(readFileSync(at('phantom_000.safetensors')).equals(encodeWebRun(learned))).toBe(true);

    await page.locator('#start').click();
    await state(page, 'segmented', 'phantom_000');
    expect(await page.locator('#volumes tr').count()).toBe(2);
    expect(problems).toEqual([]);
    await page.close();
    const run = at('phantom_000.safetensors');
    await predict({ run, input: scan(), output: at('learned.nii.gz'), device: 'cpu' });
  });

  it('says what is wrong with a file that is no run, and with a scan', async () => {
    const { page, problems } = await openFolder(browser, at('page'));
    await state(page, 'state', 'ready');
    await page.locator('#run').setInputFiles(scan());
    const said = () => page.locator('#status').textContent();
    await expect.poll(said, SOON).toMatch(/^phantom_000.nii.gz: is no whole file of a run/);
    await page.locator('#files').setInputFiles(at('run.safetensors'));
    await expect.poll(said, SOON).toMatch(/^run.safetensors: /);
    expect(await page.locator('#start').isDisabled()).toBe(true);
    expect(problems).toEqual([]);
    await page.close();
  });
});
