import { fail } from '../../core/index.ts';
import { LAYOUT } from '../kernels/layout.ts';
import { type Address, ENTRIES, type Entry, type Kernels, L } from '../kernels/library.ts';
import { type WasmMemory, type WasmModule, WebAssembly } from './webassembly.ts';

// The kernels as an instance of their WebAssembly module. Addresses have 32 bits, which cross as signed numbers.

/** Bytes that an instance can address; the last page of 64 KiB is left out, so that no end of a piece of memory is 0. */
export const ADDRESSABLE = 2 ** 32 - 2 ** 16;

const WHERE = 'device wasm';
const REBUILT = 'Take the module that belongs to this version, or build it: npm run build:wasm';

type Function = (...args: readonly (number | bigint)[]) => number;

export interface WasmKernels extends Kernels {
  /** Bytes of the instance's memory. */
  readonly moduleBytes: number;
}

/** An instance of its own: two of them share nothing. */
export function wasmKernels(module: WasmModule): WasmKernels {
  const { exports } = instanceOf(module);
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
  const memory = exports.memory as WasmMemory;
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
  const call = (entry: Entry, ...args: readonly number[]): void => {
    if (find(entry)(...args) !== 0) fail({ where: WHERE, problem: said('hm_error') });
  };
  const give = functionOf('hm_alloc');
  const sized = (bytes: number): number => Math.max(bytes, 64);
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

function instanceOf(module: WasmModule): { readonly exports: Readonly<Record<string, unknown>> } {
  const instance = new WebAssembly.Instance(module, {
    env: { emscripten_notify_memory_growth: () => undefined },
    wasi_snapshot_preview1: {
      proc_exit: (code) => fail({ where: WHERE, problem: `the kernels ended with ${code}` }),
    },
  });
  (instance.exports._initialize as () => void)();
  return instance;
}
