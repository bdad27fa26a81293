import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/imaging/nifti-fixture.ts';
import { lockFolder } from './lock.ts';
import { processStart } from './processes.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = temporaryFolder();
  file = path.join(folder, '.lock');
});

const holder = (): Record<string, unknown> => JSON.parse(readFileSync(file, 'utf8'));

describe('lockFolder', () => {
  it('keeps others out until it is released, and says who is in', () => {
    const lock = lockFolder(folder, 'training');
    expect(() => lockFolder(folder, 'training')).toThrow(
      new RegExp(`in use for training.*process ${process.pid} on ${hostname()}`),
    );
    lock.touch();
    lock.release();
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    lockFolder(folder, 'training').release();
  });

  it('takes over from a process that is gone, also where its number was given to another', () => {
    lockFolder(folder, 'training').touch();
    const own = holder();
    const dead = spawnSync(process.execPath, ['--version']).pid;
    for (const left of [
      { ...own, pid: dead },
      { ...own, start: '1' },
    ]) {
      writeFileSync(file, JSON.stringify(left));
      const lock = lockFolder(folder, 'training');
      expect(holder()).toEqual({ ...own, since: expect.any(String), key: expect.any(String) });
      lock.release();
      expect(existsSync(file)).toBe(false);
    }
  });

  it('takes over from a process that was killed and that nobody has collected yet', async () => {
    // The shell becomes a program that collects no children: the first of them stays a zombie.
    const script = 'sleep 0.2 & echo $!; exec sleep 30';
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [text] = await once(parent.stdout, 'data');
      const zombie = Number(String(text));
      const state = (): string => readFileSync(`/proc/${zombie}/stat`, 'latin1').split(') ')[1][0];
      while (state() !== 'Z') await sleep(5);
      const release = lockFolder(folder, 'training').release;
      const own = JSON.parse(readFileSync(path.join(folder, '.lock'), 'utf8'));
      release();
      writeFileSync(
        path.join(folder, '.lock'),
        JSON.stringify({ ...own, pid: zombie, start: processStart(zombie) }),
      );
      lockFolder(folder, 'training').release();
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('takes over from another machine only what was not touched for long', () => {
    const elsewhere = { host: 'far', place: 'ffffffff', pid: 1, since: '2026-01-01T00:00:00.000Z' };
    writeFileSync(file, JSON.stringify(elsewhere));
    expect(() => lockFolder(folder, 'training')).toThrow(/process 1 on far/);
    const hourAgo = new Date(Date.now() - 3_600_000);
    utimesSync(file, hourAgo, hourAgo);
    lockFolder(folder, 'training').release();
  });

  it('counts one of its own that it let go as left behind', () => {
    const lock = lockFolder(folder, 'training');
    const text = readFileSync(file, 'utf8');
    lock.release();
    writeFileSync(file, text);
    lockFolder(folder, 'training').release();
    expect(existsSync(file)).toBe(false);
  });

  it('does not remove the lock of one that took over', () => {
    const lock = lockFolder(folder, 'training');
    writeFileSync(file, '{}');
    lock.release();
    expect(readFileSync(file, 'utf8')).toBe('{}');
  });

  it('says what is wrong with a folder that cannot be written', () => {
    expect(() => lockFolder(path.join(folder, 'missing'), 'training')).toThrow(
      /cannot be written: .*\(ENOENT\)/,
    );
  });
});
