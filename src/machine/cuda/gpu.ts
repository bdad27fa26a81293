import { fail } from '../../core/index.ts';
import { localRank } from '../mpi/launched.ts';
import { CudaApi } from './cuda-api.ts';
import { openDriver } from './find.ts';
import { NVRTC_MISSING, Nvrtc } from './nvrtc.ts';

// Which GPU is here, and whether it can be used.

/** Attributes of devices: numbers of cuda.h. */
const [CAPABILITY_MAJOR, CAPABILITY_MINOR, SHARED_OPTIN] = [75, 76, 97];

/** Oldest architecture: the first with bfloat16 in its tensor cores. */
const OLDEST = 80;

/** A GPU before it is opened. */
export interface Gpu {
  readonly name: string;
  /** Such as sm_90. */
  readonly architecture: string;
  readonly capability: number;
  readonly bytes: number;
  /** Bytes of shared memory that a block may ask for. */
  readonly shared: number;
  readonly driverVersion: string;
}

/**
 * The driver's functions, and the GPU with a number; raises in words why there is none. Without a number the processes of a machine
 * take one each, in turn.
 */
export function lookUp(given?: number): { api: CudaApi; handle: number; gpu: Gpu } {
  const opened = openDriver();
  if (opened === undefined)
    return fail({
      where: 'device cuda',
      problem: 'no NVIDIA driver is found (libcuda.so.1)',
      hint: 'Install the driver of the GPU, or use --device cpu',
    });
  const api = new CudaApi(opened.library);
  api.call('cuInit', 0);
  const count = api.get('cuDeviceGetCount');
  const ordinal = given ?? (count === 0 ? 0 : localRank() % count);
  if (!Number.isInteger(ordinal) || ordinal < 0 || ordinal >= count)
    fail({
      where: 'device cuda',
      problem: `there is no GPU number ${ordinal}`,
      expected: count === 0 ? 'a GPU' : `a whole number below ${count}`,
      found: count === 1 ? '1 GPU' : `${count} GPUs`,
    });
  const handle = api.get('cuDeviceGet', ordinal);
  const name = new Uint8Array(256);
  api.call('cuDeviceGetName', name, name.length, handle);
  const [major, minor] = [CAPABILITY_MAJOR, CAPABILITY_MINOR].map((attribute) =>
    api.get('cuDeviceGetAttribute', attribute, handle),
  );
  const version = api.get('cuDriverGetVersion');
  const gpu: Gpu = {
    name: Buffer.from(name.subarray(0, name.indexOf(0))).toString('utf8'),
    architecture: `sm_${major}${minor}`,
    capability: 10 * major + minor,
    bytes: api.get('cuDeviceTotalMem', handle),
    shared: api.get('cuDeviceGetAttribute', SHARED_OPTIN, handle),
    driverVersion: `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`,
  };
  if (gpu.capability < OLDEST)
    fail({
      where: 'device cuda',
      problem: `${gpu.name} is too old`,
      expected: `compute capability 8.0 or newer`,
      found: `${major}.${minor}`,
      hint: 'Use --device cpu',
    });
  return { api, handle, gpu };
}

/** The GPU with a number and the compiler for it; raises in words what is missing. */
export function gpuHere(ordinal?: number): { readonly gpu: Gpu; readonly nvrtc: string } {
  const { gpu } = lookUp(ordinal);
  const nvrtc = Nvrtc.open();
  if (nvrtc === undefined) fail({ where: 'device cuda', problem: NVRTC_MISSING });
  return { gpu, nvrtc: nvrtc!.version };
}
