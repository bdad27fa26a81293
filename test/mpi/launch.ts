import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { mpiAvailable } from '../../src/machine/index.ts';

const { available, note } = mpiAvailable();
/** The MPI's name and version. */
export const mpiName = note;
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
}

/** Starts a program once for each rank; `onText` gets what all print. */
export function mpirun(
  ranks: number,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onText: (text: string, child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  return launch(['-n', String(ranks), process.execPath, ...args], env, onText);
}

/** Starts a program once in each folder, rank 0 in the first: each process has that folder as its current one. */
export function mpirunIn(
  folders: readonly string[],
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const each = folders.map((folder) => ['-n', '1', '-wdir', folder, process.execPath, ...args]);
  return launch(
    each.flatMap((one, i) => (i === 0 ? one : [':', ...one])),
    env,
  );
}

/** Starts mpirun with all of its arguments; `by`: a program that starts it. */
export function launch(
  what: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onText: (text: string, child: ChildProcess) => void = () => undefined,
  by: readonly string[] = [],
): Promise<Ended> {
  // Open MPI does neither unasked; others need no asking.
  const leave = note.startsWith('Open MPI') ? ['--allow-run-as-root', '--oversubscribe'] : [];
  return ended([...by, 'mpirun', ...leave, ...what], env, onText);
}

/** Runs a program with arguments to its end. */
export function ended(
  [program, ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  onText: (text: string, child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
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
    child.on('close', (code) => resolve({ code, ...texts }));
  });
}

/** The process of a rank among those that were started with HALOMESH_TEST set to `mark`; undefined where there is none. */
export function processOf(mark: string, rank: number): number | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const env = environmentOf(pid);
    if (!env.includes(`HALOMESH_TEST=${mark}`)) continue;
    if (env.includes(`OMPI_COMM_WORLD_RANK=${rank}`) || env.includes(`PMI_RANK=${rank}`)) return Number(pid);
  }
  return undefined;
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return []; // it has ended meanwhile, or is another user's
  }
}
