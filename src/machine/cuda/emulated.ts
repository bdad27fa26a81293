import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';
import { fail } from '../../core/index.ts';
import { beginPartial, makeFolder } from '../../files/index.ts';
import { passedMark } from '../at-once.ts';
import type { HostRoom } from '../device.ts';
import { functionsOf } from '../native-functions.ts';
import type { CompiledKernel, Driver, Graph, KernelSource } from './driver.ts';
import { emulatedFar, type SharedMemory } from './emulated-far.ts';
import { deviceText, nativeFile, nativeText } from './library.ts';

// A driver without a GPU: the printed source, compiled for the host against native/cuda/emulate, runs block by block. Memory is poisoned
// when it is given, shared memory before every block, and every access is held against the box of its tensor.

// Where races are looked for, kernels tell the runtime of every access to memory (native/cuda/emulate/races.h).

const FLAGS = ['-std=c++17', '-O1', '-ffp-contract=off', '-fno-math-errno', '-w', '-fPIC'];

/** Where compiled code is kept, and what compiles it. */
export interface EmulatorOptions {
  readonly cache: string;
  /** A C++ compiler; CXX, else g++. */
  readonly compiler?: string;
  /** Whether a launch fails in which threads use memory at the same time, one of them writing; several times slower. */
  readonly races?: boolean;
}

interface Runtime extends SharedMemory {
  readonly file: string;
  allocate(bytes: number): number;
  free(at: number): void;
  upload(to: number, data: Uint8Array): void;
  download(data: Uint8Array, from: number): void;
}

let runtime: Runtime | undefined;
/** Where launches go while they are recorded. */
let recording: (() => void)[] | undefined;
/** Of this process, by name; those that tell of races apart. */
const [plain, telling] = [new Map<string, CompiledKernel>(), new Map<string, CompiledKernel>()];

export function emulatedDriver(options: EmulatorOptions): Driver {
  runtime ??= loadRuntime(options);
  const memory = runtime;
  const kernels = options.races ? telling : plain;
  const compile = (sources: readonly KernelSource[]): void =>
    compileAll(sources, kernels, options, memory.file);
  const compileMissing = (sources: readonly KernelSource[]): void => {
    const wanted = new Map(sources.map((source) => [source.name, source]));
    const missing = [...wanted.values()].filter(({ name }) => !kernels.has(name));
    if (missing.length > 0) compile(missing);
  };
  const room = (bytes: number): HostRoom => {
    const address = memory.allocate(Math.max(bytes, 1));
    return {
      address,
      bytes,
      view: (most) => new Uint8Array(koffi.view(BigInt(address), most) as ArrayBuffer),
    };
  };
  const freeRoom = ({ address }: HostRoom): void => memory.free(address);
  return {
    note: 'emulated on the host',
    allocate(bytes) {
      const address = memory.allocate(Math.max(bytes, 1));
      if (address === 0) fail({ where: 'device cuda', problem: `cannot allocate ${bytes} bytes` });
      return address;
    },
    free: memory.free,
    upload(to, data) {
      notRecorded('an upload');
      memory.upload(to, data);
    },
    async download(from, bytes) {
      notRecorded('a download');
      const data = new Uint8Array(bytes);
      memory.download(data, from);
      return data;
    },
    compile: async (sources) => compileMissing(sources),
    compileNow: compileMissing,
    kernel(source) {
      if (!kernels.has(source.name)) compile([source]);
      return kernels.get(source.name)!;
    },
    mark() {
      notRecorded('a mark');
      return passedMark();
    },
    done: async () => undefined,
    room,
    freeRoom,
    far: emulatedFar(memory, { room, free: freeRoom }),
    openSpill(bytes) {
      const room = memory.allocate(Math.max(bytes, 1));
      const move = (to: number, from: number, count: number): number => {
        notRecorded('a move');
        memory.move(to, from, count);
        return 0;
      };
      return {
        write: (from, count, offset) => move(room + offset, from, count),
        read: (to, count, offset) => move(to, room + offset, count),
        settled: () => true,
        close: () => memory.free(room),
      };
    },
    capture: recorded,
    close: () => undefined,
  };
}

function recorded(run: () => void): Graph {
  notRecorded('a recording');
  const launches: (() => void)[] = [];
  recording = launches;
  try {
    run();
  } finally {
    recording = undefined;
  }
  return {
    run() {
      notRecorded('a graph');
      for (const launch of launches) launch();
    },
    free() {
      launches.length = 0;
    },
  };
}

/** A graph holds launches alone. */
function notRecorded(what: string): void {
  if (recording !== undefined) fail({ where: 'device cuda', problem: `${what} cannot be recorded` });
}

function loadRuntime(options: EmulatorOptions): Runtime {
  const parts = ['emulate', 'memory', 'races'].map((name) => `emulate/${name}.cpp`);
  const texts = [...parts, 'emulate/emulate.h', 'emulate/races.h'].map(nativeText);
  const file = built('emulator', texts, options, (to) => [[...parts.map(nativeFile), '-shared', '-o', to]]);
  const func = loaded(file);
  const copy = 'em_copy';
  return {
    file,
    allocate: func('em_allocate', 'uint64_t', ['int64_t']) as (bytes: number) => number,
    free: func('em_free', 'void', ['uint64_t']) as (at: number) => void,
    upload: (
      (copyIn) => (to: number, data: Uint8Array) =>
        copyIn(to, data, data.byteLength)
    )(func(copy, 'void', ['uint64_t', 'void *', 'int64_t']) as (...all: unknown[]) => void),
    download: (
      (copyOut) => (data: Uint8Array, from: number) =>
        copyOut(data, from, data.byteLength)
    )(func('void em_copy(_Out_ void *to, uint64_t from, int64_t bytes)') as (...all: unknown[]) => void),
    move: func(copy, 'void', ['uint64_t', 'uint64_t', 'int64_t']) as (...all: number[]) => void,
    share: func('uint64_t em_share(int64_t bytes, _Out_ int32_t *file)') as Runtime['share'],
    unshare: func('em_unshare', 'void', ['uint64_t', 'int64_t', 'int']) as Runtime['unshare'],
    open: func('em_open', 'uint64_t', ['int', 'int', 'int64_t']) as Runtime['open'],
    shut: func('em_shut', 'void', ['uint64_t', 'int64_t']) as Runtime['shut'],
  };
}

function loaded(file: string): LibraryHandle['func'] {
  try {
    const found = { where: file, what: 'is', hint: 'Remove it' };
    return functionsOf(koffi.load(file), found);
  } catch (error) {
    return fail(
      { where: file, problem: `cannot be loaded: ${(error as Error).message}`, hint: 'Remove it' },
      { cause: error },
    );
  }
}

/** Compiles all kernels into one library, each in a namespace of its own. */
function compileAll(
  sources: readonly KernelSource[],
  kernels: Map<string, CompiledKernel>,
  options: EmulatorOptions,
  runtimeFile: string,
): void {
  const races = options.races ?? false;
  const text = `${nativeText('emulate/emulate.h')}${deviceText()}${sources.map((one) => hostText(one, races)).join('')}`;
  const file = built('kernels', [text, runtimeFile], options, (to) => {
    const [cpp, object] = [`${to}.cpp`, `${to}.o`];
    writeFileSync(cpp, text);
    // The accesses are told to the runtime, which takes the place of the sanitizer's own library.
    const told = races ? ['-fsanitize=thread', '--param', 'tsan-distinguish-volatile=0'] : [];
    return [
      [...told, '-c', cpp, '-o', object],
      ['-shared', object, '-o', to, runtimeFile],
    ];
  });
  const func = loaded(file);
  for (const { name, threads } of sources) {
    const run = func(`${name}_run`, 'const char *', ['int64_t', 'int', 'void *']) as (
      blocks: number,
      threads: number,
      args: Uint8Array,
    ) => string | null;
    kernels.set(name, {
      launch(blocks, args) {
        const own = args.slice();
        const now = () => {
          const problem = run(blocks, threads, own);
          if (problem !== null) fail({ where: `kernel ${name}`, problem });
        };
        return () => {
          if (recording === undefined) now();
          else recording.push(now);
        };
      },
    });
  }
}

function hostText({ name, text, barriers, shared = 0 }: KernelSource, races: boolean): string {
  return `namespace ${name}_space {
${text}
static void enter(const void *args) { ${name}(*(const Args *)args); }
}
extern "C" const char *${name}_run(long long blocks, int threads, const void *args) {
  return em_launch(blocks, threads, ${shared}, ${Number(barriers)}, ${Number(races)}, ${name}_space::enter, args);
}
`;
}

/** A library of the cache, which is compiled where it is not there; `texts`: all that it is made of, `runs`: of the compiler. */
function built(
  stem: string,
  texts: readonly string[],
  { cache, compiler = process.env.CXX?.trim() || 'g++' }: EmulatorOptions,
  runs: (to: string) => readonly (readonly string[])[],
): string {
  const hash = createHash('sha256')
    .update([...texts, compiler, ...FLAGS].join('\0'))
    .digest('hex');
  const file = path.join(cache, `${stem}-${hash.slice(0, 24)}.so`);
  if (existsSync(file)) return file;
  makeFolder(cache);
  const partial = beginPartial(file);
  try {
    const [program, ...first] = compiler.split(/\s+/);
    for (const args of runs(partial.path))
      execFileSync(program, [...first, ...FLAGS, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    partial.finish();
  } catch (error) {
    partial.discard();
    const said = String((error as { stderr?: Buffer }).stderr ?? error);
    fail(
      { where: 'device cuda', problem: `a kernel did not compile: ${said.slice(0, 4000)}` },
      { cause: error },
    );
  } finally {
    for (const kind of ['cpp', 'o']) rmSync(`${partial.path}.${kind}`, { force: true });
  }
  return file;
}
