import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fail } from '../../core/index.ts';
import { mpiAvailable, type Speeds } from '../../machine/index.ts';
import type { BenchResult } from '../../measure/index.ts';
import { cutParts, isUnsuited } from '../../plan/index.ts';
import { readMachineFile } from '../../train/index.ts';
import { finderOf, type ScaleFlags, sizesOf } from './scale-finder.ts';

/** One number of ranks, predicted and run. */
export interface Measured {
  readonly ranks: number;
  readonly split: string;
  /** Seconds of a step: as told before, of that waiting for messages and other ranks, and the fastest that was run. */
  readonly predicted: number;
  readonly waits: number;
  readonly seconds: number;
  readonly median: number;
  /** Bytes of a step, as told before and as counted. */
  readonly bytesSent: number;
  readonly bytesCounted: number;
}

/** Numbers of ranks that are run, one thread each, and steps that are timed. */
const RANKS = [1, 2, 4];
const STEPS = 5;

/** Runs steps on processes of this machine, beside what is predicted for them. Without a machine file it is measured first. */
export async function measureHere(flags: ScaleFlags): Promise<Measured[]> {
  const speeds = await speedsHere(flags.machine);
  const found: Measured[] = [];
  for (const ranks of RANKS) {
    const finder = finderOf({ ...flags, threads: 1, ranksPerMachine: ranks }, speeds);
    const choice = finder.best(sizesOf(flags), ranks);
    if (isUnsuited(choice)) continue;
    const { parts, seconds, exchangeSeconds, allReduceSeconds, census } = choice.best;
    const split = Object.entries(cutParts(parts))
      .map(([dim, n]) => `${dim}=${n}`)
      .join(',');
    const numbers = (['size', 'base', 'levels', 'batch'] as const).flatMap((key) => [
      `--${key}`,
      String(flags[key]),
    ]);
    const args = [
      'bench',
      ...numbers,
      '--precision',
      flags.precision,
      '--steps',
      String(STEPS),
      '--threads',
      '1',
      '--json',
    ];
    const result = JSON.parse(
      await mpirun(ranks, [...args, ...(split === '' ? [] : ['--split', split])]),
    ) as BenchResult;
    found.push({
      ranks,
      split: split === '' ? 'none' : split,
      predicted: seconds,
      waits: exchangeSeconds + allReduceSeconds,
      seconds: result.secondsPerStep.min,
      median: result.secondsPerStep.median,
      bytesSent: census.bytesSent.exchange + census.bytesSent.allReduce,
      bytesCounted: result.bytesSentPerStep,
    });
  }
  return found;
}

/** The speeds of a machine file, or of this machine, measured with messages between two processes. */
async function speedsHere(file: string | undefined): Promise<Speeds> {
  if (file !== undefined) return readMachineFile(file);
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-scale-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  try {
    const measured = path.join(folder, 'machine.json');
    await mpirun(2, ['info', '--calibrate', '--out', measured]);
    return readMachineFile(measured);
  } finally {
    remove();
    process.off('exit', remove);
  }
}

/** What rank 0 of some processes of this program prints. */
function mpirun(ranks: number, args: readonly string[]): Promise<string> {
  const { available, note } = mpiAvailable();
  if (!available) fail({ where: '--measure', problem: `starts processes by mpirun, and MPI is ${note}` });
  // Open MPI does neither unasked, and binds processes to cores.
  const leave = note.startsWith('Open MPI')
    ? ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none']
    : [];
  return new Promise((resolve, reject) => {
    const child = spawn(
      'mpirun',
      [...leave, '-n', String(ranks), process.execPath, process.argv[1], ...args],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    // A signal to this process alone ends those that it started too.
    const stop = (): void => void child.kill();
    process.on('exit', stop);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('exit', stop);
      if (code === 0) resolve(text);
      else reject(new Error(`mpirun -n ${ranks} halomesh ${args.join(' ')} ended with ${code}`));
    });
  });
}
