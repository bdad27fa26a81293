import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDataset, writePhantom } from '../../src/imaging/index.ts';
import { withSmallDisk } from '../small-disk.ts';

// halomesh preprocess as users start it: threads, faults on the way, and what a second run makes of it.

const bin = fileURLToPath(new URL('../../bin/halomesh.js', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-preprocess-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const data = path.join(folder, 'data');
const whole = path.join(folder, 'whole');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command; `watch` gets the process once it has said something. */
function preprocess(args: readonly string[], watch?: (kill: () => void) => void): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, 'preprocess', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    watch?.(() => child.kill('SIGINT'));
    child.on('error', reject).on('close', (code) => resolve({ code, ...said }));
  });
}

/** Everything in a folder, by path. */
function contents(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    files
      .filter((file) => statSync(path.join(dir, file)).isFile())
      .map((file) => [file, readFileSync(path.join(dir, file), 'base64')]),
  );
}

beforeAll(async () => {
  await writePhantom({ out: data, size: 72, cases: 4 });
  const { code, stdout } = await preprocess(['--data', data, '--out', whole, '--jobs', '2']);
  expect(stdout).toContain('4 cases written');
  expect(code).toBe(0);
});

it('Ctrl-C leaves whole cases, and the same command completes the store, byte for byte', async () => {
  const out = path.join(folder, 'stopped');
  const args = ['--data', data, '--out', out, '--jobs', '2'];
  const finished = (): string[] =>
    existsSync(out) ? readdirSync(out).filter((name) => /_\d+$/.test(name)) : [];
  const { code, stderr } = await preprocess(args, (kill) => {
    const timer = setInterval(() => {
      if (finished().length === 0) return;
      clearInterval(timer);
      kill();
    }, 2);
  });
  // It may have been too quick to be stopped.
  const all = finished().length === 4;
  if (!all) expect([code, stderr]).toEqual([130, expect.stringContaining('The same command goes on')]);
  expect(readdirSync(out).filter((name) => name.endsWith('.partial'))).toEqual([]);
  expect((await preprocess(args)).code).toBe(0);
  expect(contents(out)).toEqual(contents(whole));
});

it('a full disk ends it with one line; with room again the same command completes the store', async (test) => {
  await withSmallDisk(test, 8, async (disk) => {
    const out = path.join(disk.dir, 'store');
    const args = ['--data', data, '--out', out, '--jobs', '2'];
    disk.full();
    // Room for a case or two.
    const filler = path.join(disk.dir, 'filler');
    truncateSync(filler, statSync(filler).size - 700 * 1024);
    const { code, stderr } = await preprocess(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/halomesh: .*found the disk is full \(ENOSPC\)/);
    expect(readdirSync(out).filter((name) => name.endsWith('.partial'))).toEqual([]);
    disk.full(false);
    expect((await preprocess(args)).code).toBe(0);
    expect(contents(out)).toEqual(contents(whole));
  });
});

it('a file that is cut off is named, the other cases are there, and the exit code says so', async () => {
  const copy = path.join(folder, 'cut');
  cpSync(data, copy, { recursive: true, preserveTimestamps: true });
  const file = path.join(copy, 'imagesTr/phantom_002.nii.gz');
  truncateSync(file, statSync(file).size >> 1);
  const out = path.join(folder, 'from-cut');
  const { code, stdout, stderr } = await preprocess(['--data', copy, '--out', out]);
  expect(code).toBe(1);
  expect(stdout).toContain('3 cases written');
  expect(stderr).toContain(`case phantom_002 failed: ${file}`);
  expect(stderr).toMatch(/1 of 4 cases could not be prepared: phantom_002/);
  await expect(openDataset(out)).rejects.toThrow('expected 4, found 3: phantom_002 missing');
});
