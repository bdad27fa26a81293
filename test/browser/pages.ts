import type { Browser, Locator, Page } from 'playwright-core';
import { PNG } from 'pngjs';

// What tests of the pages of halomesh view share.

export type Color = readonly [number, number, number];

/** A page and everything that went wrong in it; requests to other places than `own` are noted and refused. */
export async function openPage(
  browser: Browser,
  url: string,
  { own, timeout }: { readonly own: string; readonly timeout: number },
): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  page.setDefaultTimeout(timeout);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.route('**/*', (route) => {
    const at = route.request().url();
    if (at.startsWith(own) || /^(file|data|blob):/.test(at)) return route.continue();
    problems.push(`asked ${at}`);
    return route.abort();
  });
  await page.goto(url);
  return { page, problems };
}

/** Waits until a page shows a case. */
export const shown = (page: Page, id: string): Promise<void> =>
  page.locator(`body[data-shown="${id}"]`).waitFor();

/** Pixels of a drawing that are nearer than `most` to a colour. */
export async function pixelsNear(drawing: Locator, color: Color, most: number): Promise<number> {
  const png = PNG.sync.read(await drawing.screenshot());
  let count = 0;
  for (let n = 0; n < png.data.length; n += 4)
    if (Math.hypot(...color.map((value, c) => value - png.data[n + c])) < most) count++;
  return count;
}
