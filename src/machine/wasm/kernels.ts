import { fail } from '../../core/index.ts';
import { LAYOUT } from '../kernels/layout.ts';
import { type Address, ENTRIES, type Entry, type Kernels, L } from '../kernels/library.ts';
import { type StartWorker, startInPage, startThreads } from './threads.ts';
import { type WasmMemory, type WasmModule, WebAssembly } from './webassembly.ts';

// The kernels as an instance of their WebAssembly module. Addresses have 32 bits, which cross as signed numbers.

/** Bytes that an instance can address; the last page of 64 KiB is left out, so that no end of a piece of memory is 0. */
export const ADDRESSABLE = 2 ** 32 - 2 ** 16;

const WHERE = 'device wasm';
const REBUILT = 'Take the module that belongs to this version, or build it: npm run build:wasm';

type Function = (...args: readonly (number | bigint)[]) => number;

/** The threads of an instance. */
export interface ThreadOptions {
  /** How many compute, the one that calls among them; 1 by default. More take the module whose threads share memory. */
  readonly threads?: number;
  /** Starts the others; workers of the page by default. */
  readonly startWorker?: StartWorker;
}

export interface WasmKernels extends Kernels {
  /** Bytes of the instance's memory. */
  readonly moduleBytes: number;
  /** Ends its threads. */
  end(): void;
}

/** An instance of its own: two of them share nothing. */
export function wasmKernels(
  module: WasmModule,
  { threads = 1, startWorker = startInPage }: ThreadOptions = {},
): WasmKernels {
  const shared = sharesMemory(module) ? sharedMemory() : undefined;
  if (threads > 1 && shared === undefined)
    fail({
      where: WHERE,
      problem: `${threads} threads take a module whose memory they can share`,
      found: 'one for a single thread',
    });
  const { exports } = instanceOf(module, shared);
  const functionOf = (name: string): Function => {
    const found = exports[name];
    if (typeof found === 'function') return found as Function;
    return fail({
      where: WHERE,
      problem: 'the module is of another version',
      expected: `the function ${name}`,
      found: 'none of this name',
      hint: REBUILT,
    });
  };
  const memory = shared ?? (exports.memory as WasmMemory);
  const textAt = (address: number): string => {
    const bytes = new Uint8Array(memory.buffer, address >>> 0);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  };
  const said = (name: string): string => textAt(functionOf(name)());
  const layout = said('hm_layout').trim();
  if (layout !== LAYOUT)
    fail({
      where: WHERE,
      problem: 'the module is built from another version',
      expected: LAYOUT,
      found: layout,
      hint: REBUILT,
    });
  const entries = new Map<Entry, Function>();
  const find = (entry: Entry): Function => {
    const known = entries.get(entry) ?? crossing(entry, functionOf(entry));
    entries.set(entry, known);
    return known;
  };
  const checked = (made: () => number): void => {
    if (made() !== 0) fail({ where: WHERE, problem: said('hm_error') });
  };
  const call = (entry: Entry, ...args: readonly number[]): void => checked(() => find(entry)(...args));
  const give = functionOf('hm_alloc');
  const sized = (bytes: number): number => Math.max(bytes, 64);
  const own = (bytes: number): number => {
    const address = give(BigInt(bytes)) >>> 0;
    return address === 0 ? fail({ where: WHERE, problem: `no ${bytes} bytes for a thread` }) : address;
  };
  const end =
    shared === undefined || threads === 1
      ? () => undefined
      : startThreads({ module, memory, exports, call: checked, give: own }, threads, startWorker);
  let held = 0;
  return {
    where: WHERE,
    isa: said('hm_isa'),
    call,
    allocate(bytes) {
      const size = sized(bytes);
      const address = size > ADDRESSABLE ? 0 : give(BigInt(size)) >>> 0;
      if (address === 0)
        fail({
          where: WHERE,
          problem: `cannot allocate ${bytes} bytes: a module has 4 GiB at most, of which ${held} are taken`,
          hint: 'Use a smaller size, fewer filters, --memory-limit, or the device cpu',
        });
      held += size;
      return address as Address;
    },
    // Memory that is not used takes of the 4 GiB all the same.
    reserve: () => undefined,
    free(at, bytes) {
      call('hm_free', at, sized(bytes));
      held -= sized(bytes);
    },
    get held() {
      return held;
    },
    end,
    get moduleBytes() {
      return memory.buffer.byteLength;
    },
    upload: (to, data) => bytesAt(memory, to, data.byteLength).set(bytesOf(data)),
    download: (from, data) => bytesOf(data).set(bytesAt(memory, from, data.byteLength)),
    view: (at, bytes) => bytesAt(memory, at, bytes),
  };
}

const bytesAt = ({ buffer }: WasmMemory, at: number, bytes: number): Uint8Array =>
  new Uint8Array(buffer, at, bytes);
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** An entry whose 64-bit numbers may be given as plain ones. */
function crossing(entry: Entry, native: Function): Function {
  const long = ENTRIES[entry].map((type) => type === L);
  if (!long.includes(true)) return native;
  return (...args) => native(...args.map((arg, i) => (long[i] ? BigInt(arg) : arg)));
}

const sharesMemory = (module: WasmModule): boolean =>
  WebAssembly.Module.imports(module).some(({ name }) => name === 'memory');

/** Memory that threads share: it may grow to 4 GiB. */
const sharedMemory = (): WasmMemory =>
  new WebAssembly.Memory({ initial: 256, maximum: 2 ** 16, shared: true });

function instanceOf(
  module: WasmModule,
  memory?: WasmMemory,
): { readonly exports: Readonly<Record<string, unknown>> } {
  const nothing = () => undefined;
  const ended = (code?: number) => fail({ where: WHERE, problem: `the kernels ended with ${code}` });
  const shared = memory && {
    memory,
    emscripten_check_blocking_allowed: nothing,
    emscripten_unwind_to_js_event_loop: ended,
    __emscripten_init_main_thread_js: nothing,
  };
  const instance = new WebAssembly.Instance(module, {
    env: { emscripten_notify_memory_growth: nothing, ...shared },
    wasi_snapshot_preview1: {
      proc_exit: ended,
      // No clock: the code of WASI for what is not supported.
      clock_time_get: () => 52,
    },
  });
  (instance.exports._initialize as () => void)();
  return instance;
}
