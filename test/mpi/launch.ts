import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { mpiAvailable } from '../../src/machine/index.ts';

const { available, note } = mpiAvailable();
const missing = !available
  ? `MPI is ${note}`
  : spawnSync('mpirun', ['--version']).status !== 0 && 'there is no mpirun on the PATH';
if (missing) console.log(`skipped: the tests of several processes, since ${missing}`);

/** Tests that start processes by mpirun; skipped where there is no MPI. */
export const describeMpi = describe.skipIf(missing);

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
export const WORKER = path('worker.mjs');
export const COMMAND = path('../../bin/halomesh.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** Starts a program once for each rank; `onText` gets what all print. */
export function mpirun(
  ranks: number,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onText: (text: string, child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const begun = performance.now();
  // Open MPI does neither unasked; others need no asking.
  const leave = note.startsWith('Open MPI') ? ['--allow-run-as-root', '--oversubscribe'] : [];
  const all = [...leave, '-n', String(ranks), process.execPath, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn('mpirun', all, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        texts[stream] += text;
        onText(text, child);
      });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...texts, seconds: (performance.now() - begun) / 1000 }));
  });
}
