import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
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

interface Started {
  readonly process: ChildProcess;
  /** Exit code, or the signal that ended it, and what it told on standard error. */
  readonly end: Promise<{ readonly code: number | string; readonly told: string }>;
}

function start(stdout: 'ignore' | number, ...args: string[]): Started {
  const child = spawn(process.execPath, [bin, 'train', ...args], { stdio: ['ignore', stdout, 'pipe'] });
  let told = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  const end = once(child, 'close').then(([code, signal]) => ({ code: code ?? signal, told }));
  return { process: child, end };
}

/** Waits for the first line in the log of a run, or for the end of the process. */
async function firstStep(run: string, { end }: Started): Promise<void> {
  const { log } = runFolder(run);
  const written = (): boolean => existsSync(log) && readFileSync(log).length > 0;
  const stop = new AbortController();
  const seen = new Promise<void>((resolve) => {
    watch(root, { recursive: true, signal: stop.signal }, () => {
      if (written()) resolve();
    });
    if (written()) resolve();
  });
  await Promise.race([seen, end]);
  stop.abort();
}

it('goes on where its output cannot be written', async () => {
  const run = path.join(root, 'full');
  const { code, told } = await start(openSync('/dev/full', 'w'), ...SMALL, '--out', run, '--steps', '3').end;
  expect(told).toContain('standard output cannot be written: ENOSPC; the work goes on');
  expect(code).toBe(0);
  expect((await readLog(runFolder(run).log)).length).toBe(3);
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
