import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PageFiles, saveView, serveView, View, type ViewServer } from '../../src/view/index.ts';
import { WICKED, writeExample } from '../../src/view/view.testing.ts';
import { CHROMIUM, NO_CHROMIUM, startChromium } from './chromium.ts';

/** What draws without a GPU on a busy machine takes its time. */
const SOON = { timeout: 60_000 };

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

  /** A page and everything that went wrong in it; requests to other places are noted and refused. */
  async function open(url: string): Promise<{ page: Page; problems: string[] }> {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.setDefaultTimeout(120_000);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.route('**/*', (route) => {
      const at = route.request().url();
      if (at.startsWith(server.url) || /^(file|data|blob):/.test(at)) return route.continue();
      problems.push(`asked ${at}`);
      return route.abort();
    });
    await page.goto(url);
    return { page, problems };
  }

  const shown = (page: Page, id: string) => page.locator(`body[data-shown="${id}"]`).waitFor();

  /** Pixels of the drawing that are near to a colour. */
  async function pixels(page: Page, color: readonly [number, number, number], most = 90): Promise<number> {
    const png = PNG.sync.read(await page.locator('#frame').screenshot());
    let count = 0;
    for (let n = 0; n < png.data.length; n += 4)
      if (Math.hypot(...color.map((value, c) => value - png.data[n + c])) < most) count++;
    return count;
  }

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
