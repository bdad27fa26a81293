import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePhantom } from '../../src/imaging/index.ts';
import { resolveConfig, runFolder, train } from '../../src/train/index.ts';
import { withSmallDisk } from '../small-disk.ts';
import { COMMAND, describeMpi, mpirun, processOf } from './launch.ts';
import { checkpointStep, losses, reached, SMALL, SMALL_FLAGS, stepsOf } from './training.ts';

describeMpi('a run that ends early', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-resume-'));
  const data = path.join(folder, 'phantoms');
  let uninterrupted: number[];

  beforeAll(async () => {
    await writePhantom({ out: data, size: 16, cases: 2 });
    const out = path.join(folder, 'whole');
    await train(resolveConfig({ ...SMALL, data, out, split: { height: 2 }, threads: 1 }));
    uninterrupted = await losses(out);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Trains under mpirun and kills a rank once the run has done so many steps; anew where it came to its end before that. */
  async function killed(ranks: number, run: string, steps: number, flags: readonly string[]) {
    const mark = `${path.basename(run)}-${steps}`;
    const before = path.join(folder, `before-${mark}`);
    if (existsSync(run)) cpSync(run, before, { recursive: true });
    for (;;) {
      const [ended] = await Promise.all([
        mpirun(ranks, [COMMAND, 'train', '--out', run, ...flags], { HALOMESH_TEST: mark }),
        reached(run, steps).then(() => {
          const last = processOf(mark, ranks - 1);
          if (last !== undefined) process.kill(last, 'SIGKILL');
        }),
      ]);
      if (stepsOf(run) < SMALL.steps) return expect(ended.code).not.toBe(0);
      rmSync(run, { recursive: true });
      if (existsSync(before)) cpSync(before, run, { recursive: true });
    }
  }

  it('goes on after a killed rank, on other meshes and in one process, with the losses of one that did not', async () => {
    const run = path.join(folder, 'killed');
    await killed(4, run, 7, ['--data', data, ...SMALL_FLAGS, '--split', 'depth=2,width=2']);
    const first = await checkpointStep(run);
    expect(first % SMALL.checkpointEvery).toBe(0);
    expect(first).toBeGreaterThanOrEqual(3);
    await killed(2, run, 13, ['--resume', '--split', 'width=2']);
    expect(await checkpointStep(run)).toBeGreaterThan(first);
    // One process, and three uneven parts.
    const rest = spawnSync(process.execPath, [
      COMMAND,
      'train',
      '--out',
      run,
      '--resume',
      '--split',
      'height=3',
    ]);
    expect(rest.status, String(rest.stderr)).toBe(0);
    expect(await losses(run)).toEqual(uninterrupted);
    expect(await checkpointStep(run)).toBe(SMALL.steps);
    // What a kill left unfinished is gone.
    const { dir, checkpoints } = runFolder(run);
    expect([...readdirSync(dir), ...readdirSync(checkpoints)].filter((name) => /partial/.test(name))).toEqual(
      [],
    );
  });

  it('a full disk is one error that names the file; the checkpoint from before is whole', async (test) => {
    await withSmallDisk(test, 2, async (disk) => {
      const run = path.join(disk.dir, 'run');
      const flags = ['--data', data, ...SMALL_FLAGS, '--split', 'depth=2'];
      const [ended] = await Promise.all([
        mpirun(2, [COMMAND, 'train', '--out', run, ...flags]),
        reached(run, 4).then(() => disk.full()),
      ]);
      expect(ended.code, ended.stderr).toBe(1);
      expect(ended.stderr).toMatch(
        /^halomesh: rank 0: \S+\.(safetensors|jsonl|png): cannot be written: the disk is full \(ENOSPC\)/m,
      );
      expect(ended.stderr.match(/^halomesh: /gm)).toHaveLength(1);
      expect((await checkpointStep(run)) % SMALL.checkpointEvery).toBe(0);
      disk.full(false);
      const { dir, checkpoints } = runFolder(run);
      const left = [...readdirSync(dir), ...readdirSync(checkpoints)];
      expect(left.filter((name) => /partial/.test(name))).toEqual([]);
      const resumed = await mpirun(2, [COMMAND, 'train', '--out', run, '--resume']);
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(await losses(run)).toEqual(uninterrupted);
    });
  });
});
