import { fail } from '../../core/index.ts';
import { transferBytes } from '../../plan/index.ts';
import { passedMark } from '../at-once.ts';
import type { Device, Spill, Tensor, Ticket, Transport } from '../device.ts';
import { KernelDevice, type PlacedTensor } from '../kernels/device.ts';
import type { ConvAlgorithm } from '../kernels/library.ts';
import { ADDRESSABLE, type ThreadOptions, type WasmKernels, wasmKernels } from './kernels.ts';
import { wasmTarget } from './target.ts';
import type { WasmModule } from './webassembly.ts';

export interface WasmOptions extends ThreadOptions {
  /** The compiled module of the kernels, of which the device makes an instance of its own; for several threads that of these. */
  readonly module: WasmModule;
  /** `auto` by default. */
  readonly conv?: ConvAlgorithm;
}

/** The device, whose memory is that of its module. */
export interface OfWasm extends Device {
  /** Bytes of that memory, which only grows. */
  readonly moduleBytes: number;
}

/**
 * The kernels of native/ as WebAssembly, with the bits of the baseline kernels, wherever JavaScript runs. On several threads the one that
 * calls may have to wait for the others, which a page's own thread must not: there it belongs into a worker.
 */
export function wasmDevice({ module, conv = 'auto', ...threads }: WasmOptions): OfWasm {
  return new WasmDevice(wasmKernels(module, threads), conv, wasmTarget());
}

class WasmDevice extends KernelDevice implements OfWasm {
  declare protected readonly kernels: WasmKernels;

  override close(): void {
    super.close();
    this.kernels.end();
  }

  get moduleBytes(): number {
    return this.kernels.moduleBytes;
  }

  /** What the module can address. */
  granted(): number {
    return ADDRESSABLE;
  }

  /** Copies in arrays of JavaScript, made at once. */
  openSpill(_folder: string | undefined, bytes: number): Spill {
    const kept = new Map<number, Uint8Array>();
    const placed = (tensor: Tensor): Uint8Array => {
      const { address, stored } = tensor as PlacedTensor;
      return this.kernels.view(address, stored);
    };
    const done: Ticket = 0;
    return {
      bytes,
      write: (tensor, offset) => {
        const from = placed(tensor);
        const known = kept.get(offset);
        if (known?.length === from.length) known.set(from);
        else kept.set(offset, from.slice());
        return done;
      },
      read: (tensor, offset) => {
        const to = placed(tensor);
        const from = kept.get(offset);
        if (from?.length !== to.length)
          fail({
            where: 'device wasm',
            problem: `nothing of this size was spilled to ${offset}`,
            expected: `${to.length} bytes`,
            found: `${from?.length ?? 'none'}`,
          });
        else to.set(from);
        return done;
      },
      settled: () => true,
      close: () => kept.clear(),
    };
  }

  /** Rooms lie outside of the module's memory: numbers pass through a piece of it. */
  readonly transport: Transport = {
    bytes: transferBytes,
    outgoing: (tensor, box, room) => ({
      pack: () => {
        this.host.pack(tensor as PlacedTensor, box, room.view(transferBytes(tensor, box)));
        return passedMark();
      },
    }),
    incoming: (tensor, box, room) => ({
      unpack: () => {
        this.host.unpack(tensor as PlacedTensor, box, room.view(transferBytes(tensor, box)));
        return passedMark();
      },
    }),
  };
}
