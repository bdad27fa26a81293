import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import koffi, { type LibraryHandle } from 'koffi';
import { fail } from '../../core/index.ts';
import { setUpCommand } from '../../files/index.ts';
import { functionsOf } from '../native-functions.ts';

/** A list of messages that are posted and then waited for together. */
export type Batch = number & { readonly __batch: true };

/** What posts messages and waits for them. Addresses cross as numbers. */
export interface Messages {
  batch(): Batch;
  send(batch: Batch, from: number, bytes: number, to: number, tag: number): void;
  receive(batch: Batch, to: number, bytes: number, from: number, tag: number): void;
  /** Waits up to some milliseconds; true when all of the batch is done, which is then gone. */
  test(batch: Batch, milliseconds: number): boolean;
}

/** MPI, by `native/mpi/shim.cpp`. */
export interface MpiLibrary extends Messages {
  readonly rank: number;
  readonly size: number;
  /** It says that messages may lie in the memory of GPUs. */
  readonly takesGpuMemory: boolean;
  allocate(bytes: number): number;
  free(address: number, bytes: number): void;
  /** This process begins a collective; all begin the same ones in the same order. */
  enter(label: string): void;
  /** Messages with another rank begin: the two watch whether the other lives. */
  near(rank: number): void;
  /** Native memory as a host array; at most 1 GiB. */
  view(address: number, bytes: number): Uint8Array;
  barrier(batch: Batch): void;
  /** `all` has room for `bytes` bytes of each process. */
  allGather(batch: Batch, mine: number, all: number, bytes: number): void;
  /** Address of a native function that moves messages on; see `Transport.pollWith`. */
  readonly poll: number;
  abort(code: number): never;
  /** Leaves; every process must, at the same time. */
  finish(): void;
}

const I = 'int32_t';
const L = 'int64_t';
const P = 'uint64_t';

// src/machine/mpi and dist/machine/mpi both lie three folders below the root of the package.
const file = fileURLToPath(new URL('../../../build/native/libhalomesh_mpi.so', import.meta.url));

const HINT = `Run: ${setUpCommand('mpi')}`;

/** Whether MPI can be used here, and which one or why not. Never fails, starts nothing. */
export function mpiAvailable(): {
  readonly available: boolean;
  readonly note: string;
  /** It says that messages may lie in the memory of GPUs. */
  readonly gpuMemory?: boolean;
} {
  if (!existsSync(file))
    return {
      available: false,
      note: `not set up: all ranks run in one process. For one process a rank: ${setUpCommand('mpi')}`,
    };
  try {
    const version = open().func('hmpi_version', 'const char *', []) as () => string;
    const [first] = version().split('\n');
    const takes = open().func('hmpi_takes_gpu_memory', 'int', []) as () => number;
    return { available: true, note: first.replace(/\s+/g, ' ').trim(), gpuMemory: takes() !== 0 };
  } catch (error) {
    return { available: false, note: `cannot be loaded (${(error as Error).message}). ${HINT}` };
  }
}

/** Other processes are found by the plugins of Open MPI, which look for its symbols among the global ones. */
const open = (): LibraryHandle => koffi.load(file, { global: true });

/** What {@link startMpi} may be told. */
export interface MpiOptions {
  /** Messages longer than this travel in pieces. */
  readonly chunkBytes?: number;
  /** Seconds without a sign of life after which a rank is given up and all end, 5 where nothing is said; 0: never. */
  readonly silence?: number;
}

/** Joins the processes that were started together. */
export function startMpi({ chunkBytes = 2 ** 30, silence }: MpiOptions = {}): MpiLibrary {
  if (!existsSync(file)) fail({ where: 'mpi', problem: 'the shim for MPI is not built', hint: HINT });
  const func = functionsOf(open(), { where: 'mpi', what: 'the shim for MPI is', hint: HINT });
  const error = func('hmpi_error', 'const char *', []) as () => string;
  const find = (name: string, result: string, types: string[]) =>
    func(`hmpi_${name}`, result, types) as (...args: number[]) => number;
  const checked = (name: string, types: string[]) => {
    const call = find(name, I, types);
    return (...args: number[]): number => {
      const state = call(...args);
      return state === 1 ? fail({ where: 'mpi', problem: error() }) : state;
    };
  };
  const usualSilence = find('usual_silence', 'double', []);
  checked('start', [L, 'double'])(chunkBytes, silence ?? usualSilence());
  const enterBy = func('hmpi_enter', I, ['const char *']) as (label: string) => number;
  const enter = (label: string): void => {
    if (enterBy(label) !== 0) fail({ where: 'mpi', problem: error() });
  };
  const near = checked('near', [I]);
  const allocate = find('allocate', P, [L]);
  const free = func('hmpi_free', 'void', [P, L]);
  const batch = find('batch', P, []);
  const send = checked('send', [P, P, L, I, I]);
  const receive = checked('receive', [P, P, L, I, I]);
  const barrier = checked('barrier', [P]);
  const allGather = checked('all_gather', [P, P, P, I]);
  const test = checked('test', [P, I]);
  const abort = func('hmpi_abort', 'void', [I]);
  const finish = checked('finish', []);
  return {
    rank: find('rank', I, [])(),
    size: find('size', I, [])(),
    takesGpuMemory: find('takes_gpu_memory', I, [])() !== 0,
    enter,
    near: (rank) => void near(rank),
    allocate: (bytes) =>
      allocate(bytes) || fail({ where: 'mpi', problem: `cannot allocate ${bytes} bytes for messages` }),
    free: (address, bytes) => void free(address, bytes),
    view: (address, bytes) => new Uint8Array(koffi.view(BigInt(address), bytes) as ArrayBuffer),
    batch: () => batch() as Batch,
    send: (...args) => void send(...args),
    receive: (...args) => void receive(...args),
    barrier: (...args) => void barrier(...args),
    allGather: (...args) => void allGather(...args),
    test: (...args) => test(...args) === 0,
    poll: Number(find('poll', P, [])()),
    abort(code) {
      abort(code);
      throw new Error('unreachable: all processes have ended');
    },
    finish: () => void finish(),
  };
}
