import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'vitest';

/** A disk of its own, of some MiB. */
export interface SmallDisk {
  readonly dir: string;
  /** Takes all of its room, until it is called again with false. */
  full(taken?: boolean): void;
}

/** Runs something with a small disk; where none can be mounted the test is skipped, and says so. */
export async function withSmallDisk(
  test: TestContext,
  mebibytes: number,
  use: (disk: SmallDisk) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(path.join(tmpdir(), 'halomesh-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', dir]);
  if (mounted.status !== 0) test.skip('a small disk cannot be mounted here');
  const filler = path.join(dir, 'filler');
  try {
    await use({
      dir,
      full(taken = true) {
        if (!taken) return rmSync(filler, { force: true });
        try {
          for (;;) writeFileSync(filler, Buffer.alloc(4096), { flag: 'a' });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      },
    });
  } finally {
    spawnSync('umount', [dir]);
    rmSync(dir, { recursive: true });
  }
}
