import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { node, pack, projectWith } from './packed.ts';

// The packed package where nothing was compiled: it trains, goes on and predicts with WebAssembly, and says so.

let dir: string;
let project: string;

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'halomesh-no-compiler-'));
  project = projectWith(dir, pack(dir));
  expect(existsSync(path.join(project, 'node_modules/halomesh/build'))).toBe(false);
});
afterAll(() => rmSync(dir, { recursive: true }));

const halomesh = (...args: string[]) => {
  const { HALOMESH_ISA: _, ...env } = process.env;
  const bin = 'node_modules/halomesh/bin/halomesh.js';
  return node(project, [bin, ...args], { ...(env as Record<string, string>), HALOMESH_MACHINE: '' });
};
const SAID = /The native kernels are not built: computing with WebAssembly .* run: npx halomesh setup/;
const train = (steps: number, ...more: string[]) =>
  halomesh(
    ...`train --data scans --out run --size 16 --base 4 --levels 2 --steps ${steps}`.split(' '),
    ...more,
  );

it('trains, goes on and predicts', () => {
  expect(halomesh('phantom', '--size', '16', '--cases', '2', '--out', 'scans').status).toBe(0);
  const first = train(2);
  expect(first.stderr).toMatch(SAID);
  expect(first.status).toBe(0);
  const more = halomesh('train', '--out', 'run', '--steps', '4', '--resume');
  expect(more.stderr).not.toContain('halomesh:');
  expect(more.status).toBe(0);
  const [scan] = readdirSync(path.join(project, 'scans/imagesTr'));
  const predict = (...args: string[]) =>
    halomesh(
      'predict',
      '--run',
      'run',
      '--input',
      `scans/imagesTr/${scan}`,
      '--output',
      'labels.nii.gz',
      ...args,
    );
  expect(predict().status).toBe(0);
  expect(existsSync(path.join(project, 'labels.nii.gz'))).toBe(true);
  const native = predict('--device', 'cpu', '--overwrite');
  expect(native.status).toBe(1);
  expect(native.stderr).toContain('device cpu: the native kernels are not built. Run: npx halomesh setup');
});
