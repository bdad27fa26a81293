import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportRun } from '../../src/exchange/index.ts';
import { readScan, writePhantom } from '../../src/imaging/index.ts';
import { library } from '../../src/machine/index.ts';
import { predict, resolveConfig, train } from '../../src/train/index.ts';
import { writeApp } from '../../src/view/index.ts';
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
