import { existsSync } from 'node:fs';
import koffi, { type LibraryHandle } from 'koffi';
import { fail, type NormalDraws } from '../../core/index.ts';
import { setUpCommand } from '../../files/index.ts';
import { kernelFile as file, kernelFolder } from '../kernel-files.ts';
import { LAYOUT } from '../kernels/layout.ts';
import { type Address, ENTRIES, type Entry, I, type Kernels, L, P } from '../kernels/library.ts';
import { functionsOf } from '../native-functions.ts';

/** Instruction sets in order of preference; each has a library of its own. */
export const INSTRUCTION_SETS = ['avx512', 'avx2', 'base'] as const;
export type InstructionSet = (typeof INSTRUCTION_SETS)[number];

/** The `hm_spill_` entries of one file. */
export interface SpillHandle {
  write(from: Address, bytes: number, offset: number): number;
  read(to: Address, bytes: number, offset: number): number;
  wait(ticket: number, milliseconds: number): boolean;
  close(): void;
}

/** The kernels of one instruction set as a shared library. */
export interface Library extends Kernels {
  readonly isa: InstructionSet;
  readonly threads: number;
  /** Threads of the pool, which all callers share; quick where it has as many. */
  useThreads(count: number): void;
  /** See `hm_fill_normal`. */
  fillNormal(out: Float64Array, draws: NormalDraws): void;
  /** See `hm_spill_open`; raises its error. */
  openSpill(folder: string, bytes: number): SpillHandle;
  /** Highest resident memory of this process so far, in bytes. */
  peakRss(): number;
  /** See `hm_remove_on_signals`; undefined: signals end the process and remove nothing. */
  removeOnSignals(files: readonly string[] | undefined): void;
}

/** Copies go in pieces, since a host array above 2 GiB cannot cross. */
const PIECE = 2 ** 30;

/** Whether there are native kernels here, or a set of them is asked for by name. */
export const kernelsBuilt = (): boolean => existsSync(file('base')) || process.env.HALOMESH_ISA !== undefined;

function pickSet(): InstructionSet {
  const forced = process.env.HALOMESH_ISA;
  if (forced !== undefined) {
    const known = INSTRUCTION_SETS.find((isa) => isa === forced);
    return (
      known ??
      fail({
        where: 'HALOMESH_ISA',
        problem: 'unknown instruction set',
        expected: INSTRUCTION_SETS.join(', '),
        found: forced,
      })
    );
  }
  if (!existsSync(file('base')))
    fail({
      where: 'device cpu',
      problem: 'the native kernels are not built',
      hint: `Run: ${setUpCommand()}`,
    });
  return instructionSets().find(({ built, supported }) => built && supported)?.name ?? 'base';
}

/** For which instruction sets kernels are built, and which of them this processor has. */
export function instructionSets(): { name: InstructionSet; built: boolean; supported: boolean }[] {
  const supports = existsSync(file('base'))
    ? functions('base')('hm_cpu_supports', I, ['const char *'])
    : () => 0;
  return INSTRUCTION_SETS.map((name) => ({
    name,
    built: existsSync(file(name)),
    supported: supports(name) === 1,
  }));
}

const functions = (isa: InstructionSet) =>
  functionsOf(opened(isa), {
    where: 'device cpu',
    what: 'the native kernels are',
    hint: kernelFolder().hint,
  });

function opened(isa: InstructionSet): LibraryHandle {
  try {
    return koffi.load(file(isa));
  } catch (error) {
    return fail(
      {
        where: file(isa),
        problem: `cannot be loaded: ${error instanceof Error ? error.message : error}`,
        hint: kernelFolder().hint,
      },
      { cause: error },
    );
  }
}

/** Refuses a library that is not what its name says, or was built from other structs and row operations than these. */
function checkLibrary(isa: InstructionSet, func: ReturnType<typeof functions>): void {
  const said = (name: string): string => (func(name, 'const char *', []) as () => string)();
  for (const [problem, expected, found] of [
    ['is built for another instruction set', isa, said('hm_isa')],
    ['is built from another version', LAYOUT, said('hm_layout').trim()],
  ])
    if (found !== expected) fail({ where: file(isa), problem, expected, found, hint: kernelFolder().hint });
}

/**
 * Until it is called with undefined, SIGINT, SIGTERM and SIGHUP remove these files before they end the process, even while it has no turn
 * for a handler of its own. Does nothing where the kernels are not built.
 */
export function removeOnSignals(files: readonly string[] | undefined): void {
  if (existsSync(file('base'))) library().removeOnSignals(files);
}

let loaded: Library | undefined;

/** The library for this processor (or for HALOMESH_ISA), loaded once. */
export function library(): Library {
  loaded ??= load(pickSet());
  return loaded;
}

function load(isa: InstructionSet): Library {
  if (!existsSync(file(isa)))
    fail({
      where: 'device cpu',
      problem: `the kernels for ${isa} are not built`,
      hint: `Run: ${setUpCommand()}`,
    });
  const func = functions(isa);
  checkLibrary(isa, func);
  const entries = new Map<Entry, (...args: number[]) => number>();
  const find = (entry: Entry): ((...args: number[]) => number) => {
    const known =
      entries.get(entry) ?? (func(entry, I, [...ENTRIES[entry]]) as (...args: number[]) => number);
    entries.set(entry, known);
    return known;
  };
  const error = func('hm_error', 'const char *', []) as () => string;
  const alloc = func('hm_alloc', P, [L]) as (bytes: number) => number;
  let held = 0;
  let inUse: number | undefined;
  const take = (bytes: number): number => {
    const size = Math.max(bytes, 64);
    const address = alloc(size);
    if (address !== 0) held += size;
    return address;
  };
  const threads = func('hm_threads', I, []) as () => number;
  const rss = func('hm_peak_rss', L, []) as () => number;
  const remove = func('hm_remove_on_signals', I, ['const void *', L]) as (
    paths: Uint8Array | null,
    bytes: number,
  ) => number;
  const copyIn = func('int hm_memcpy(uint64_t dst, const void *src, int64_t bytes)');
  const copyOut = func('int hm_memcpy(_Out_ void *dst, uint64_t src, int64_t bytes)');
  const fill = func('hm_fill_normal', I, ['_Out_ void *', L, 'uint32_t', 'uint32_t', L, 'double']);
  const pieces = (data: ArrayBufferView, copy: (piece: Uint8Array, at: number) => number): void => {
    for (let at = 0; at < data.byteLength; at += PIECE) {
      const piece = new Uint8Array(data.buffer, data.byteOffset + at, Math.min(PIECE, data.byteLength - at));
      if (copy(piece, at) !== 0) fail({ where: 'device cpu', problem: error() });
    }
  };
  return {
    where: 'device cpu',
    isa,
    get threads() {
      return threads();
    },
    useThreads(count) {
      if (count === inUse) return;
      if (find('hm_set_threads')(count) !== 0) fail({ where: 'device cpu', problem: error() });
      inUse = count;
    },
    call(entry, ...args) {
      if (find(entry)(...args) !== 0) fail({ where: 'device cpu', problem: error() });
    },
    allocate(bytes) {
      const address = take(bytes);
      if (address === 0)
        fail({
          where: 'device cpu',
          problem: `cannot allocate ${bytes} bytes`,
          hint: 'Use a smaller size, fewer filters or more ranks',
        });
      return address as Address;
    },
    reserve: (bytes) => (take(bytes) || undefined) as Address | undefined,
    free(at, bytes) {
      const size = Math.max(bytes, 64);
      if (find('hm_free')(at, size) !== 0) fail({ where: 'device cpu', problem: error() });
      held -= size;
    },
    get held() {
      return held;
    },
    upload: (to, data) => pieces(data, (piece, at) => copyIn(to + at, piece, piece.byteLength)),
    download: (from, data) => pieces(data, (piece, at) => copyOut(piece, from + at, piece.byteLength)),
    fillNormal: (out, { key0, key1, first, deviation }) =>
      pieces(out, (piece, at) => fill(piece, piece.byteLength / 8, key0, key1, first + at / 8, deviation)),
    openSpill: (folder, bytes) => openSpill(func, error, folder, bytes),
    view: (at, bytes) => new Uint8Array(koffi.view(BigInt(at), bytes) as ArrayBuffer),
    peakRss: () => Number(rss()),
    removeOnSignals(files) {
      const paths = files && Buffer.from(files.map((file) => `${file}\0`).join(''));
      if (remove(paths ?? null, paths?.length ?? 0) !== 0) fail({ where: 'device cpu', problem: error() });
    },
  };
}

function openSpill(
  func: ReturnType<typeof functionsOf>,
  error: () => string,
  folder: string,
  bytes: number,
): SpillHandle {
  const raise = (): never => fail({ where: 'device cpu', problem: error() });
  const open = func('hm_spill_open', P, ['const char *', L]) as (folder: string, bytes: number) => number;
  const write = func('hm_spill_write', L, [P, P, L, L]) as (...args: number[]) => number;
  const read = func('hm_spill_read', L, [P, P, L, L]) as (...args: number[]) => number;
  const wait = func('hm_spill_wait', I, [P, L, I]) as (...args: number[]) => number;
  const close = func('hm_spill_close', I, [P]) as (spill: number) => number;
  const spill = open(folder, bytes) || raise();
  return {
    write: (from, size, offset) => Number(write(spill, from, size, offset)) || raise(),
    read: (to, size, offset) => Number(read(spill, to, size, offset)) || raise(),
    wait(ticket, milliseconds) {
      const state = wait(spill, ticket, milliseconds);
      return state === 1 ? raise() : state === 0;
    },
    close: () => void close(spill),
  };
}
