import { readFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mesh } from '../../core/index.ts';
import {
  abortMpi,
  commonSet,
  finishMpi,
  instructionSets,
  launched,
  mpiAvailable,
  mpiProcesses,
  type Processes,
  type UsableSets,
} from '../../machine/index.ts';
import { agree, checkSize, together } from '../../run/index.ts';
import { meshOf } from '../../train/config/config.ts';
import { machineHere } from '../../train/config/machine-file.ts';
import { configOfRun } from '../../train/predict/open-run.ts';
import type { RunFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/parse.ts';
import { Interrupted, reportError } from './report-error.ts';
import { tell } from './say.ts';
import { version } from './version.ts';

// Commands that are started once for each rank, by mpirun or srun.

/** Milliseconds that rank 0 has to report an error that all ranks meet, before another rank reports its own. */
const GRACE = 1500;

/** What a command of several processes runs with. */
export interface Joined {
  /** Absent where this process was started alone: then it runs all ranks. */
  readonly processes?: Processes;
  /** Threads of each process where none are asked for: processes of one machine share its cores. */
  readonly threads?: number;
}

/**
 * Joins the processes that were started together. Raises an error on all where they are not one for each rank of the mesh, or
 * do not run the same: `settings` is everything that decides what comes out. `auto`: the mesh is chosen for as many as there are.
 */
export async function join(mesh: Mesh | 'auto', settings: unknown): Promise<Joined> {
  const processes = await meet();
  if (processes === undefined) return {};
  if (mesh !== 'auto') checkSize(processes, mesh);
  await agree(processes, 'the configuration', () => JSON.stringify(settings, null, 1));
  // Plans follow from it.
  const machine = await together(processes, 'the machine file', machineHere);
  await agree(processes, 'what HALOMESH_MACHINE and HALOMESH_OVERLAP say', () =>
    JSON.stringify(machine, null, 1),
  );
  return { processes, threads: await shareOfCores(processes) };
}

/** Reads what the user gave in files; of several processes, where one cannot all raise its error. */
export async function onAll<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const processes = await meet();
  return processes === undefined ? work() : together(processes, what, work);
}

/** The processes that were started together, which run the same version; undefined where this one was started alone. */
export async function meet(): Promise<Processes | undefined> {
  if (launched() === undefined) return undefined;
  const { available, note } = mpiAvailable();
  if (!available)
    throw new UsageError({
      where: `start of ${launched()!.size} processes`,
      problem: `they cannot reach each other, as MPI is ${note}`,
    });
  const processes = mpiProcesses();
  if (!met) {
    await agree(processes, 'the version of halomesh', version);
    // A config may say otherwise, for all.
    await agree(processes, 'HALOMESH_CONV', () => process.env.HALOMESH_CONV ?? 'auto');
    await takeCommonSet(processes);
    await processes.locate();
    met = true;
  }
  return processes;
}

/** Whether the processes were compared. */
let met = false;

/** All compute with one instruction set, so that results are those of one process; see {@link commonSet}. */
async function takeCommonSet(processes: Processes): Promise<void> {
  const usable = instructionSets().flatMap(({ name, built, supported }) =>
    built && supported ? [name] : [],
  );
  const own: UsableSets = { usable, forced: process.env.HALOMESH_ISA };
  const all = (await processes.share('instruction sets', JSON.stringify(own))).map(
    (text) => JSON.parse(text) as UsableSets,
  );
  const common = commonSet(all);
  const others = all.filter((one) => one.usable[0] !== common && one.forced === undefined).length;
  process.env.HALOMESH_ISA = common;
  if (others > 0 && processes.index === 0)
    tell(
      `kernels for ${common} on all ranks: ${others} of ${all.length} could take others, which round differently`,
    );
}

/** {@link join} for the commands that run a trained network. */
export async function joinRun(flags: RunFlags): Promise<Joined> {
  if (launched() === undefined) return {};
  const { config } = await onAll('the configuration of the run', () => configOfRun(flags));
  const { threads: _t, spillDir: _d, ...settings } = config;
  const { processes, threads } = await join(config.split === 'auto' ? 'auto' : meshOf(config).mesh, settings);
  return { processes, threads: flags.threads ?? threads };
}

/** Cores that this process may use, divided among the processes that may use the same ones. */
async function shareOfCores(processes: Processes): Promise<number> {
  const mine = `${hostname()} ${allowedCores()}`;
  const all = await processes.share('cores', mine);
  return Math.max(1, Math.floor(availableParallelism() / all.filter((other) => other === mine).length));
}

/** Which cores the launcher bound this process to, as text; empty where the system does not say. */
function allowedCores(): string {
  if (process.platform !== 'linux') return '';
  return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
}

/** Ends what {@link join} began, in order. */
export const part = finishMpi;

/**
 * Reports an error and returns the exit code. Where several processes were started it ends all of them: an error that all meet
 * is told by rank 0 alone, any other by the rank that meets it.
 */
export async function failTogether(error: unknown, write: (text: string) => void): Promise<number> {
  const here = launched();
  if (here === undefined) return reportError(error, write);
  if (error instanceof Interrupted) {
    const code = reportError(error, here.rank === 0 ? write : () => undefined);
    await part();
    return code;
  }
  if (here.rank !== 0) await sleep(GRACE);
  const code = reportError(error, (text) =>
    write(text.replace(/^halomesh: /, `halomesh: rank ${here.rank}: `)),
  );
  abortMpi(code);
  return code;
}
