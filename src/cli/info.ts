import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import type { Command } from 'commander';
import { HalomeshError } from '../core/index.ts';
import { type InstructionSet, instructionSets, library, mpiAvailable } from '../machine/index.ts';
import { bytes } from '../plan/index.ts';
import { version } from './version.ts';

/** What `halomesh info` tells. */
export interface Info {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly processor: string;
  readonly devices: readonly {
    readonly name: string;
    readonly available: boolean;
    /** Why it is not available, or what it is for. */
    readonly note: string;
  }[];
  readonly instructionSet: {
    /** What the cpu device uses; null where it is not available. */
    readonly chosen: InstructionSet | null;
    /** The value of HALOMESH_ISA; null where it is not set. */
    readonly forced: string | null;
    readonly sets: readonly {
      readonly name: InstructionSet;
      readonly built: boolean;
      readonly supported: boolean;
    }[];
  };
  /** Processors that this process may use. */
  readonly threads: number;
  readonly memory: { readonly totalBytes: number; readonly freeBytes: number };
  readonly mpi: { readonly available: boolean; readonly note: string };
}

/** What this machine offers. Never fails: what is not available says why. */
export function info(): Info {
  const sets = instructionSets();
  let chosen: InstructionSet | null = null;
  let note = 'native kernels';
  try {
    chosen = library().isa;
    note = `native kernels for ${chosen}`;
  } catch (error) {
    note = error instanceof HalomeshError ? error.message : `the native kernels cannot be loaded: ${error}`;
  }
  return {
    version: version(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    devices: [
      { name: 'cpu', available: chosen !== null, note },
      { name: 'reference', available: true, note: 'TypeScript in float64: slow, the judge of the others' },
      { name: 'null', available: true, note: 'plans and counts, computes nothing' },
    ],
    instructionSet: { chosen, forced: process.env.HALOMESH_ISA ?? null, sets },
    threads: availableParallelism(),
    memory: { totalBytes: memoryLimit(), freeBytes: freemem() },
    mpi: mpiAvailable(),
  };
}

/** What this process may use: a container's limit where there is one. */
function memoryLimit(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** The facts as text for a terminal. */
export function formatInfo(i: Info): string {
  const { chosen, forced, sets } = i.instructionSet;
  const state = sets.map(({ name, built, supported }) => {
    if (!built) return `${name} not built`;
    return `${name}${supported ? '' : ' not on this processor'}`;
  });
  const force = forced === null ? '' : `, asked for by HALOMESH_ISA=${forced}`;
  return [
    `halomesh          ${i.version}`,
    `node              ${i.node}, ${i.platform}`,
    `processor         ${i.processor}`,
    ...i.devices.map(
      ({ name, available, note }, n) =>
        `${n === 0 ? 'devices' : '       '}           ${name.padEnd(10)}${available ? '' : 'not available: '}${note}`,
    ),
    `instruction set   ${chosen ?? 'none'}${force} (${state.join(', ')})`,
    `threads           ${i.threads}`,
    `memory            ${bytes(i.memory.totalBytes)}, ${bytes(i.memory.freeBytes)} free`,
    `MPI               ${i.mpi.note}`,
  ].join('\n');
}

/** `halomesh info` */
export function infoCommand(program: Command): void {
  program
    .command('info')
    .summary('version, devices, instruction sets, threads, memory, MPI')
    .description('Tells what this installation and machine offer.')
    .option('--json', 'print it as JSON')
    .action(({ json }: { readonly json?: boolean }) => {
      const facts = info();
      console.log(json ? JSON.stringify(facts, null, 2) : formatInfo(facts));
    });
}
