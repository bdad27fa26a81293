import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { CACHE } from './emulated.ts';

// The script that checks a GPU runs as it is, here on the emulator: those of its sections that are quick.

const SCRIPT = fileURLToPath(new URL('../../scripts/gpu-check.mjs', import.meta.url));

const check = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });

it('tells speeds, large tensors and how losses part', () => {
  const env = { HALOMESH_CUDA: 'emulated', HALOMESH_CACHE: path.dirname(CACHE) };
  const { status, stdout, stderr } = check(['speeds', 'large', 'drift', '--seconds', '250'], env);
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/a launch of a graph +\d+\.\d+ us/);
  expect(stdout).toMatch(/gradients as counted/);
  expect(stdout).toMatch(/losses of the GPU, from the CPU +[-\d.e]+/);
  expect(stdout).toMatch(/all as it should be/);
});

it('tells what launches should take', () => {
  const env = { HALOMESH_CUDA: 'emulated' };
  const { status, stdout, stderr } = check(['model'], env);
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/^conv_weight_grad 3x3x3, general +\d+ /m);
  expect(stdout).toMatch(/^all +\d{3} /m);
});

it('names its sections, and what is none', () => {
  expect(check(['--list'], {}).stdout).toMatch(/^racecheck +\S/m);
  const { status, stderr } = check(['none'], {});
  expect(status).toBe(2);
  expect(stderr).toContain('there is no section none');
});
