import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { root } from './packed.ts';

const out = mkdtempSync(path.join(tmpdir(), 'halomesh-docs-'));
afterAll(() => rmSync(out, { recursive: true }));

it('the pages of the API have what both entries give, with what is said of it', () => {
  execFileSync(process.execPath, [path.join(root, 'scripts/docs-api.mjs'), '--out', out], { stdio: 'pipe' });
  for (const page of [
    'functions/index.train.html',
    'functions/index.predict.html',
    'classes/index.Session.html',
    'interfaces/index.TrainConfig.html',
    'functions/browser.readGivenScan.html',
    'functions/browser.wasmDevice.html',
  ])
    expect(existsSync(path.join(out, page)), page).toBe(true);
  expect(readFileSync(path.join(out, 'functions/index.openTorch.html'), 'utf8')).toContain(
    'Nothing in it is run',
  );
});
