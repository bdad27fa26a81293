import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

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
