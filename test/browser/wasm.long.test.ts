import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { cpuDevice, library } from '../../src/machine/index.ts';
import { CHROMIUM, NO_CHROMIUM, openFolder, startChromium } from './chromium.ts';
import { smallTraining } from './small-training.ts';

// The WebAssembly kernels in a worker of a page: a small training, in one part and in two, has the bits of the native baseline.

it.skipIf(CHROMIUM === undefined)(
  `a page trains with the bits of the baseline kernels (skipped with ${NO_CHROMIUM})`,
  async () => {
    process.env.HALOMESH_ISA = 'base';
    expect(library().isa).toBe('base');
    const expected = await smallTraining(cpuDevice({ threads: 1 }));
    expect(new Set(expected).size).toBe(4);
    const dir = mkdtempSync(path.join(tmpdir(), 'halomesh-wasm-page-'));
    const root = fileURLToPath(new URL('page', import.meta.url));
    const { build } = await import('vite');
    await build({
      ...{ root, configFile: false, logLevel: 'silent' },
      build: { outDir: dir, emptyOutDir: true },
      worker: { format: 'es' },
    });
    const browser = await startChromium();
    try {
      const { page, problems } = await openFolder(browser, dir);
      const said = () => page.locator('body').textContent();
      await expect.poll(said, { timeout: 120_000 }).toMatch(/\S/);
      expect(problems).toEqual([]);
      expect(JSON.parse((await said()) ?? '')).toEqual({ isa: 'wasm', losses: expected });
    } finally {
      await browser.close();
      rmSync(dir, { recursive: true });
      delete process.env.HALOMESH_ISA;
    }
  },
);
