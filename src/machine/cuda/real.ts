import koffi from 'koffi';
import { fail } from '../../core/index.ts';
import type { FarRooms, HostRoom, Mark } from '../device.ts';
import { type CudaApi, OUT_OF_MEMORY, RealMark } from './cuda-api.ts';
import type { ByteSpill, CompiledKernel, Driver, Graph, KernelSource } from './driver.ts';
import { realFar } from './far.ts';
import { type Gpu, lookUp } from './gpu.ts';
import { NVRTC_MISSING, Nvrtc } from './nvrtc.ts';

// The driver of a GPU: libcuda and NVRTC, both found when the device is opened. One stream takes all launches, another one moves
// tensors to the host's memory and back beside them, a third one messages.

/** Flags of streams, memory and captures: numbers of cuda.h. */
const NON_BLOCKING = 1;
/** Of memory of the host: every context sees it, kernels too. */
const PORTABLE_MAPPED = 3;
const RELAXED = 2;

export function realDriver(ordinal?: number): Driver {
  const { api, handle, gpu } = lookUp(ordinal);
  const nvrtc = Nvrtc.open() ?? fail({ where: 'device cuda', problem: NVRTC_MISSING });
  const context = api.get('cuDevicePrimaryCtxRetain', handle);
  api.call('cuCtxSetCurrent', context);
  return new RealDriver(api, handle, gpu, nvrtc);
}

/** CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES */
const MOST_SHARED = 8;

class RealDriver implements Driver {
  readonly note: string;
  readonly shared: number;
  readonly far: FarRooms;
  private readonly api: CudaApi;
  private readonly handle: number;
  private readonly gpu: Gpu;
  private readonly nvrtc: Nvrtc;
  /** Of launches, of moves to the host and back, and of messages. */
  private readonly stream: number;
  private readonly moves: number;
  private readonly letters: number;
  private readonly modules: number[] = [];
  private readonly kernels = new Map<string, CompiledKernel>();
  private readonly graphs = new Set<number>();
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
    this.shared = gpu.shared;
    [this.stream, this.moves, this.letters] = [0, 1, 2].map(() => api.get('cuStreamCreate', NON_BLOCKING));
    this.far = realFar({
      api,
      stream: this.letters,
      allocate: (bytes) => this.allocate(bytes),
      free: (at) => this.free(at),
      staged: { room: (bytes) => this.room(bytes), free: (room) => this.freeRoom(room) },
      mark: (stream) => this.markOf(stream),
    });
  }

  allocate(bytes: number): number {
    return this.taken('cuMemAlloc', bytes, 'memory of the GPU', Math.max(bytes, 1));
  }

  left(): number {
    const [free, total] = [[0], [0]];
    this.api.call('cuMemGetInfo', free, total);
    return Number(free[0]);
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
    if (source.shared !== undefined) this.api.call('cuFuncSetAttribute', handle, MOST_SHARED, source.shared);
    const kernel: CompiledKernel = {
      launch: (blocks, args) => this.launchOf(handle, blocks, source, args),
    };
    this.kernels.set(source.name, kernel);
    return kernel;
  }

  private launchOf(
    kernel: number,
    blocks: number,
    { threads, shared = 0 }: KernelSource,
    args: Uint8Array,
  ): () => void {
    const own = args.slice();
    // Pointers to the parameters, of which there is one. Both arrays stay where they are as long as the closure holds them.
    const params = new BigUint64Array([koffi.address(own)]);
    const { api, stream } = this;
    return () => {
      api.call('cuLaunchKernel', kernel, blocks, 1, 1, threads, 1, 1, shared, stream, params, 0);
      void own;
    };
  }

  mark(): Mark {
    return this.markOf(this.stream);
  }

  private markOf(stream: number): Mark {
    const event = this.recorded(stream);
    const mark = new RealMark(this.api, event);
    this.forgotten.register(mark, event);
    return mark;
  }

  /** An event that is reached when all that was asked of a stream is done. */
  private recorded(stream: number): number {
    const event = this.spare.pop() ?? this.newEvent();
    this.api.call('cuEventRecord', event, stream);
    return event;
  }

  private newEvent(): number {
    const event = this.api.get('cuEventCreate', 0);
    this.events.push(event);
    return event;
  }

  async done(): Promise<void> {
    const event = this.recorded(this.stream);
    await new RealMark(this.api, event).wait();
    this.spare.push(event);
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

  openSpill(bytes: number): ByteSpill {
    const { api, moves, stream } = this;
    const room = this.room(bytes);
    /** Events of moves that the queue does not wait for yet, by ticket. */
    const under = new Map<number, number>();
    let tickets = 0;
    const waitFor = (event: number, waits: number): void => {
      api.call('cuStreamWaitEvent', waits, event, 0);
      // What waits has taken note of it.
      this.spare.push(event);
    };
    /** After all that was asked for, beside all that will be. */
    const move = (
      name: 'cuMemcpyToRoom' | 'cuMemcpyFromRoom',
      to: number,
      from: number,
      count: number,
    ): number => {
      waitFor(this.recorded(stream), moves);
      if (count > 0) api.call(name, to, from, count, moves);
      under.set(++tickets, this.recorded(moves));
      return tickets;
    };
    return {
      write: (from, count, offset) => move('cuMemcpyToRoom', room.address + offset, from, count),
      read: (to, count, offset) => move('cuMemcpyFromRoom', to, room.address + offset, count),
      // The queue waits for the move, not the host.
      settled: (ticket) => {
        const event = under.get(ticket);
        if (event !== undefined) waitFor(event, stream);
        under.delete(ticket);
        return true;
      },
      close: () => {
        api.call('cuStreamSynchronize', moves);
        for (const event of under.values()) this.spare.push(event);
        under.clear();
        this.freeRoom(room);
      },
    };
  }

  capture(run: () => void): Graph {
    const { api, stream, graphs } = this;
    api.call('cuStreamBeginCapture', stream, RELAXED);
    let recorded: number | undefined;
    try {
      run();
    } finally {
      // Ends the recording whatever went wrong; of two errors the first one is told.
      const graph = [0];
      const code = api.try('cuStreamEndCapture', stream, graph);
      if (code === 0) recorded = Number(graph[0]);
    }
    if (recorded === undefined)
      fail({ where: 'device cuda', problem: 'the driver did not record the launches' });
    const executable = api.get('cuGraphInstantiate', recorded, 0);
    api.call('cuGraphDestroy', recorded);
    graphs.add(executable);
    return {
      run: () => api.call('cuGraphLaunch', executable, stream),
      free: () => {
        if (!graphs.delete(executable)) return;
        // It may still run.
        api.call('cuStreamSynchronize', stream);
        api.call('cuGraphExecDestroy', executable);
      },
    };
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    const { api } = this;
    api.call('cuStreamSynchronize', this.stream);
    for (const room of this.landings.splice(0)) this.freeRoom(room);
    for (const graph of this.graphs) api.call('cuGraphExecDestroy', graph);
    this.graphs.clear();
    for (const loaded of this.modules.splice(0)) api.call('cuModuleUnload', loaded);
    this.spare.length = 0;
    for (const event of this.events.splice(0)) api.call('cuEventDestroy', event);
    for (const stream of [this.stream, this.moves, this.letters]) api.call('cuStreamDestroy', stream);
    api.call('cuDevicePrimaryCtxRelease', this.handle);
  }
}
