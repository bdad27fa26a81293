import { availableParallelism, cpus, freemem } from 'node:os';
import { checkOutputs, memoryOfProcess } from '../../files/index.ts';
import {
  COMPUTING_DEVICES,
  DEVICES,
  type DeviceChoice,
  deviceEntry,
  type InstructionSet,
  instructionSets,
  library,
  loadDevice,
  mpiAvailable,
  type Speeds,
} from '../../machine/index.ts';
import { calibrate } from '../../measure/index.ts';
import { bytes } from '../../plan/index.ts';
import { writeMachineFile } from '../../train/index.ts';
import { UsageError } from '../flags/parse.ts';
import { leavingSignals } from '../terminal/interrupt.ts';
import { meet } from '../terminal/processes.ts';
import { say, sayJson } from '../terminal/say.ts';
import { talks } from '../terminal/talks.ts';
import { version } from '../terminal/version.ts';
import { relative } from '../terminal/words.ts';

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
  /** How `--transport auto` sends between GPUs, in words; null where there is no MPI or no GPU. */
  readonly transport: string | null;
}

/** What this machine offers. Never fails: what is not available says why. `asked`: a device that is told of beside those of the table, loaded. */
export function info(asked?: DeviceChoice): Info {
  const sets = instructionSets();
  const mpi = mpiAvailable();
  let chosen: InstructionSet | null = null;
  try {
    chosen = library().isa;
  } catch {
    // The table of devices says why.
  }
  return {
    version: version(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    devices: [
      ...COMPUTING_DEVICES.map((name) => ({ name, ...DEVICES[name].available() })),
      ...(asked === undefined || asked in DEVICES || asked === 'auto'
        ? []
        : [{ name: asked, ...deviceEntry(asked).available() }]),
    ],
    instructionSet: { chosen, forced: process.env.HALOMESH_ISA ?? null, sets },
    threads: availableParallelism(),
    memory: { totalBytes: memoryOfProcess(), freeBytes: Math.min(freemem(), memoryOfProcess()) },
    mpi,
    transport: mpi.available && DEVICES.cuda.available().available ? showTransport(mpi.gpuMemory) : null,
  };
}

/** What is tried when a run starts, first to last. */
const showTransport = (gpuMemory = false): string =>
  gpuMemory
    ? 'MPI takes them from memory of the GPU'
    : 'CUDA IPC between processes of one machine that can, else pinned memory';

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
        `${n === 0 ? 'devices' : '       '}           ${`${name} `.padEnd(10)}${available ? '' : 'not available: '}${note}`,
    ),
    `instruction set   ${chosen ?? 'none'}${force} (${state.join(', ')})`,
    `threads           ${i.threads}`,
    `memory            ${bytes(i.memory.totalBytes)}, ${bytes(i.memory.freeBytes)} free`,
    `MPI               ${i.mpi.note}`,
    ...(i.transport === null ? [] : [`between GPUs      ${i.transport}`]),
  ].join('\n');
}

export interface Flags {
  readonly json?: boolean;
  readonly device?: DeviceChoice;
  readonly calibrate?: boolean;
  readonly calibrateSizes?: readonly number[];
  readonly out?: string;
  readonly overwrite?: boolean;
}

/** `halomesh info --calibrate`: about a quarter of a minute. */
async function calibrateCommand({ out, calibrateSizes: sizes, device }: Flags): Promise<void> {
  const processes = await meet();
  // A GPU is trained in bfloat16.
  const precision = device === 'cuda' ? 'bf16' : undefined;
  const speeds = await leavingSignals(() => calibrate({ processes, sizes, device, precision }));
  if (!talks()) return;
  if (out === undefined) {
    sayJson(speeds);
    return;
  }
  await writeMachineFile(out, speeds);
  say(formatSpeeds(speeds));
  say(`written to ${relative(out)}: use it with --machine, or HALOMESH_MACHINE`);
}

/** Speeds as text for a terminal. */
export function formatSpeeds(speeds: Speeds): string {
  const giga = (rate: number): string => (rate / 1e9).toPrecision(3);
  const micro = (seconds: number): string => `${(1e6 * seconds).toPrecision(3)} us`;
  const { cores, allCores, launchSeconds, memoryBytesPerSecond, link } = speeds;
  return [
    `machine           ${speeds.name}: ${speeds.source}`,
    `cores             ${cores}, together ${allCores} times as fast as one; ${giga(memoryBytesPerSecond)} GB/s copied`,
    ...Object.entries(speeds.kernels).map(
      ([kind, { flopsPerSecond, bytesPerSecond }]) =>
        `${kind.padEnd(18)}${giga(flopsPerSecond)} GFLOP/s and ${giga(bytesPerSecond)} GB/s a thread`,
    ),
    `launch            ${micro(launchSeconds)}`,
    `link              ${giga(link.bytesPerSecond)} GB/s, ${micro(link.latencySeconds)}, ${micro(link.messageSeconds)} a further message (${link.source})`,
  ].join('\n');
}

/** Runs `halomesh info`. */
export async function infoAction(flags: Flags): Promise<void> {
  const { json, device, calibrate: measure, out, overwrite } = flags;
  if (out !== undefined && !measure)
    throw new UsageError({ where: '--out', problem: 'needs --calibrate', hint: 'Or give neither' });
  if (out !== undefined && talks()) checkOutputs({ reads: [], writes: [out], overwrite });
  if (measure) return calibrateCommand(flags);
  if (!talks()) return;
  if (device !== undefined) await loadDevice(device);
  const facts = info(device);
  if (json) sayJson(facts);
  else say(formatInfo(facts));
}
