import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePhantom } from '../../src/imaging/index.ts';
import { PageFiles, saveView, serveView, View, type ViewServer } from '../../src/view/index.ts';
import { stepLine, WICKED, writeBrains, writeExample } from '../../src/view/view.testing.ts';
import { CHROMIUM, NO_CHROMIUM, startChromium } from './chromium.ts';
import { type Color, openPage, pixelsNear, shown } from './pages.ts';

/** What draws without a GPU on a busy machine takes its time. */
const SOON = { timeout: 240_000 };

describe.skipIf(CHROMIUM === undefined)(`the page of halomesh view (skipped with ${NO_CHROMIUM})`, () => {
  let dir: string;
  let view: View;
  let server: ViewServer;
  let browser: Browser;
  const built = new PageFiles(path.resolve(import.meta.dirname, '../../dist/web'));

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'halomesh-browser-'));
    const { run } = await writeExample(dir);
    view = await View.open({ paths: [run] });
    server = await serveView(view, built);
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    view?.close();
    rmSync(dir, { recursive: true });
  });

  const open = (url: string) => openPage(browser, url, { own: server.url, timeout: 120_000 });
  const pixels = (page: Page, color: Color, most = 90) => pixelsNear(page.locator('#frame'), color, most);

  it('shows scan, overlays and the cases from the worst on, and goes where a lesion is', async () => {
    const { page, problems } = await open(server.url);
    await shown(page, WICKED);
    expect(
      await page
        .locator('#cases tbody tr')
        .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-case'))),
    ).toEqual([WICKED, 'case1']);
    // A name with markup is text, in the table and in the title.
    expect(await page.locator('#cases tbody tr td').first().textContent()).toContain(WICKED);
    expect(await page.title()).toBe('run, halomesh');

    await page.getByText('opacity').locator('input').fill('1');
    await page.locator('.lesion').first().waitFor();
    const yellow = [255, 255, 51] as const;
    const withLiver = await pixels(page, yellow);
    expect(withLiver).toBeGreaterThan(1000);
    await page.getByLabel('liver', { exact: true }).uncheck();
    await expect.poll(() => pixels(page, yellow), SOON).toBeLessThan(withLiver / 4);
    await page.getByLabel('liver', { exact: true }).check();
    await expect.poll(() => pixels(page, yellow), SOON).toBeGreaterThan(1000);
    await page.getByLabel('outlines').check();
    await expect.poll(() => pixels(page, yellow), SOON).toBeLessThan(withLiver * 0.8);

    const lesions = await page.locator('.lesion').allTextContents();
    expect(lesions.map((text) => text.replace(/[\d.].*/, ''))).toEqual([
      'truth, found',
      'prediction, matches',
      'truth, missed',
      'prediction, false',
    ]);
    await page.locator('.lesion').nth(2).click();
    await expect
      .poll(() => page.locator('#place').textContent(), SOON)
      .toMatch(/^L 2\.0, [AP] 0\.0, S 3\.0 mm {3}voxel 7, 7, 7/);
    expect(await page.locator('#place').textContent()).toMatch(/truth: tumour {3}run: liver/);
    await page.locator('.lesion').nth(3).click();
    await expect
      .poll(() => page.locator('#place').textContent(), SOON)
      .toMatch(/truth: background {3}run: tumour/);

    await page.locator('#cases tbody tr').nth(1).click();
    await shown(page, 'case1');
    for (const layout of ['axial', '3-D']) await page.getByLabel('view').selectOption(layout);
    await page.getByLabel('window').selectOption('lung');
    expect(problems).toEqual([]);
    await page.close();
  });

  it('shows the channels of a case, each with a window of its own, and regions', async () => {
    const { run } = await writeBrains(dir);
    const other = await View.open({ paths: [run] });
    const served = await serveView(other, built);
    const page = await browser.newPage({ viewport: { width: 1000, height: 700 } });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(served.url);
    await page.locator('body[data-shown="a"]').waitFor(SOON);
    await page.locator('.lesion').first().click();
    const value = async () =>
      Number(/value (\d+)/.exec((await page.locator('#place').textContent()) ?? '')?.[1]);
    await expect.poll(value, SOON).toBeGreaterThan(0);
    const first = await value();
    expect(await page.getByLabel('window').inputValue()).toBe('whole range');
    await page.getByLabel('window').selectOption('of the training');
    await page.getByLabel('channel').selectOption('1: FLAIR');
    await expect.poll(value, SOON).toBe(10 * first);
    // The window of the first channel is its own.
    const windows = () => page.getByLabel('window').locator('option').allTextContents();
    expect(await windows()).not.toContain('of the training');
    await page.getByLabel('channel').selectOption('0: T1');
    await expect.poll(value, SOON).toBe(first);
    expect(await page.getByLabel('window').inputValue()).toBe('of the training');
    await page.getByLabel('region').selectOption('core');
    expect(await page.getByLabel('label 2', { exact: true }).isChecked()).toBe(false);
    expect(await page.getByLabel('core', { exact: true }).isChecked()).toBe(true);
    expect(problems).toEqual([]);
    await page.close();
    await served.close();
    other.close();
  });

  it('follows a training: curves, pace, time left, memory beside what was predicted, layers, log', async () => {
    const run = path.join(dir, 'run');
    const layers = [
      { layer: 'down0/conv0', seconds: 0.03 },
      { layer: '<b>up0</b>', seconds: 0.01 },
    ];
    const plan = { predictedPeakBytes: 2 ** 31, flops: 1, ranks: 1, layers };
    writeFileSync(path.join(run, 'plan.json'), JSON.stringify(plan));
    writeFileSync(path.join(run, 'log.jsonl'), [1, 2, 3].map(stepLine).join(''));
    const { page, problems } = await open(server.url);
    await page.getByRole('button', { name: 'training of run' }).click();
    const facts = () => page.locator('.facts').textContent();
    await expect.poll(facts, SOON).toContain('step3 of 40');
    expect(await facts()).toContain('seconds a step0.200');
    expect(await facts()).toContain('time left0 min 7 s');
    expect(await facts()).toContain('memory at most0.93 GiB');
    expect(await facts()).toContain('predicted2.00 GiB');
    expect(await page.locator('.layers div').allTextContents()).toEqual(['down0/conv0', '<b>up0</b>']);
    appendFileSync(path.join(run, 'log.jsonl'), stepLine(4));
    await expect.poll(facts, SOON).toContain('step4 of 40');
    await expect
      .poll(() => page.locator('.log').textContent(), SOON)
      .toContain('step 4: loss 0.2500, Dice liver 0.500');
    const curve = PNG.sync.read(await page.getByLabel('Scores', { exact: true }).screenshot());
    let blue = 0;
    for (let n = 0; n < curve.data.length; n += 4)
      if (Math.hypot(curve.data[n] - 86, curve.data[n + 1] - 180, curve.data[n + 2] - 233) < 60) blue++;
    expect(blue).toBeGreaterThan(10);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('is served while `train --watch` goes on, with a sample of the newest checkpoint, and ends with it', async () => {
    const bin = path.resolve(import.meta.dirname, '../../bin/halomesh.js');
    const data = path.join(dir, 'phantoms');
    await writePhantom({ out: data, size: 16, cases: 2 });
    const out = path.join(dir, 'watched');
    const settings = ['--base', '4', '--levels', '2', '--steps', '100000', '--checkpoint-every', '5'];
    const training = spawn(process.execPath, [
      bin,
      'train',
      '--data',
      data,
      '--out',
      out,
      '--watch',
      ...settings,
    ]);
    let said = '';
    for (const stream of [training.stdout, training.stderr])
      stream.on('data', (text: Buffer) => {
        said += text;
      });
    const ended = new Promise((resolve) => training.on('close', resolve));
    try {
      await expect.poll(() => said, { timeout: 120_000 }).toMatch(/watch {5}http:/);
      const url = /http:\S+/.exec(said)![0];
      const page = await browser.newPage();
      page.setDefaultTimeout(120_000);
      await page.goto(url);
      await page.getByRole('button', { name: 'training of watched' }).click();
      const step = async () =>
        Number(/step(\d+) of 100000/.exec((await page.locator('.facts').textContent()) ?? '')?.[1]);
      await expect.poll(step, SOON).toBeGreaterThan(5);
      const before = await step();
      await expect.poll(step, SOON).toBeGreaterThan(before);
      await page.getByRole('button', { name: 'segment a case' }).click();
      await page.locator('#training img').waitFor();
      expect(await page.locator('#training img').getAttribute('alt')).toMatch(/^phantom_\d+ with truth/);
      // It follows the checkpoints.
      const first = await page.locator('#training img').getAttribute('src');
      await expect.poll(() => page.locator('#training img').getAttribute('src'), SOON).not.toBe(first);
      await page.close();
      training.kill('SIGINT');
      await ended;
      await expect
        .poll(
          () =>
            fetch(url).then(
              () => 'there',
              () => 'gone',
            ),
          SOON,
        )
        .toBe('gone');
    } finally {
      training.kill('SIGKILL');
    }
  });

  it('is a file of its own that asks nothing of anybody', async () => {
    const file = path.join(dir, 'saved.html');
    await saveView(view, built, file, { cases: ['case1'] });
    const { page, problems } = await open(pathToFileURL(file).href);
    await page.locator('#cases tbody tr').nth(1).click();
    await shown(page, 'case1');
    await page.locator('.lesion').first().click();
    await expect
      .poll(() => page.locator('#place').textContent(), SOON)
      .toMatch(/truth: tumour {3}run: tumour/);
    await page.locator('#cases tbody tr').first().click();
    await expect.poll(() => page.locator('#status').textContent(), SOON).toContain('is not in this page');
    expect(problems).toEqual([]);
    await page.close();
  });
});
