import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PageFiles, saveView, serveView, View, type ViewServer } from '../../src/view/index.ts';
import { writeSlides } from '../../src/view/slides/slides.testing.ts';
import { CHROMIUM, NO_CHROMIUM, startChromium } from './chromium.ts';
import { type Color, openPage, pixelsNear, shown } from './pages.ts';

/** What draws without a GPU on a busy machine takes its time. */
const SOON = { timeout: 120_000 };

describe.skipIf(CHROMIUM === undefined)(`slides in halomesh view (skipped with ${NO_CHROMIUM})`, () => {
  let dir: string;
  let view: View;
  let server: ViewServer;
  let browser: Browser;
  const built = new PageFiles(path.resolve(import.meta.dirname, '../../dist/web'));

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'halomesh-browser-slides-'));
    const { run } = await writeSlides(dir);
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

  const open = (url: string) => openPage(browser, url, { own: server.url, timeout: 240_000 });
  const pixels = (page: Page, color: Color, most = 60) => pixelsNear(page.locator('#slide'), color, most);

  /** Moves to a pixel of a slide that is shown whole, and gives what is told of it. */
  async function pointAt(page: Page, x: number, y: number): Promise<string> {
    const { left, top, height } = await page.locator('#slide').evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      // 1100 x 1300 pixels as high as the frame.
      return { left: left + (width - (height * 1100) / 1300) / 2, top, height };
    });
    await page.mouse.move(left + (x * height) / 1300, top + (y * height) / 1300);
    return (await page.locator('#place').textContent()) ?? '';
  }

  it('shows slide, overlays and the cases from the worst on, with microns', async () => {
    const { page, problems } = await open(server.url);
    await shown(page, 'b');
    expect(
      await page
        .locator('#cases tbody tr')
        .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-case'))),
    ).toEqual(['b', 'a']);
    await page.locator('#cases tbody tr').nth(1).click();
    await shown(page, 'a');
    expect(await page.locator('#scale').textContent()).toBe('100 µm');
    expect(await page.locator('#canvas').isVisible()).toBe(false);
    await expect
      .poll(() => pointAt(page, 300, 400), SOON)
      .toMatch(
        /^x 1(49|50|51)(\.\d)? µm, y (199|200|201)(\.\d)? µm {3}pixel \d+, \d+ {3}truth: gland {3}slide-run: gland$/,
      );
    // The segmentation lies 40 pixels to the left.
    await expect.poll(() => pointAt(page, 490, 400), SOON).toMatch(/truth: gland {3}slide-run: background$/);

    await page.getByLabel('opacity').fill('1');
    // Of the first class, in a segmentation.
    const yellow = [255, 255, 51] as const;
    await expect.poll(() => pixels(page, yellow), SOON).toBeGreaterThan(20_000);
    const withGland = await pixels(page, yellow);
    await page.getByLabel('gland', { exact: true }).uncheck();
    await expect.poll(() => pixels(page, yellow), SOON).toBeLessThan(withGland / 10);
    await page.getByLabel('gland', { exact: true }).check();
    await expect.poll(() => pixels(page, yellow), SOON).toBeGreaterThan(withGland * 0.9);
    await page.getByLabel('outlines').check();
    await expect.poll(() => pixels(page, yellow), SOON).toBeLessThan(withGland / 4);
    expect(await pixels(page, yellow)).toBeGreaterThan(300);
    await page.getByLabel('outlines').uncheck();
    await page.getByLabel('slide-run', { exact: true }).uncheck();
    await expect.poll(() => pixels(page, yellow), SOON).toBeLessThan(withGland / 10);

    // Nearer: the bar tells of it.
    await pointAt(page, 300, 400);
    const nearer = async () => {
      await page.mouse.wheel(0, -100);
      return page.locator('#scale').textContent();
    };
    await expect.poll(nearer, { ...SOON, interval: 200 }).toBe('20 µm');
    expect(problems).toEqual([]);
    await page.close();
  });

  it('is a file of its own that asks nothing of anybody', async () => {
    const file = path.join(dir, 'saved.html');
    await saveView(view, built, file, { cases: ['a'] });
    const { page, problems } = await open(pathToFileURL(file).href);
    await page.locator('#cases tbody tr').nth(1).click();
    await shown(page, 'a');
    await expect.poll(() => pointAt(page, 300, 400), SOON).toMatch(/truth: gland {3}slide-run: gland$/);
    await page.locator('#cases tbody tr').first().click();
    await expect.poll(() => page.locator('#status').textContent(), SOON).toContain('is not in this page');
    expect(problems).toEqual([]);
    await page.close();
  });
});
