import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, readFileSync, readSync, watch } from 'node:fs';
import path from 'node:path';
import koffi from 'koffi';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePhantom } from '../../src/imaging/index.ts';
import { readLog, runFolder } from '../../src/train/index.ts';
import { temporaryFolder } from '../imaging/nifti-fixture.ts';

// Trainings as processes of their own, whose output, terminal or folder is taken from them.

const root = temporaryFolder();
const data = path.join(root, 'data');
const bin = path.resolve('bin/halomesh.js');
const SMALL = ['--data', data, '--base', '2', '--levels', '2', '--threads', '1'];

beforeAll(async () => {
  await writePhantom({ out: data, size: 16, cases: 2 });
});

const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

interface Started {
  readonly process: ChildProcess;
  /** Exit code, or the signal that ended it, and what it told on standard error. */
  readonly end: Promise<{ readonly code: number | string; readonly told: string }>;
}

function start(stdout: 'ignore' | number, ...args: string[]): Started {
  return startOn(['ignore', stdout, 'pipe'], ...args);
}

function startOn(stdio: StdioOptions, ...args: string[]): Started {
  const child = spawn(process.execPath, [bin, 'train', ...args], { stdio, detached: true });
  started.push(child);
  let told = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  const end = once(child, 'close').then(([code, signal]) => ({ code: code ?? signal, told }));
  return { process: child, end };
}

/** Waits for the first line in the log of a run, or for the end of the process. */
async function firstStep(run: string, { end }: Started): Promise<void> {
  await Promise.race([grown(runFolder(run).log, 0), end]);
}

/** Waits until a file has more bytes than so many. */
async function grown(file: string, bytes: number): Promise<void> {
  const written = (): boolean => existsSync(file) && readFileSync(file).length > bytes;
  const stop = new AbortController();
  await new Promise<void>((resolve) => {
    watch(root, { recursive: true, signal: stop.signal }, () => {
      if (written()) resolve();
    });
    if (written()) resolve();
  });
  stop.abort();
}

it('goes on where its output cannot be written', async () => {
  const run = path.join(root, 'full');
  const { code, told } = await start(openSync('/dev/full', 'w'), ...SMALL, '--out', run, '--steps', '3').end;
  expect(told).toContain('standard output cannot be written: ENOSPC; the work goes on');
  expect(code).toBe(0);
  expect((await readLog(runFolder(run).log)).length).toBe(3);
});

/** A terminal that can be taken away: the number to give to a process, and what takes it. */
function terminal(): { readonly fd: number; take(): void } {
  const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;
  const system = koffi.load(null);
  const master = openSync('/dev/ptmx', O_RDWR | O_NOCTTY | O_NONBLOCK);
  expect(system.func('int unlockpt(int)')(master)).toBe(0);
  const fd = openSync(system.func('str ptsname(int)')(master) as string, O_RDWR | O_NOCTTY);
  // What nobody reads would fill it up, and hold the process.
  const reading = setInterval(() => {
    try {
      readSync(master, Buffer.alloc(65536));
    } catch (error) {
      if (!['EAGAIN', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }, 20);
  const take = (): void => {
    clearInterval(reading);
    closeSync(master);
  };
  return { fd, take };
}

it.each(['SIGTERM', 'SIGHUP'] as const)(
  'goes on without the terminal that it wrote all to, and saves at %s',
  async (signal) => {
    const run = path.join(root, signal);
    const { fd, take } = terminal();
    const begun = startOn([fd, fd, fd], ...SMALL, '--out', run, '--steps', '100000');
    closeSync(fd);
    await firstStep(run, begun);
    take();
    const { log, latest } = runFolder(run);
    const size = readFileSync(log).length;
    await Promise.race([grown(log, size), begun.end]);
    begun.process.kill(signal);
    expect((await begun.end).code).toBe(signal === 'SIGHUP' ? 129 : 130);
    expect(existsSync(latest)).toBe(true);
  },
);

it('goes on where readers of all that it says have gone', async () => {
  const run = path.join(root, 'unread');
  const begun = startOn(['ignore', 'pipe', 'pipe'], ...SMALL, '--out', run, '--steps', '30');
  begun.process.stdout?.destroy();
  begun.process.stderr?.destroy();
  expect((await begun.end).code).toBe(0);
  expect((await readLog(runFolder(run).log)).filter(({ kind }) => kind === 'step').length).toBe(30);
});

it('has its folder alone; saves when its terminal is gone; is taken over at once after a kill', async () => {
  const run = path.join(root, 'shared');
  const begun = start('ignore', ...SMALL, '--out', run, '--steps', '100000');
  await firstStep(run, begun);
  const second = await start('ignore', '--out', run, '--resume').end;
  expect(second.code).toBe(1);
  expect(second.told).toMatch(/is in use for training; .* found process \d+ on /);
  expect(second.told).toContain(`process ${begun.process.pid} on`);
  begun.process.kill('SIGHUP');
  const ended = await begun.end;
  expect(ended.told).toMatch(/stopped after step \d+ of 100000 and saved/);
  expect(ended.code).toBe(129);

  const steps = (await readLog(runFolder(run).log)).length;
  const killed = start('ignore', '--out', run, '--resume');
  await firstStep(run, killed);
  killed.process.kill('SIGKILL');
  expect((await killed.end).code).toBe('SIGKILL');
  const resumed = await start('ignore', '--out', run, '--resume', '--steps', String(steps + 2)).end;
  expect(resumed.told).not.toContain('in use');
  expect(resumed.code).toBe(0);
});
