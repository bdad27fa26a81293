import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Run {
  readonly precision: string;
  readonly split: Readonly<Record<string, number>>;
  readonly memoryLimit?: number;
  readonly bytesSent: number;
  readonly predictedPeakBytes: number;
}

/**
 * What 20 steps on the CT of `data/ct` gave before plans became neutral of devices, with the baseline kernels, which every x86-64
 * processor runs: losses by precision and placement, and predicted memory of each run. Bytes sent are those of sums that go along a
 * tree.
 */
const { losses, runs } = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../fixtures/bits.json'), 'utf8'),
) as { readonly losses: Readonly<Record<string, readonly number[]>>; readonly runs: readonly Run[] };

const placed = (split: Run['split']): string =>
  Object.entries(split)
    .map(([dim, parts]) => `${dim}=${parts}`)
    .join(',') || 'whole';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-bits-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('20 steps of training', () => {
  let seen: readonly (Run & { readonly losses: readonly number[] })[] = [];
  beforeAll(async () => {
    const worker = path.join(import.meta.dirname, 'bits-worker.mjs');
    const data = path.join(import.meta.dirname, '../../data/ct');
    const env = { ...process.env, HALOMESH_ISA: 'base' };
    const { stdout } = await promisify(execFile)(process.execPath, [worker, data, folder], { env });
    seen = JSON.parse(stdout);
  }, 1_800_000);

  it.each(runs.map((run, n) => ({ ...run, n, place: placed(run.split) })))(
    'give the losses and predicted memory of before, and the bytes of sums along a tree: $precision $place $memoryLimit',
    ({ n, precision, place, bytesSent, predictedPeakBytes }) => {
      const { losses: found, ...run } = seen[n];
      expect(found).toEqual(losses[`${precision} ${place}`]);
      expect(run).toMatchObject({ bytesSent, predictedPeakBytes });
    },
  );

  it('differ between placements by the rounding of the loss alone', () => {
    for (const precision of ['f32', 'bf16'])
      for (const place of ['depth=2', 'height=2,width=2'])
        for (const [step, loss] of losses[`${precision} ${place}`].entries())
          expect(Math.abs(loss - losses[`${precision} whole`][step])).toBeLessThan(1e-14);
  });
});
