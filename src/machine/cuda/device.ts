import { type Box, BYTES, fail } from '../../core/index.ts';
import { type Kernel, type LocalValue, type StoredType, transferBytes } from '../../plan/index.ts';
import { callOf } from '../calls/index.ts';
import type {
  Device,
  HostArray,
  HostRoom,
  Launch,
  Mark,
  Memory,
  Store,
  Tensor,
  Transport,
} from '../device.ts';
import { combineSteps, copySteps, stepsOf } from './bind.ts';
import type { Address, CompiledKernel, Driver, KernelSource } from './driver.ts';
import { Faults } from './faults.ts';
import { HostCopies } from './host.ts';
import { Maker, type Step } from './maker.ts';
import { CUDA_TARGET } from './target.ts';
import { type CudaMemory, type CudaTensor, cudaTensor } from './tensors.ts';

const cuda = (tensor: Tensor) => tensor as CudaTensor;

/** A GPU, or what stands for one: printed kernels, compiled when they are first needed, all that wait at once. */
export class CudaDevice implements Device {
  readonly name = CUDA_TARGET.name;
  readonly fusion = CUDA_TARGET.fusion;
  readonly refuses = CUDA_TARGET.refuses;
  readonly formats = CUDA_TARGET.formats;
  readonly plain = CUDA_TARGET.plain;
  readonly spaces = CUDA_TARGET.spaces;
  private readonly driver: Driver;
  private readonly faults: Faults;
  private readonly host: HostCopies;
  private readonly compiled = new Map<string, CompiledKernel>();
  private readonly waiting = new Map<string, KernelSource>();
  private taken = 0;

  constructor(driver: Driver) {
    this.driver = driver;
    this.faults = new Faults(driver);
    this.host = new HostCopies(driver, (steps) => this.launch(steps).run());
  }

  allocate(bytes: number): CudaMemory {
    const address = bytes === 0 ? 0 : this.driver.allocate(bytes);
    this.taken += bytes;
    return { bytes, taken: bytes, address, kept: [] };
  }

  free(memory: Memory): void {
    const { address, taken, kept } = memory as CudaMemory;
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

  openStore(_folder: string, bytes: number): Store {
    const store = this.driver.openStore(bytes);
    const sized = (tensor: Tensor) => [cuda(tensor).address, cuda(tensor).bytes] as const;
    return {
      bytes,
      write: (tensor, offset) => store.write(...sized(tensor), offset),
      read: (tensor, offset) => store.read(...sized(tensor), offset),
      settled: (ticket) => store.settled(ticket),
      close: () => store.close(),
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
    const numbers = await this.host.read(cuda(tensor), box);
    await this.faults.check();
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
    const make = this.maker(first.home, cudaOf, 'combine');
    return this.launch(combineSteps(make, [first, ...others], how, BYTES[first.dtype]));
  }

  prepare(kernel: Kernel, rank: number, tensorOf: (value: LocalValue) => Tensor, owner: Memory): Launch {
    const call = callOf(kernel, rank, tensorOf);
    const node = kernel.anchor ?? kernel.nodes[kernel.nodes.length - 1];
    const make = this.maker(owner, (value) => cuda(tensorOf(value)), node.call.where);
    return this.launch(stepsOf(call, make));
  }

  private maker(owner: Memory, tensorOf: (value: LocalValue) => CudaTensor, what: string): Maker {
    return new Maker({
      tensorOf,
      owner: owner as CudaMemory,
      faults: this.faults,
      what,
      take: (bytes) => this.take(bytes),
      put: (to, data) => this.driver.upload(to, data),
    });
  }

  /** Compiled when it first runs, together with all that was prepared by then. */
  private launch(steps: readonly Step[]): Launch {
    for (const { source } of steps)
      if (!this.compiled.has(source.name)) this.waiting.set(source.name, source);
    let launches: (() => void)[] | undefined;
    return {
      run: () => {
        launches ??= this.bound(steps);
        for (const run of launches) run();
      },
    };
  }

  private bound(steps: readonly Step[]): (() => void)[] {
    this.compile();
    return steps
      .filter(({ blocks }) => blocks > 0)
      .map(({ source, blocks, args }) => this.compiled.get(source.name)!.launch(blocks, args));
  }

  private compile(): void {
    const sources = [...this.waiting.values()];
    this.waiting.clear();
    const kernels = this.driver.compile(sources);
    sources.forEach(({ name }, i) => {
      this.compiled.set(name, kernels[i]);
    });
  }

  async ready(): Promise<void> {
    this.compile();
  }

  mark(): Mark {
    return this.driver.mark();
  }

  async done(): Promise<void> {
    await this.driver.done();
    await this.faults.check();
  }

  readonly transport: Transport = {
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
    tensor: (like, box, room) => this.inRoom(like, box, room),
  };

  /** Plain numbers of a box in memory of the host, which kernels reach. */
  private inRoom(like: Tensor, box: Box, room: HostRoom): CudaTensor {
    const { shape, dtype } = like;
    return cudaTensor(cuda(like).home, room.address, { shape, dtype, format: this.plain(like) }, box);
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
