import { availableParallelism, tmpdir } from 'node:os';
import type { Box, NormalDraws } from '../../core/index.ts';
import { memoryOfProcess } from '../../files/index.ts';
import { type Target, transferBytes } from '../../plan/index.ts';
import { passedMark } from '../at-once.ts';
import type { Device, HostRoom, Mark, Spill, Tensor, Transport } from '../device.ts';
import { KernelDevice, type PlacedTensor } from '../kernels/device.ts';
import type { Address, ConvAlgorithm, ExactConv } from '../kernels/library.ts';
import { kernelTensor } from '../kernels/storage.ts';
import { convAlgorithm } from './exact-conv.ts';
import { type Library, library } from './library.ts';
import { cpuTarget, type TargetOptions } from './target.ts';

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
  const fillNormal: Library['fillNormal'] = (out, draws) => {
    shared.useThreads(threads);
    shared.fillNormal(out, draws);
  };
  return Object.create(shared, { call: { value: call }, fillNormal: { value: fillNormal } }) as Library;
}

class CpuDevice extends KernelDevice {
  private readonly library: Library;

  constructor(lib: Library, conv: ConvAlgorithm, target: Target) {
    super(lib, conv, target);
    this.library = lib;
  }

  readonly fillNormal = (out: Float64Array, draws: NormalDraws): void => this.library.fillNormal(out, draws);

  /** What the system counts of a process includes its parent's memory at the start; the library asks for its own. */
  peakMemory(): number {
    return this.library.peakRss();
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

  /** Kernels reach the rooms themselves. */
  readonly transport: Transport = {
    rooms: {
      room: (bytes) => {
        const address = this.library.allocate(bytes);
        return { address, bytes, view: (most) => this.library.view(address, most) };
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
    tensor: (like, shape, box, room) => this.inRoom({ ...like, shape }, box, room),
    pollWith: (poll) => this.library.call('hm_set_poll', poll),
  };

  /** Plain numbers of a box in memory of the host. */
  private inRoom(like: Tensor, box: Box, room: HostRoom): PlacedTensor {
    const { shape, dtype } = like;
    const type = { shape, dtype, format: this.target.plain(like) };
    const plain = kernelTensor(room.address as Address, type, box);
    return { ...plain, home: (like as PlacedTensor).home, stored: 0 };
  }
}

function markedAfter(run: () => void): Mark {
  run();
  return passedMark();
}
