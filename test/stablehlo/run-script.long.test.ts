import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mesh } from '../../src/core/index.ts';
import { randomRunIn } from '../../src/exchange/scores.testing.ts';
import { exportStablehlo } from '../../src/exchange/stablehlo/export-stablehlo.ts';
import { describeJax, python } from './jax.ts';

// The script that is written beside programs runs them: the same losses whole, told of a layout, and split by halomesh.

describeJax('run.py beside exported programs', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'halomesh-run-py-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const ran = (out: string, ...args: string[]): string[] => {
    const env = { ...process.env, JAX_PLATFORMS: 'cpu' };
    const made = spawnSync(python, [join(folder, out, 'run.py'), ...args], { encoding: 'utf8', env });
    expect(made.stderr.replace(/^W.*$/gm, '').trim()).toBe('');
    return made.stdout.trim().split('\n');
  };

  it('steps with the same losses however a run is split', async () => {
    const run = await randomRunIn(folder, 'run', { base: 2, levels: 2, size: 8, precision: 'f32' });
    await exportStablehlo({ run, stablehlo: join(folder, 'one') });
    const split = { mesh: mesh({ a: 2, b: 2 }), layout: { depth: 'a', width: 'b' } };
    await exportStablehlo({ run, stablehlo: join(folder, 'four'), ...split });
    const losses = (lines: readonly string[]): number[] =>
      lines.filter((line) => / loss /.test(line)).map((line) => Number(line.split(' ')[2]));
    const whole = losses(ran('one', 'step', '3'));
    expect(whole).toHaveLength(3);
    for (const program of ['step', 'step.split']) {
      const found = losses(ran('four', program, '3'));
      found.forEach((loss, n) => {
        expect(Math.abs(loss - whole[n]) / whole[n], program).toBeLessThan(1e-5);
      });
    }
    expect(ran('four', 'predict.split').at(-1)).toMatch(/^0 probabilities 0\.333/);
  }, 600_000);
});
