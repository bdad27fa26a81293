import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const of = (file: string): string => pathToFileURL(path.resolve('dist', file)).href;

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s ends a process that plans at once, and its lock and partial file with it',
  async (signal) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-signal-'));
    const script = `
    import { readdirSync, writeSync } from 'node:fs';
    const { endsOnSignals, exitOnSignals, onInterrupt } = await import('${of('cli/terminal/interrupt.js')}');
    const { beginPartial, lockFolder } = await import('${of('files/index.js')}');
    lockFolder('${folder}', 'a test');
    beginPartial('${folder}/file');
    exitOnSignals();
    onInterrupt(() => undefined);
    await endsOnSignals(() => undefined);
    console.log(process.listenerCount('${signal}'));
    await endsOnSignals(() => {
      writeSync(1, 'plans ' + readdirSync('${folder}').length);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const exit = once(child, 'exit');
    let said = '';
    for await (const chunk of child.stdout) {
      said += String(chunk);
      if (said.includes('plans')) child.kill(signal);
    }
    expect(said).toBe('2\nplans 2');
    expect(await exit).toEqual([null, signal]);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  },
);

it.each(['endsOnSignals', 'leavingSignals'])(
  'a signal that came during work is heard before %s works on',
  async (name) => {
    const script = `
    const { exitOnSignals, ${name} } = await import('${of('cli/terminal/interrupt.js')}');
    exitOnSignals();
    process.kill(process.pid, 'SIGTERM');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    await ${name}(async () => console.log('works on'));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const exit = once(child, 'exit');
    let said = '';
    for await (const chunk of child.stdout) said += String(chunk);
    expect(said).toBe('');
    expect(await exit).toEqual([143, null]);
  },
);
