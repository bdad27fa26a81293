import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { niftiBytes } from '../imaging/nifti-fixture.ts';
import { modulesFrom } from '../packages/modules.ts';
import { pack, projectWith, root } from '../packages/packed.ts';
import { CHROMIUM, NO_CHROMIUM, openFolder, startChromium } from './chromium.ts';

// `halomesh/browser` of the packed package, in a project of its own: what it loads, and examples/browser built by Vite.

let dir: string;
let project: string;
const warnings: string[] = [];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'halomesh-entry-'));
  project = projectWith(dir, pack(dir));
  cpSync(path.join(root, 'examples/browser'), project, { recursive: true });
  const { build, createLogger } = await import('vite');
  const warn = (text: string) => void warnings.push(text);
  const customLogger = { ...createLogger('silent'), warn, warnOnce: warn };
  await build({ root: project, customLogger, configFile: false });
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('halomesh/browser', () => {
  it('loads no module of Node.js and no package that is not for browsers', () => {
    const { modules, packages } = modulesFrom(path.join(project, 'node_modules/halomesh/dist/browser.js'));
    expect(modules.length).toBeGreaterThan(100);
    expect(packages.filter((name) => name.startsWith('node:'))).toEqual([]);
    expect([...packages].sort()).toEqual([
      '@cornerstonejs/codec-charls/decodewasmjs',
      '@cornerstonejs/codec-openjpeg/decodewasmjs',
      'dicom-parser',
      'zod',
    ]);
  });

  it('is built by Vite without a word about halomesh', () => {
    expect(warnings.filter((text) => !text.includes('@cornerstonejs'))).toEqual([]);
    expect(existsSync(path.join(project, 'dist/index.html'))).toBe(true);
  });

  it.skipIf(CHROMIUM === undefined)(
    `reads a scan, plans and trains in a page (skipped with ${NO_CHROMIUM})`,
    async () => {
      const browser = await startChromium();
      try {
        const { page, problems } = await openFolder(browser, path.join(project, 'dist'));
        const values = Array.from({ length: 8 ** 3 }, (_, n) => (n * 37) % 100);
        const buffer = Buffer.from(gzipSync(niftiBytes({ type: 'int16', dims: [8, 8, 8], values })));
        await page.locator('#files').setInputFiles({ name: 'a.nii.gz', mimeType: '', buffer });
        const said = () => page.locator('#said').textContent();
        await expect.poll(said, { timeout: 120_000 }).toContain('done');
        expect(await said()).toMatch(/^NIfTI: 8 x 8 x 8 voxels of 1\.00 x 1\.00 x 1\.00 mm\n/);
        expect(await said()).toMatch(/a training step on the whole scan: 0\.00 GFLOP/);
        const losses = [...((await said()) ?? '').matchAll(/loss (\S+)/g)].map(([, loss]) => Number(loss));
        expect(losses).toHaveLength(5);
        expect(losses[4]).toBeLessThan(losses[0]);
        const bad = buffer.subarray(0, buffer.length - 20);
        await page.locator('#files').setInputFiles({ name: 'cut.nii.gz', mimeType: '', buffer: bad });
        await expect.poll(said, { timeout: 60_000 }).toContain('cut.nii.gz: gzip stream: expected');
        expect(problems).toEqual([]);
      } finally {
        await browser.close();
      }
    },
  );
});
