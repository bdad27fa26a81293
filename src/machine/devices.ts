import { fail, HalomeshError } from '../core/index.ts';
import type { Costs, Target } from '../plan/index.ts';
import {
  costsOf,
  cpuDevice,
  cpuTarget,
  kernelsBuilt,
  library,
  type Speeds,
  type TargetOptions,
} from './cpu/index.ts';
import { gpuHere } from './cuda/gpu.ts';
import type { Device } from './device.ts';
import { type ComputingDevice, type DeviceChoice, type PjrtName, pjrtLibrary } from './device-names.ts';
import type { ExactConv } from './kernels/library.ts';
import { nullDevice } from './null.ts';
import { referenceDevice } from './reference.ts';
import { ADDRESSABLE, wasmTarget } from './wasm/index.ts';
import { wasmHere, wasmModule } from './wasm-here.ts';
import { webgpuFound } from './webgpu-found.ts';

/** How a device is opened; each takes what it knows. */
export interface DeviceOptions extends TargetOptions {
  readonly threads?: number;
  readonly exactConv?: ExactConv;
  /** Which GPU; by default the processes of a machine take one each, in turn. */
  readonly ordinal?: number;
}

/** What is to be known of a device before it is opened. */
export interface DeviceEntry {
  /** In a few words, for help and `halomesh info`. */
  readonly doc: string;
  /** Whether it computes: can train and predict. */
  readonly computes: boolean;
  /** It computes on one thread unless it is asked for more. */
  readonly oneThread?: boolean;
  /** Whether it can be opened here, and which one or why not. Never fails. */
  available(): { readonly available: boolean; readonly note: string };
  /** Loads what plans for it and opening it take; absent where that is here already. */
  load?(): Promise<void>;
  /** Bytes of memory of its own that tensors lie in; absent, or undefined, where they lie in the host's or that is not told. */
  bytes?(): number | undefined;
  /** What plans for it need to know; nothing is opened. Each takes what it knows. Raises an error, as `open` does, before it is loaded. */
  target(options?: TargetOptions): Target;
  /** What work takes by the speeds of the host, assumed where they are not measured; absent where the target tells it. */
  costs?(speeds: Speeds): Costs;
  open(options?: DeviceOptions): Device;
}

/** What prints kernels and programs takes long to load, and few need it: it is here from `load` on. */
const loaded: {
  cuda?: typeof import('./cuda/index.ts');
  webgpu?: typeof import('./webgpu-here.ts');
  pjrt?: typeof import('./pjrt/index.ts');
} = {};

function printing<K extends keyof typeof loaded>(name: K): NonNullable<(typeof loaded)[K]> {
  return (
    loaded[name] ??
    fail({ where: `device ${name}`, problem: 'is not loaded', hint: 'Call loadDevice and await it first' })
  );
}

const unavailable = (error: unknown): string =>
  error instanceof HalomeshError ? error.message : `cannot be loaded: ${error}`;

const always = (note: string) => () => ({ available: true, note });

/** All devices but those of plug-ins: configuration, flags, `info` and benchmarks read this table. */
export const DEVICES = {
  cpu: {
    doc: 'native kernels on the processor',
    computes: true,
    available() {
      try {
        return { available: true, note: `native kernels for ${library().isa}` };
      } catch (error) {
        return { available: false, note: unavailable(error) };
      }
    },
    target: cpuTarget,
    costs: costsOf,
    open: cpuDevice,
  },
  cuda: {
    doc: 'printed kernels on an NVIDIA GPU',
    computes: true,
    available() {
      try {
        if (process.env.HALOMESH_CUDA === 'emulated')
          return { available: true, note: 'emulated on the host: HALOMESH_CUDA=emulated' };
        const { gpu, nvrtc } = gpuHere();
        const { name, architecture, bytes, driverVersion } = gpu;
        const memory = `${Math.round(bytes / 2 ** 30)} GiB`;
        return {
          available: true,
          note: `${name} (${architecture}, ${memory}), driver for CUDA ${driverVersion}, NVRTC ${nvrtc}`,
        };
      } catch (error) {
        return { available: false, note: unavailable(error) };
      }
    },
    bytes: () => (process.env.HALOMESH_CUDA === 'emulated' ? undefined : gpuHere().gpu.bytes),
    load: async () => {
      loaded.cuda ??= await import('./cuda/index.ts');
    },
    target: (options?: TargetOptions) => printing('cuda').cudaTarget(options),
    open: (options?: DeviceOptions) => printing('cuda').cudaDevice(options),
  },
  wasm: {
    doc: 'the kernels as WebAssembly, on one thread unless --threads says more: slower, and nothing to build',
    computes: true,
    oneThread: true,
    available() {
      try {
        wasmModule();
        return { available: true, note: 'kernels as WebAssembly, in 4 GiB of memory' };
      } catch (error) {
        return { available: false, note: unavailable(error) };
      }
    },
    bytes: () => ADDRESSABLE,
    target: wasmTarget,
    open: wasmHere,
  },
  webgpu: {
    doc: 'printed kernels on any GPU that WebGPU reaches: float32',
    computes: true,
    oneThread: true,
    available: webgpuFound,
    load: async () => {
      loaded.webgpu ??= await import('./webgpu-here.ts');
    },
    target: () => printing('webgpu').webgpuTarget(),
    open: () => printing('webgpu').webgpuHere(),
  },
  reference: {
    doc: 'TypeScript in float64: slow, the judge of the others',
    computes: true,
    available: always('TypeScript in float64: slow, the judge of the others'),
    target: () => referenceDevice().target,
    open: () => referenceDevice(),
  },
  null: {
    doc: 'plans and counts, computes nothing',
    computes: false,
    available: always('plans and counts, computes nothing'),
    target: () => nullDevice().target,
    open: () => nullDevice(),
  },
} as const satisfies Readonly<
  // A device must be among the names for help, or among those that do not compute.
  Record<ComputingDevice, DeviceEntry & { readonly computes: true }> &
    Record<'null', DeviceEntry & { readonly computes: false }>
>;

export type DeviceName = keyof typeof DEVICES;

/** The device behind a PJRT plug-in: known once it is loaded. */
const pjrtEntry = (library: string): DeviceEntry => ({
  doc: 'programs that a PJRT plug-in compiles',
  computes: true,
  oneThread: true,
  available() {
    try {
      return { available: true, note: printing('pjrt').pjrtNote(library) };
    } catch (error) {
      return { available: false, note: unavailable(error) };
    }
  },
  bytes: () => printing('pjrt').pjrtBytes(library),
  load: async () => {
    loaded.pjrt ??= await import('./pjrt/index.ts');
    await loaded.pjrt.lookAt(library);
  },
  target: () => printing('pjrt').pjrtTarget(),
  open: () => printing('pjrt').pjrtDevice(library),
});

/** What the seconds of a step on a device are predicted by. `speeds`: of the host, asked for where the device goes by them. */
export const stepCosts = (choice: DeviceChoice | DeviceName, target: Target, speeds: () => Speeds): Costs =>
  deviceEntry(choice).costs?.(speeds()) ?? target.costs;

/** The device that is asked for; `auto` looks whether there is a GPU, then whether the native kernels were built. */
export function deviceNamed(choice: DeviceChoice): ComputingDevice | PjrtName {
  if (choice !== 'auto') return choice;
  return DEVICES.cuda.available().available ? 'cuda' : nativeDevice('wasm');
}

/** What is to be known of the device that is asked for. */
export function deviceEntry(choice: DeviceChoice | DeviceName): DeviceEntry {
  const name = choice === 'null' ? choice : deviceNamed(choice);
  const library = pjrtLibrary(name);
  return library === undefined ? DEVICES[name as DeviceName] : pjrtEntry(library);
}

/** The same, loaded: plans can be made for it, and it can be opened. */
export async function loadDevice(choice: DeviceChoice): Promise<DeviceEntry> {
  const entry = deviceEntry(choice);
  await entry.load?.();
  return entry;
}

/** The same, but the kernels as WebAssembly in place of native ones that were not built. */
export const builtDevice = <T extends DeviceChoice>(choice: T): T | 'wasm' =>
  choice === 'cpu' && !kernelsBuilt() ? 'wasm' : choice;

/** The same, but native kernels in place of the same as WebAssembly, where they were built. */
export const nativeDevice = <T extends DeviceChoice>(choice: T): T | 'cpu' =>
  choice === 'wasm' && kernelsBuilt() ? 'cpu' : choice;
