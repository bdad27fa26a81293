import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where Debian and others install Chromium. */
const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser that tests look at pages with; undefined where there is none. */
export const CHROMIUM = [process.env.HALOMESH_CHROMIUM ?? '', ...PATHS].find((file) => existsSync(file));

/** Why tests of pages are skipped. */
export const NO_CHROMIUM = 'no Chromium here: apt-get install chromium, or HALOMESH_CHROMIUM=FILE';

/** Starts it without a window; what draws on a GPU is drawn by its software. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  });
}

/** A page of a folder's files, at index.html, that reaches nothing else; and what went wrong in it, as it does. */
export async function openFolder(
  browser: Browser,
  folder: string,
): Promise<{ readonly page: Page; readonly problems: readonly string[] }> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.route('**/*', (route) => {
    const { hostname, pathname } = new URL(route.request().url());
    const file = path.join(folder, pathname === '/' ? 'index.html' : pathname);
    if (hostname === 'page.test' && existsSync(file)) return route.fulfill({ path: file });
    if (!pathname.endsWith('favicon.ico')) problems.push(`asked ${route.request().url()}`);
    return route.abort();
  });
  await page.goto('http://page.test/');
  return { page, problems };
}
