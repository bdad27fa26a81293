import { fail } from '../../core/index.ts';
import type { WasmGlobal, WasmMemory, WasmModule } from './webassembly.ts';

// Threads of the kernels: workers, each with an instance of the module over the memory that all share. A worker never comes back from its
// kernels: it sleeps there between jobs. It may come late, or not at all, since no job waits for one that has not joined it.

/** What a worker is started with. */
export interface ThreadStart {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  /** 1, 2...; 0 is the thread that calls the kernels. */
  readonly thread: number;
  /** Address of its thread-local variables. */
  readonly locals: number;
  /** Address that its stack begins below. */
  readonly stack: number;
}

/** Starts a worker that runs a script; what it is started with arrives as `start` there. */
export type StartWorker = (start: ThreadStart) => { terminate(): unknown };

/** The script of a worker: a function of what it is started with. It loads nothing. */
export const THREAD_SCRIPT = `({ module, memory, thread, locals, stack }) => {
  const nothing = () => undefined;
  const ended = (code) => { throw new Error('the kernels ended with ' + code); };
  const { exports } = new WebAssembly.Instance(module, {
    env: {
      memory,
      emscripten_notify_memory_growth: nothing,
      emscripten_check_blocking_allowed: nothing,
      emscripten_unwind_to_js_event_loop: ended,
      __emscripten_init_main_thread_js: nothing,
    },
    wasi_snapshot_preview1: { proc_exit: ended, clock_time_get: () => 52 },
  });
  exports.stackRestore(stack);
  exports.__wasm_init_tls(locals);
  try {
    exports.hm_wasm_work(thread);
  } catch {
    exports.hm_wasm_stopped();
  }
}`;

interface Worker {
  postMessage(message: ThreadStart): void;
  terminate(): void;
}
interface Page {
  readonly Worker?: new (address: string) => Worker;
  readonly Blob: new (parts: readonly string[]) => object;
  readonly URL: { createObjectURL(blob: object): string; revokeObjectURL(address: string): void };
}

/** A worker of a page or of one of its workers; where the page is cross-origin isolated, since only then memory can be shared. */
export const startInPage: StartWorker = (start) => {
  const { Worker, Blob, URL } = globalThis as unknown as Page;
  if (Worker === undefined)
    return fail({
      where: 'device wasm',
      problem: 'there are no workers here',
      hint: 'Compute on one thread',
    });
  const address = URL.createObjectURL(new Blob([`onmessage = ({ data }) => (${THREAD_SCRIPT})(data);`]));
  const worker = new Worker(address);
  worker.postMessage(start);
  return {
    terminate() {
      worker.terminate();
      URL.revokeObjectURL(address);
    },
  };
};

/** Bytes of a thread's stack. */
const STACK = 2 ** 20;

export interface ThreadedModule {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  readonly exports: Readonly<Record<string, unknown>>;
  /** Calls a function of it, and raises what that says went wrong. */
  readonly call: (entry: () => number) => void;
  /** Memory for a thread, for as long as the instance is there. */
  readonly give: (bytes: number) => number;
}

/** Starts threads beside the one that calls; gives what ends them. */
export function startThreads(
  { module, memory, exports, call, give }: ThreadedModule,
  threads: number,
  startWorker: StartWorker,
): () => void {
  call(() => (exports.hm_set_threads as (count: number) => number)(threads));
  const size = (exports.__tls_size as WasmGlobal).value;
  const room = Math.ceil(size / 64) * 64;
  const workers = Array.from({ length: threads - 1 }, (_, n) => {
    const at = give(room + STACK);
    return startWorker({ module, memory, thread: n + 1, locals: at, stack: at + room + STACK });
  });
  return () => {
    (exports.hm_wasm_end as () => void)();
    for (const worker of workers) worker.terminate();
  };
}
