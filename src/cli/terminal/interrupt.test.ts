import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const module = pathToFileURL(path.resolve('dist/cli/terminal/interrupt.js')).href;

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends a process that plans at once', async (signal) => {
  const script = `
    import { writeSync } from 'node:fs';
    const { endsOnSignals, exitOnSignals, onInterrupt } = await import('${module}');
    exitOnSignals();
    onInterrupt(() => undefined);
    await endsOnSignals(() => undefined);
    console.log(process.listenerCount('${signal}'));
    await endsOnSignals(() => {
      writeSync(1, 'plans');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  const exit = once(child, 'exit');
  let said = '';
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.endsWith('plans')) child.kill(signal);
  }
  expect(said).toBe('2\nplans');
  expect(await exit).toEqual([null, signal]);
});
