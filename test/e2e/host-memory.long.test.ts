import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

// Resident memory of fresh processes, as bench/host-memory.mjs measures it. 2 to 4 bytes a voxel are the same at any size.

const bench = fileURLToPath(new URL('../../bench/host-memory.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'halomesh-host-memory-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a scan is prepared and changed within few bytes a voxel', () => {
  const most: Record<string, number> = {
    'prepare, turned and scaled': 5 + 7,
    'prepare, resampled at its size': 8 + 6,
    augment: 10 + 3,
  };
  for (const [stage, limit] of Object.entries(most)) {
    // What the garbage collector has not let go yet comes on top, some bytes a voxel in some runs: the least of three counts.
    const runs = [1, 2, 3].map(() => {
      const args = [bench, '--size', '256', '--data', folder, '--stages', stage];
      const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      const line = stdout.split('\n').find((text) => text.startsWith(`${stage}  `));
      expect(line, stderr).toBeDefined();
      return Number(line!.slice(34).trim().split(/\s+/)[3]);
    });
    expect(Math.min(...runs), `${stage}: ${runs}`).toBeLessThan(limit);
  }
});
