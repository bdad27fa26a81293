import { type Box, BYTES, fail } from '../../core/index.ts';
import {
  type Kernel,
  type LocalValue,
  type StoredType,
  type Target,
  transferBytes,
} from '../../plan/index.ts';
import { callOf } from '../calls/index.ts';
import type {
  Device,
  HostArray,
  HostRoom,
  Launch,
  Mark,
  Memory,
  Spill,
  Tensor,
  Transport,
} from '../device.ts';
import { combineSteps, copySteps, stepsOf } from './bind.ts';
import type { Address, Driver, KernelSource } from './driver.ts';
import { emulatedDriver } from './emulated.ts';
import { Faults } from './faults.ts';
import { HostCopies } from './host.ts';
import { Maker, type Step } from './maker.ts';
import { cacheFolder } from './nvrtc.ts';
import { realDriver } from './real.ts';
import { Scratch, type Slabs } from './scratch.ts';
import { CONTEXT, type CudaTargetOptions, cudaTarget, SHARED, SLABS } from './target.ts';
import { type CudaMemory, type CudaTensor, cudaTensor } from './tensors.ts';
import { together } from './together.ts';

export interface CudaOptions extends CudaTargetOptions {
  /** Which GPU; by default the processes of a machine take one each, in turn. */
  readonly ordinal?: number;
  /** What is below the device; by default the GPU's own driver. */
  readonly driver?: Driver;
}

/** The CUDA device: a GPU, or what an emulated driver stands for. */
export function cudaDevice({ ordinal, driver = driverHere(ordinal), ...options }: CudaOptions = {}): Device {
  return new CudaDevice(driver, options);
}

/** HALOMESH_CUDA=emulated stands for a GPU where there is none: slow, for tests; HALOMESH_CUDA_RACES=1 makes it look for races. */
const driverHere = (ordinal?: number): Driver => {
  const { HALOMESH_CUDA, HALOMESH_CUDA_RACES } = process.env;
  if (HALOMESH_CUDA !== 'emulated') return realDriver(ordinal);
  return emulatedDriver({ cache: cacheFolder(), races: HALOMESH_CUDA_RACES === '1' });
};

const cuda = (tensor: Tensor) => tensor as CudaTensor;

/** Launches of kernels, which are loaded when they are first asked for. */
class CudaLaunch implements Launch {
  readonly steps: readonly Step[];
  private readonly driver: Driver;
  private launches: readonly (() => void)[] | undefined;

  constructor(steps: readonly Step[], driver: Driver) {
    this.steps = steps.filter(({ blocks }) => blocks > 0);
    this.driver = driver;
  }

  bound(): readonly (() => void)[] {
    this.launches ??= this.steps.map(({ source, blocks, args }) =>
      this.driver.kernel(source).launch(blocks, args),
    );
    return this.launches;
  }

  run(): void {
    for (const run of this.bound()) run();
  }
}

class CudaDevice implements Device {
  readonly target: Target;
  readonly transport: Transport;
  private readonly driver: Driver;
  private readonly faults: Faults;
  private readonly slabs: Slabs;
  private readonly shared: number;
  private readonly host: HostCopies;
  /** Kernels that are about to be compiled, by name. */
  private readonly waiting = new Map<string, KernelSource>();
  private compiling: Promise<void> | undefined;
  private taken = 0;

  constructor(driver: Driver, options: CudaTargetOptions = {}) {
    this.slabs = options.slabs ?? SLABS;
    this.shared = Math.min(options.shared ?? SHARED, driver.shared ?? SHARED);
    this.target = cudaTarget({ ...options, shared: this.shared });
    this.driver = driver;
    this.faults = new Faults(driver);
    this.host = new HostCopies(driver, (steps) => this.launch(steps).run());
    this.transport = { ...this.messages, far: driver.far };
  }

  allocate(bytes: number): CudaMemory {
    const address = bytes === 0 ? 0 : this.driver.allocate(bytes);
    this.taken += bytes;
    return { bytes, taken: bytes, address, kept: [], graphs: [] };
  }

  free(memory: Memory): void {
    const { address, taken, kept, graphs } = memory as CudaMemory;
    for (const graph of graphs.splice(0)) graph.free();
    for (const one of kept.splice(0)) this.give(one);
    if (taken > 0) this.give({ address, bytes: taken });
  }

  private take(bytes: number): Address {
    this.taken += bytes;
    return this.driver.allocate(bytes);
  }

  private give({ address, bytes }: { readonly address: Address; readonly bytes: number }): void {
    this.driver.free(address);
    this.taken -= bytes;
  }

  /** What is free, and what the process has by now: its context among it. */
  granted(): number | undefined {
    const left = this.driver.left?.();
    return left === undefined ? undefined : CONTEXT + this.taken + left;
  }

  openSpill(_folder: string | undefined, bytes: number): Spill {
    const spill = this.driver.openSpill(bytes);
    const sized = (tensor: Tensor) => [cuda(tensor).address, cuda(tensor).bytes] as const;
    return {
      bytes,
      write: (tensor, offset) => spill.write(...sized(tensor), offset),
      read: (tensor, offset) => spill.read(...sized(tensor), offset),
      settled: (ticket) => spill.settled(ticket),
      close: () => spill.close(),
    };
  }

  tensor(memory: Memory, offset: number, type: StoredType, box: Box): CudaTensor {
    const home = memory as CudaMemory;
    return cudaTensor(home, home.address + offset, type, box);
  }

  upload(tensor: Tensor, box: Box, data: HostArray): void {
    this.host.write(cuda(tensor), box, data);
  }

  async download(tensor: Tensor, box: Box): Promise<HostArray> {
    // Both are asked for before either is waited for.
    const [numbers] = await Promise.all([this.host.read(cuda(tensor), box), this.faults.check()]);
    return numbers;
  }

  copy(to: Tensor, from: Tensor, box: Box): Launch {
    return this.launch(copySteps(cuda(to), cuda(from), box));
  }

  combine(tensors: readonly Tensor[], how: 'sum' | 'max' | 'min'): Launch {
    const [first, ...others] = tensors.map(cuda);
    if (others.some(({ bytes, dtype }) => bytes !== first.bytes || dtype !== first.dtype))
      fail({ where: 'device cuda', problem: 'only tensors that lie alike can be combined' });
    if (first.bytes === 0) return this.launch([]);
    const make = this.maker(first.home, cudaOf, 'combine', new Scratch(undefined, 0));
    return this.launch(combineSteps(make, [first, ...others], how, BYTES[first.dtype]));
  }

  async prepare(
    kernel: Kernel,
    rank: number,
    tensorOf: (value: LocalValue) => Tensor,
    owner: Memory,
    scratch?: Tensor,
  ): Promise<Launch> {
    const call = callOf(kernel, rank, tensorOf);
    const node = kernel.anchor ?? kernel.nodes[kernel.nodes.length - 1];
    const memory = scratch && cuda(scratch);
    const room = new Scratch(memory, memory?.bytes ?? 0);
    const make = this.maker(owner, (value) => cuda(tensorOf(value)), node.call.where, room);
    const steps = stepsOf(call, make);
    await this.compiled(steps.map(({ source }) => source));
    return this.launch(steps);
  }

  /** Compiles kernels together with all that others ask for at the same time. */
  private async compiled(sources: readonly KernelSource[]): Promise<void> {
    for (const source of sources) this.waiting.set(source.name, source);
    this.compiling ??= Promise.resolve().then(() => {
      this.compiling = undefined;
      const all = [...this.waiting.values()];
      this.waiting.clear();
      return this.driver.compile(all);
    });
    await this.compiling;
  }

  private maker(
    owner: Memory,
    tensorOf: (value: LocalValue) => CudaTensor,
    what: string,
    scratch: Scratch,
  ): Maker {
    const home = owner as CudaMemory;
    return new Maker({
      tensorOf,
      faults: this.faults,
      home,
      what,
      scratch,
      slabs: this.slabs,
      shared: this.shared,
      keep: (data) => this.kept(home, data),
    });
  }

  /** Memory with what launches read, which is freed with `home`. */
  private kept(home: CudaMemory, data: Uint8Array): Address {
    const address = this.take(data.byteLength);
    home.kept.push({ address, bytes: data.byteLength });
    this.driver.upload(address, data);
    return address;
  }

  private launch(steps: readonly Step[]): CudaLaunch {
    return new CudaLaunch(steps, this.driver);
  }

  capture(launches: readonly Launch[], owner: Memory): Launch {
    const home = owner as CudaMemory;
    const asked = launches.flatMap((launch) => (launch as CudaLaunch).steps);
    const steps = together(asked, (data) => this.kept(home, data));
    this.driver.compileNow?.(steps.map(({ source }) => source));
    // Code is loaded before the recording: nothing but launches may be asked for in one.
    const runs = new CudaLaunch(steps, this.driver).bound();
    if (runs.length === 0) return this.launch([]);
    const graph = this.driver.capture(() => {
      for (const run of runs) run();
    });
    home.graphs.push(graph);
    return graph;
  }

  mark(): Mark {
    return this.driver.mark();
  }

  async done(): Promise<void> {
    await this.driver.done();
    await this.faults.check();
  }

  private readonly messages: Transport = {
    rooms: {
      room: (bytes) => this.driver.room(bytes),
      free: (room) => this.driver.freeRoom(room),
    },
    bytes: transferBytes,
    outgoing: (tensor, box, room) => {
      const launch = this.copy(this.inRoom(tensor, box, room), tensor, box);
      return { pack: () => this.markedAfter(launch) };
    },
    incoming: (tensor, box, room) => {
      const launch = this.copy(tensor, this.inRoom(tensor, box, room), box);
      return { unpack: () => this.markedAfter(launch) };
    },
    tensor: (like, shape, box, room) => this.inRoom({ ...like, shape }, box, room),
  };

  /** Plain numbers of a box in memory for messages, which kernels reach. */
  private inRoom(like: Tensor, box: Box, room: HostRoom): CudaTensor {
    const { shape, dtype } = like;
    return cudaTensor(cuda(like).home, room.address, { shape, dtype, format: this.target.plain(like) }, box);
  }

  private markedAfter(launch: Launch): Mark {
    launch.run();
    return this.mark();
  }

  get held(): number {
    return this.taken;
  }

  close(): void {
    this.host.close();
    this.faults.close();
    this.driver.close();
  }
}

const cudaOf = (): never => fail({ where: 'device cuda', problem: 'no value is asked for here' });
