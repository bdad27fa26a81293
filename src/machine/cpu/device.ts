import { availableParallelism, tmpdir } from 'node:os';
import { type Box, isEmpty, range, sameRange } from '../../core/index.ts';
import { memoryOfProcess } from '../../files/index.ts';
import {
  type Kernel,
  type LocalValue,
  type StoredType,
  type Target,
  transferBytes,
  wholeBytes,
} from '../../plan/index.ts';
import { launchOf, passedMark } from '../at-once.ts';
import { type ContractionCall, callOf } from '../calls/index.ts';
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
import { bind } from './bind.ts';
import { bindContractionInTwo } from './bind-window.ts';
import { Binder } from './binder.ts';
import { prepareCombine } from './combine.ts';
import { prepareCopy } from './copy.ts';
import { type ConvAlgorithm, convAlgorithm, type ExactConv } from './exact-conv.ts';
import { HostCopies } from './host.ts';
import { type Address, after, type Library, library } from './library.ts';
import { type CpuTensor, cpuTensor } from './storage.ts';
import { Arguments } from './structs.ts';
import { cpuTarget, type TargetOptions } from './target.ts';

/** Memory, and the launch arguments that are freed with it. */
interface CpuMemory extends Memory {
  readonly address: Address;
  readonly args: Arguments;
}

/** A tensor that remembers the memory that it lies in. */
interface PlacedTensor extends CpuTensor {
  readonly home: CpuMemory;
  /** Bytes that a spill moves: whole pages where the plan gave it whole pages. */
  readonly stored: number;
}

/** Milliseconds that one look at a move may take. */
const SPILL_WAIT = 20;

export interface CpuOptions extends TargetOptions {
  /** All cores by default. */
  readonly threads?: number;
  /** See {@link ExactConv}; by default what HALOMESH_CONV says, else `auto`. */
  readonly exactConv?: ExactConv;
}

/** The CPU device: the native kernels on `threads` threads. */
export function cpuDevice({
  threads = availableParallelism(),
  exactConv,
  ...machine
}: CpuOptions = {}): Device {
  return new CpuDevice(onThreads(library(), threads), convAlgorithm(exactConv), cpuTarget(machine));
}

/** The library with a number of threads of its own: devices share one pool, and each call finds it as large as its device asks. */
function onThreads(shared: Library, threads: number): Library {
  const call: Library['call'] = (entry, ...args) => {
    shared.useThreads(threads);
    shared.call(entry, ...args);
  };
  return Object.create(shared, { call: { value: call } }) as Library;
}

class CpuDevice implements Device {
  readonly target: Target;
  private readonly library: Library;
  private readonly conv: ConvAlgorithm;
  private readonly host: HostCopies;

  constructor(lib: Library, conv: ConvAlgorithm, target: Target) {
    this.target = target;
    this.library = lib;
    this.conv = conv;
    this.host = new HostCopies(lib);
  }

  get instructionSet(): string {
    return this.library.isa;
  }

  /** What the system counts of a process includes its parent's memory at the start; the library asks for its own. */
  peakMemory(): number {
    return this.library.peakRss();
  }

  allocate(bytes: number, room = bytes): CpuMemory {
    const args = new Arguments(this.library);
    const roomy = room > bytes ? this.library.reserve(room) : undefined;
    if (roomy !== undefined) return { bytes: room, address: roomy, args };
    return { bytes, address: this.library.allocate(bytes), args };
  }

  free(memory: Memory): void {
    const { address, args } = memory as CpuMemory;
    args.free();
    this.library.free(address, memory.bytes);
  }

  /** What the machine, its container and `ulimit -v` grant. */
  granted(): number {
    return memoryOfProcess();
  }

  openSpill(folder: string | undefined, bytes: number): Spill {
    const spill = this.library.openSpill(folder ?? tmpdir(), bytes);
    const sized = (tensor: Tensor) => {
      const { address, stored } = tensor as PlacedTensor;
      return [address, stored] as const;
    };
    return {
      bytes,
      write: (tensor, offset) => spill.write(...sized(tensor), offset),
      read: (tensor, offset) => spill.read(...sized(tensor), offset),
      settled: (ticket) => spill.wait(ticket, SPILL_WAIT),
      close: () => spill.close(),
    };
  }

  tensor(memory: Memory, offset: number, type: StoredType, box: Box): PlacedTensor {
    const home = memory as CpuMemory;
    const stored = wholeBytes(this.target.spaces.tensors, type.format.bytes(box));
    return { ...cpuTensor(after(home.address, offset), type, box), home, stored };
  }

  upload(tensor: Tensor, box: Box, data: HostArray): void {
    this.host.write(tensor as CpuTensor, box, data);
  }

  async download(tensor: Tensor, box: Box): Promise<HostArray> {
    return this.host.read(tensor as CpuTensor, box);
  }

  copy(to: Tensor, from: Tensor, box: Box): Launch {
    return launchOf(prepareCopy(this.library, argsOf(to), to as CpuTensor, from as CpuTensor, box));
  }

  combine(tensors: readonly Tensor[], how: 'sum' | 'max' | 'min', first?: 'first'): Launch {
    if (isEmpty(tensors[0].box)) return launchOf(() => undefined);
    const args = argsOf(tensors[0]);
    const stored = first === undefined ? tensors.length : 1;
    return launchOf(prepareCombine(this.library, args, tensors as readonly CpuTensor[], how, stored));
  }

  async prepare(
    kernel: Kernel,
    rank: number,
    tensorOf: (value: LocalValue) => Tensor,
    owner: Memory,
    scratch?: Tensor,
  ): Promise<Launch> {
    const call = callOf(kernel, rank, tensorOf);
    const binder = this.binder(owner, tensorOf, scratch as CpuTensor | undefined);
    const run = bind(call, binder);
    // Between the parts others may use the scratch.
    if ((call.op !== 'conv' && call.op !== 'conv_transpose') || scratch !== undefined) return { run };
    return { run, parts: (ready) => contractionParts(call, binder, ready) };
  }

  readonly mark = passedMark;

  async done(): Promise<void> {}

  readonly transport: Transport = {
    rooms: {
      room: (bytes) => {
        const address = this.library.allocate(bytes);
        return { address, bytes, view: (most) => new Uint8Array(this.library.view(address, most)) };
      },
      free: ({ address, bytes }) => this.library.free(address as Address, bytes),
    },
    bytes: transferBytes,
    outgoing: (tensor, box, room) => {
      const { run } = this.copy(this.inRoom(tensor, box, room), tensor, box);
      return { pack: () => markedAfter(run) };
    },
    incoming: (tensor, box, room) => {
      const { run } = this.copy(tensor, this.inRoom(tensor, box, room), box);
      return { unpack: () => markedAfter(run) };
    },
    tensor: (like, count, room) =>
      this.inRoom({ ...like, shape: [{ name: 'part', size: count }] }, [range(0, count)], room),
    pollWith: (poll) => this.library.call('hm_set_poll', poll),
  };

  get held(): number {
    return this.library.held;
  }

  close(): void {
    this.host.close();
  }

  /** Plain numbers of a box in memory of the host. */
  private inRoom(like: Tensor, box: Box, room: HostRoom): PlacedTensor {
    const { shape, dtype } = like;
    const plain = cpuTensor(room.address as Address, { shape, dtype, format: this.target.plain(like) }, box);
    return { ...plain, home: (like as PlacedTensor).home, stored: 0 };
  }

  private binder(memory: Memory, tensorOf: (value: LocalValue) => Tensor, scratch?: CpuTensor): Binder {
    return new Binder(this.library, (memory as CpuMemory).args, tensorOf, this.conv, scratch);
  }

  pollWith(poll: number): void {
    this.library.call('hm_set_poll', poll);
  }
}

/** A contraction in two launches; its loops begin with the dimensions of its output, and parts are cut in space. */
function contractionParts(
  call: ContractionCall,
  binder: Binder,
  ready: Box,
): readonly [Launch, Launch] | undefined {
  const { box } = call.out;
  const spaceAlone = [0, box.length - 1].every((dim) => sameRange(ready[dim], box[dim]));
  if (!spaceAlone) return undefined;
  const { first, second } = bindContractionInTwo(call, binder, ready.slice(0, box.length));
  return [launchOf(first), launchOf(second)];
}

function markedAfter(run: () => void): Mark {
  run();
  return passedMark();
}

/** Arguments that live as long as a tensor's memory. */
const argsOf = (tensor: Tensor): Arguments => (tensor as PlacedTensor).home.args;
