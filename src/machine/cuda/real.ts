import { performance } from 'node:perf_hooks';
import koffi from 'koffi';
import { fail } from '../../core/index.ts';
import type { HostRoom, Launch, Mark } from '../device.ts';
import { rest } from '../rest.ts';
import { type CudaApi, OUT_OF_MEMORY } from './cuda-api.ts';
import type { ByteStore, CompiledKernel, Driver, KernelSource } from './driver.ts';
import { type Gpu, lookUp } from './gpu.ts';
import { NVRTC_MISSING, Nvrtc } from './nvrtc.ts';

// The driver of a GPU: libcuda and NVRTC, both found when the device is opened. One stream takes all launches, another one moves
// tensors to the host's memory and back beside them.

/** Flags of streams, memory and captures: numbers of cuda.h. */
const NON_BLOCKING = 1;
/** Of memory of the host: every context sees it, kernels too. */
const PORTABLE_MAPPED = 3;
const RELAXED = 2;

export function realDriver(ordinal = 0): Driver {
  const { api, handle, gpu } = lookUp(ordinal);
  const nvrtc = Nvrtc.open() ?? fail({ where: 'device cuda', problem: NVRTC_MISSING });
  const context = api.get('cuDevicePrimaryCtxRetain', handle);
  api.call('cuCtxSetCurrent', context);
  return new RealDriver(api, handle, gpu, nvrtc);
}

class RealDriver implements Driver {
  readonly note: string;
  private readonly api: CudaApi;
  private readonly handle: number;
  private readonly gpu: Gpu;
  private readonly nvrtc: Nvrtc;
  /** Of launches, and of moves to the host and back. */
  private readonly stream: number;
  private readonly moves: number;
  private readonly modules: number[] = [];
  private readonly kernels = new Map<string, CompiledKernel>();
  private readonly graphs: number[] = [];
  /** All events, and those that nobody asks for any more. */
  private readonly events: number[] = [];
  private readonly spare: number[] = [];
  /** Where downloads land; kept for the next ones. */
  private readonly landings: HostRoom[] = [];
  private readonly forgotten = new FinalizationRegistry<number>((event) => this.spare.push(event));
  private closed = false;

  constructor(api: CudaApi, handle: number, gpu: Gpu, nvrtc: Nvrtc) {
    this.api = api;
    this.handle = handle;
    this.gpu = gpu;
    this.nvrtc = nvrtc;
    this.note = `${gpu.name} (${gpu.architecture})`;
    this.stream = api.get('cuStreamCreate', NON_BLOCKING);
    this.moves = api.get('cuStreamCreate', NON_BLOCKING);
  }

  allocate(bytes: number): number {
    return this.taken('cuMemAlloc', bytes, 'memory of the GPU', Math.max(bytes, 1));
  }

  private taken(
    name: 'cuMemAlloc' | 'cuMemHostAlloc',
    bytes: number,
    what: string,
    ...args: number[]
  ): number {
    const out = [0];
    const code = this.api.try(name, out, ...args);
    if (code === OUT_OF_MEMORY) {
      const [free, total] = [[0], [0]];
      this.api.call('cuMemGetInfo', free, total);
      fail({
        where: 'device cuda',
        problem: `no room for ${bytes} bytes in the ${what}`,
        found: `${free[0]} of ${total[0]} bytes of ${this.gpu.name} free`,
        hint: 'Give a --memory-limit, use a smaller size or fewer filters, or end what else uses the GPU',
      });
    }
    this.api.check(name, code);
    return Number(out[0]);
  }

  free(at: number): void {
    // What was asked for before may still use it.
    this.api.call('cuStreamSynchronize', this.stream);
    this.api.call('cuMemFree', at);
  }

  /** From pageable memory: `data` has been read when this returns. */
  upload(to: number, data: Uint8Array): void {
    if (data.byteLength > 0) this.api.call('cuMemcpyHtoD', to, data, data.byteLength, this.stream);
  }

  /** Through a room of the host, which takes the bytes in the queue, whatever is asked for next. */
  async download(from: number, bytes: number): Promise<Uint8Array> {
    if (bytes === 0) return new Uint8Array();
    const at = this.landings.findIndex((room) => room.bytes >= bytes);
    const room = at < 0 ? this.room(bytes) : this.landings.splice(at, 1)[0];
    try {
      this.api.call('cuMemcpyToRoom', room.address, from, bytes, this.stream);
      await this.done();
      return room.view(bytes).slice();
    } finally {
      this.landings.push(room);
    }
  }

  async compile(sources: readonly KernelSource[]): Promise<void> {
    const missing = sources.filter(({ name }) => !this.kernels.has(name));
    const { architecture } = this.gpu;
    const codes = await Promise.all(missing.map((source) => this.nvrtc.codeBeside(source, architecture)));
    missing.forEach((source, i) => {
      this.load(source, codes[i]);
    });
  }

  kernel(source: KernelSource): CompiledKernel {
    return this.kernels.get(source.name) ?? this.load(source, this.nvrtc.code(source, this.gpu.architecture));
  }

  private load(source: KernelSource, code: Uint8Array): CompiledKernel {
    const loaded = this.api.get('cuModuleLoadData', code);
    this.modules.push(loaded);
    const handle = this.api.get('cuModuleGetFunction', loaded, source.name);
    const kernel: CompiledKernel = {
      launch: (blocks, args) => this.launchOf(handle, blocks, source.threads, args),
    };
    this.kernels.set(source.name, kernel);
    return kernel;
  }

  private launchOf(kernel: number, blocks: number, threads: number, args: Uint8Array): () => void {
    const own = args.slice();
    // Pointers to the parameters, of which there is one. Both arrays stay where they are as long as the closure holds them.
    const params = new BigUint64Array([koffi.address(own)]);
    const { api, stream } = this;
    return () => {
      api.call('cuLaunchKernel', kernel, blocks, 1, 1, threads, 1, 1, 0, stream, params, 0);
      void own;
    };
  }

  mark(): Mark {
    return this.markIn(this.stream);
  }

  private markIn(stream: number): RealMark {
    const event = this.spare.pop() ?? this.newEvent();
    this.api.call('cuEventRecord', event, stream);
    const mark = new RealMark(this.api, event);
    this.forgotten.register(mark, event);
    return mark;
  }

  private newEvent(): number {
    const event = this.api.get('cuEventCreate', 0);
    this.events.push(event);
    return event;
  }

  async done(): Promise<void> {
    await this.mark().wait();
  }

  room(bytes: number): HostRoom {
    const size = Math.max(bytes, 1);
    const address = this.taken(
      'cuMemHostAlloc',
      bytes,
      'memory of the host for the GPU',
      size,
      PORTABLE_MAPPED,
    );
    return { address, bytes, view: (most) => new Uint8Array(koffi.view(BigInt(address), most)) };
  }

  freeRoom({ address }: HostRoom): void {
    this.api.call('cuStreamSynchronize', this.stream);
    this.api.call('cuMemFreeHost', address);
  }

  openStore(bytes: number): ByteStore {
    const { api, moves } = this;
    const room = this.room(bytes);
    const marks: RealMark[] = [];
    /** After all that was asked for, beside all that will be. */
    const move = (
      name: 'cuMemcpyToRoom' | 'cuMemcpyFromRoom',
      to: number,
      from: number,
      count: number,
    ): number => {
      const before = this.markIn(this.stream);
      api.call('cuStreamWaitEvent', moves, before.event, 0);
      if (count > 0) api.call(name, to, from, count, moves);
      return marks.push(this.markIn(moves));
    };
    return {
      write: (from, count, offset) => move('cuMemcpyToRoom', room.address + offset, from, count),
      read: (to, count, offset) => move('cuMemcpyFromRoom', to, room.address + offset, count),
      settled: (ticket) => marks[ticket - 1].passed(),
      close: () => {
        api.call('cuStreamSynchronize', moves);
        this.freeRoom(room);
      },
    };
  }

  capture(run: () => void): Launch {
    const { api, stream } = this;
    api.call('cuStreamBeginCapture', stream, RELAXED);
    const graph = [0];
    try {
      run();
    } finally {
      api.call('cuStreamEndCapture', stream, graph);
    }
    const executable = api.get('cuGraphInstantiate', graph[0], 0);
    api.call('cuGraphDestroy', graph[0]);
    this.graphs.push(executable);
    return { run: () => api.call('cuGraphLaunch', executable, stream) };
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    const { api } = this;
    api.call('cuStreamSynchronize', this.stream);
    for (const room of this.landings.splice(0)) this.freeRoom(room);
    for (const graph of this.graphs.splice(0)) api.call('cuGraphExecDestroy', graph);
    for (const loaded of this.modules.splice(0)) api.call('cuModuleUnload', loaded);
    this.spare.length = 0;
    for (const event of this.events.splice(0)) api.call('cuEventDestroy', event);
    for (const stream of [this.stream, this.moves]) api.call('cuStreamDestroy', stream);
    api.call('cuDevicePrimaryCtxRelease', this.handle);
  }
}

/** An event of a stream. */
class RealMark implements Mark {
  readonly event: number;
  private readonly api: CudaApi;
  private reached = false;

  constructor(api: CudaApi, event: number) {
    this.api = api;
    this.event = event;
  }

  passed(): boolean {
    this.reached ||= !this.api.waits(this.event);
    return this.reached;
  }

  async wait(): Promise<void> {
    const begun = performance.now();
    while (!this.passed()) {
      // At first as often as possible; what takes long may be noticed a little late.
      if (performance.now() - begun < 2) await rest();
      else await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  milliseconds(since: Mark): number {
    return this.api.get('cuEventElapsedTime', (since as RealMark).event, this.event);
  }
}
