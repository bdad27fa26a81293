import { type Box, fail } from '../../core/index.ts';
import type { Kernel, LocalValue, StoredType, Target } from '../../plan/index.ts';
import { callOf } from '../calls/index.ts';
import type { Device, HostArray, Launch, Mark, Memory, Spill, Tensor, Transport } from '../device.ts';
import { hostTransport } from '../host-messages.ts';
import { hostSpill } from '../host-spill.ts';
import { type Gpu, type GpuAdapter, type GpuDevice, LIMITS, type Limits, pageGpu } from './api.ts';
import { stepsOf } from './bind.ts';
import { Faults } from './faults.ts';
import { HostCopies } from './host.ts';
import { Maker } from './maker.ts';
import { combineSteps, copySteps } from './print/fixed.ts';
import { Queue } from './queue.ts';
import { scratchFrom } from './scratch.ts';
import type { Address } from './slabs.ts';
import type { Step } from './step.ts';
import { webgpuTarget } from './target.ts';
import { type GpuMemory, type GpuTensor, gpuTensor } from './tensors.ts';

export interface WebGpuOptions {
  /** What WebGPU is reached by: `navigator.gpu` by default. */
  readonly gpu?: Gpu | Promise<Gpu>;
}

/** WebGPU: kernels printed as WGSL for calls and rows. What is asked for before the adapter has answered waits for it. */
export function webgpuDevice({ gpu = gpuOfPage() }: WebGpuOptions = {}): Device {
  return new WebGpuDevice(gpu);
}

const gpuOfPage = (): Gpu =>
  pageGpu() ??
  fail({
    where: 'device webgpu',
    problem: 'there is no WebGPU here: navigator.gpu is absent',
    hint: 'It takes a browser with WebGPU and a page over HTTPS or of this machine; the device wasm runs everywhere',
  });

/** What the kernels on tiles take of it. */
const WORKGROUP_BYTES = 2 ** 15;

async function open(gpu: Gpu): Promise<GpuDevice> {
  const adapter: GpuAdapter =
    (await gpu.requestAdapter({ powerPreference: 'high-performance' })) ??
    fail({
      where: 'device webgpu',
      problem: 'there is no adapter: no GPU whose driver WebGPU can use',
      hint: 'On Linux it takes a Vulkan driver; the devices cpu and wasm need none',
    });
  const room = adapter.limits.maxComputeWorkgroupStorageSize;
  if (room < WORKGROUP_BYTES)
    fail({
      where: 'device webgpu',
      problem: 'this GPU gives a workgroup too little memory of its own',
      expected: `${WORKGROUP_BYTES} bytes or more`,
      found: `${room}`,
      hint: 'Choose another device: wasm runs everywhere',
    });
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  return adapter.requestDevice({ requiredLimits: requiredLimits as Limits });
}

const own = (tensor: Tensor) => tensor as GpuTensor;

class WebGpuLaunch implements Launch {
  private readonly steps: () => readonly Step[];
  private readonly queue: Queue;
  private readonly owner: GpuMemory;
  private bound: readonly { readonly run: () => void; readonly free: () => void }[] | undefined;

  /** `steps`: printed when the launch is first asked for, when limits are known. */
  constructor(queue: Queue, owner: GpuMemory, steps: () => readonly Step[]) {
    this.queue = queue;
    this.owner = owner;
    this.steps = steps;
  }

  run(): void {
    this.queue.ask((gpu) => {
      this.bound ??= this.bind(gpu);
      for (const { run } of this.bound) run();
    });
  }

  private bind(gpu: GpuDevice) {
    const bound = this.steps().map((step) => this.queue.bind(gpu, step));
    this.owner.kept.push(() => {
      for (const { free } of bound) free();
      this.bound = undefined;
    });
    return bound;
  }
}

class WebGpuDevice implements Device {
  readonly target: Target = webgpuTarget();
  readonly transport: Transport;
  private readonly queue: Queue;
  private readonly faults: Faults;
  private readonly host: HostCopies;
  private taken = 0;
  /** What WebGPU is reached by: it must outlive all that it gave, and nothing else holds it. */
  private gpu: Gpu | undefined;

  constructor(gpu: Gpu | Promise<Gpu>) {
    const opening = async () => {
      this.gpu = await gpu;
      return open(this.gpu);
    };
    this.queue = new Queue(opening());
    const { queue } = this;
    this.faults = new Faults({
      take: (bytes) => queue.slabs.take(bytes),
      give: (address, bytes) => queue.slabs.give(address, bytes),
      upload: (address, data) => queue.upload(address, data),
      download: (address, bytes) => queue.download(address, bytes),
    });
    this.host = new HostCopies(queue, (steps) => this.once(steps));
    this.transport = hostTransport({
      read: (tensor, box) => this.host.read(own(tensor), box),
      write: (tensor, box, data) => this.host.write(own(tensor), box, data),
      mark: () => this.mark(),
    });
  }

  allocate(bytes: number): GpuMemory {
    const address = bytes === 0 ? 0 : this.queue.slabs.take(bytes);
    this.taken += bytes;
    return { bytes, address, kept: [] };
  }

  free(memory: Memory): void {
    const { bytes, address, kept } = memory as GpuMemory;
    this.queue.submit();
    for (const give of kept.splice(0)) give();
    if (bytes === 0) return;
    this.queue.slabs.give(address, bytes);
    this.taken -= bytes;
  }

  /** An arena lies in one buffer. */
  granted(): number | undefined {
    return this.queue.largest;
  }

  openSpill(_folder: string | undefined, bytes: number): Spill {
    const { queue } = this;
    const placed = (tensor: Tensor) => tensor as GpuTensor;
    return hostSpill(bytes, {
      where: 'device webgpu',
      bytes: (tensor) => placed(tensor).bytes,
      read: (tensor) => queue.download(placed(tensor).address, placed(tensor).bytes),
      write: (tensor, data) => queue.upload(placed(tensor).address, data),
    });
  }

  tensor(memory: Memory, offset: number, type: StoredType, box: Box): GpuTensor {
    const home = memory as GpuMemory;
    return gpuTensor(home, home.address + offset, type, box);
  }

  upload(tensor: Tensor, box: Box, data: HostArray): void {
    this.host.write(own(tensor), box, data);
  }

  async download(tensor: Tensor, box: Box): Promise<HostArray> {
    // Both are asked for before either is waited for.
    const [numbers] = await Promise.all([this.host.read(own(tensor), box), this.faults.check()]);
    return numbers;
  }

  copy(to: Tensor, from: Tensor, box: Box): Launch {
    const { home } = own(to);
    return this.launch(home, () => copySteps(this.maker(home, 'copy'), own(to), own(from), box));
  }

  combine(tensors: readonly Tensor[], how: 'sum' | 'max' | 'min'): Launch {
    const [first, ...others] = tensors.map(own);
    if (others.some(({ bytes, dtype }) => bytes !== first.bytes || dtype !== first.dtype))
      fail({ where: 'device webgpu', problem: 'only tensors that lie alike can be combined' });
    const { home } = first;
    if (first.bytes === 0) return this.launch(home, () => []);
    return this.launch(home, () => combineSteps(this.maker(home, 'combine'), [first, ...others], how));
  }

  async prepare(
    kernel: Kernel,
    rank: number,
    tensorOf: (value: LocalValue) => Tensor,
    owner: Memory,
    scratch?: Tensor,
  ): Promise<Launch> {
    await this.queue.ready();
    const call = callOf(kernel, rank, tensorOf);
    const node = kernel.anchor ?? kernel.nodes[kernel.nodes.length - 1];
    const home = owner as GpuMemory;
    const what = node.call.where;
    const room = scratchFrom(scratch && own(scratch));
    const steps = stepsOf(
      call,
      this.maker(home, what, (value) => own(tensorOf(value)), room),
    );
    await this.queue.compiled(steps, what);
    return this.launch(home, () => steps);
  }

  private maker(
    home: GpuMemory,
    what: string,
    tensorOf: (value: LocalValue) => GpuTensor = noValue,
    scratch: (bytes: number) => Address = scratchFrom(undefined),
  ): Maker {
    const { queue } = this;
    return new Maker({
      tensorOf,
      faults: this.faults,
      limits: queue.limits,
      home,
      what,
      scratch,
      keep: (data) => {
        const address = queue.slabs.take(data.byteLength);
        this.taken += data.byteLength;
        home.kept.push(() => {
          queue.slabs.give(address, data.byteLength);
          this.taken -= data.byteLength;
        });
        queue.upload(address, data);
        return address;
      },
    });
  }

  private launch(owner: GpuMemory, steps: () => readonly Step[]): Launch {
    return new WebGpuLaunch(this.queue, owner, steps);
  }

  /** Asks for steps whose arguments are given back at once. */
  private once(steps: (make: Maker) => readonly Step[]): void {
    const owner: GpuMemory = { bytes: 0, address: 0, kept: [] };
    this.queue.ask((gpu) => {
      const bound = steps(this.maker(owner, 'copy')).map((step) => this.queue.bind(gpu, step));
      for (const { run } of bound) run();
      this.queue.submit();
      for (const { free } of bound) free();
    });
  }

  mark(): Mark {
    return this.queue.mark();
  }

  async done(): Promise<void> {
    await Promise.all([this.queue.done(), this.faults.check()]);
  }

  get held(): number {
    return this.taken;
  }

  close(): void {
    this.host.close();
    this.faults.close();
    this.queue.close();
    this.gpu = undefined;
  }
}

const noValue = (): never => fail({ where: 'device webgpu', problem: 'no value is asked for here' });
