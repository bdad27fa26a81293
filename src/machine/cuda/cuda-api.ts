import { performance } from 'node:perf_hooks';
import koffi, { type LibraryHandle } from 'koffi';
import { fail } from '../../core/index.ts';
import { HANDLE_BYTES, type Mark } from '../device.ts';
import { yieldToEvents } from '../event-loop.ts';
import { functionsOf } from '../native-functions.ts';

// The functions of the CUDA driver that are called, with their C types. Handles and addresses cross as numbers.

const P = 'uint64_t';
const FUNCTIONS = {
  cuInit: 'int cuInit(unsigned int flags)',
  cuDriverGetVersion: 'int cuDriverGetVersion(_Out_ int *version)',
  cuDeviceGetCount: 'int cuDeviceGetCount(_Out_ int *count)',
  cuDeviceGet: 'int cuDeviceGet(_Out_ int *device, int ordinal)',
  cuDeviceGetName: 'int cuDeviceGetName(_Out_ uint8_t *name, int length, int device)',
  cuDeviceGetAttribute: 'int cuDeviceGetAttribute(_Out_ int *value, int attribute, int device)',
  cuDeviceTotalMem: 'int cuDeviceTotalMem_v2(_Out_ size_t *bytes, int device)',
  cuDevicePrimaryCtxRetain: `int cuDevicePrimaryCtxRetain(_Out_ ${P} *context, int device)`,
  cuDevicePrimaryCtxRelease: 'int cuDevicePrimaryCtxRelease_v2(int device)',
  cuCtxSetCurrent: `int cuCtxSetCurrent(${P} context)`,
  cuMemGetInfo: 'int cuMemGetInfo_v2(_Out_ size_t *free, _Out_ size_t *total)',
  cuMemAlloc: `int cuMemAlloc_v2(_Out_ ${P} *address, size_t bytes)`,
  cuMemFree: `int cuMemFree_v2(${P} address)`,
  cuMemHostAlloc: `int cuMemHostAlloc(_Out_ ${P} *address, size_t bytes, unsigned int flags)`,
  cuMemFreeHost: `int cuMemFreeHost(${P} address)`,
  cuMemcpyHtoD: `int cuMemcpyHtoDAsync_v2(${P} to, const void *from, size_t bytes, ${P} stream)`,
  cuMemcpyToRoom: `int cuMemcpyDtoHAsync_v2(${P} to, ${P} from, size_t bytes, ${P} stream)`,
  cuMemcpyFromRoom: `int cuMemcpyHtoDAsync_v2(${P} to, ${P} from, size_t bytes, ${P} stream)`,
  cuMemcpy: `int cuMemcpyAsync(${P} to, ${P} from, size_t bytes, ${P} stream)`,
  cuIpcGetMemHandle: `int cuIpcGetMemHandle(_Out_ uint8_t *handle, ${P} address)`,
  cuIpcCloseMemHandle: `int cuIpcCloseMemHandle(${P} address)`,
  cuStreamCreate: `int cuStreamCreate(_Out_ ${P} *stream, unsigned int flags)`,
  cuStreamDestroy: `int cuStreamDestroy_v2(${P} stream)`,
  cuStreamSynchronize: `int cuStreamSynchronize(${P} stream)`,
  cuStreamWaitEvent: `int cuStreamWaitEvent(${P} stream, ${P} event, unsigned int flags)`,
  cuStreamBeginCapture: `int cuStreamBeginCapture_v2(${P} stream, int mode)`,
  cuStreamEndCapture: `int cuStreamEndCapture(${P} stream, _Out_ ${P} *graph)`,
  cuGraphInstantiate: `int cuGraphInstantiateWithFlags(_Out_ ${P} *executable, ${P} graph, uint64_t flags)`,
  cuGraphLaunch: `int cuGraphLaunch(${P} executable, ${P} stream)`,
  cuGraphExecDestroy: `int cuGraphExecDestroy(${P} executable)`,
  cuGraphDestroy: `int cuGraphDestroy(${P} graph)`,
  cuEventCreate: `int cuEventCreate(_Out_ ${P} *event, unsigned int flags)`,
  cuEventRecord: `int cuEventRecord(${P} event, ${P} stream)`,
  cuEventQuery: `int cuEventQuery(${P} event)`,
  cuEventElapsedTime: `int cuEventElapsedTime(_Out_ float *milliseconds, ${P} first, ${P} last)`,
  cuEventDestroy: `int cuEventDestroy_v2(${P} event)`,
  cuModuleLoadData: `int cuModuleLoadData(_Out_ ${P} *module, const void *image)`,
  cuModuleUnload: `int cuModuleUnload(${P} module)`,
  cuModuleGetFunction: `int cuModuleGetFunction(_Out_ ${P} *function, ${P} module, const char *name)`,
  cuFuncSetAttribute: `int cuFuncSetAttribute(${P} function, int attribute, int value)`,
  cuLaunchKernel:
    `int cuLaunchKernel(${P} function, unsigned int x, unsigned int y, unsigned int z, unsigned int bx, unsigned int by, ` +
    `unsigned int bz, unsigned int shared, ${P} stream, const void *params, ${P} extra)`,
} as const;

export type CudaFunction = keyof typeof FUNCTIONS;

/** CUipcMemHandle, which crosses by value. */
const IPC_HANDLE = koffi.struct({ bytes: koffi.array('uint8_t', HANDLE_BYTES) });
/** CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS: memory of another GPU too. */
const PEER_ACCESS = 1;

/** CUresult values that are told apart. */
const SUCCESS = 0;
export const OUT_OF_MEMORY = 2;
const NOT_READY = 600;

export class CudaApi {
  private readonly functions: Readonly<Record<CudaFunction, (...args: unknown[]) => number>>;
  private readonly openBy: (out: number[], handle: { bytes: Uint8Array }, flags: number) => number;
  private readonly nameOf: (code: number, name: (string | null)[]) => number;
  private readonly textOf: (code: number, text: (string | null)[]) => number;

  constructor(library: Pick<LibraryHandle, 'func'>) {
    const func = functionsOf(library, {
      where: 'device cuda',
      what: 'the NVIDIA driver is',
      hint: 'Install a newer driver',
    });
    const found = Object.entries(FUNCTIONS).map(([name, signature]) => [name, func(signature)]);
    this.functions = Object.fromEntries(found) as CudaApi['functions'];
    this.openBy = func('cuIpcOpenMemHandle_v2', 'int', [
      koffi.out(koffi.pointer(P)),
      IPC_HANDLE,
      'unsigned int',
    ]) as CudaApi['openBy'];
    this.nameOf = func('int cuGetErrorName(int code, _Out_ const char **name)') as CudaApi['nameOf'];
    this.textOf = func('int cuGetErrorString(int code, _Out_ const char **text)') as CudaApi['textOf'];
  }

  /** Calls a function; gives its code. */
  try(name: CudaFunction, ...args: unknown[]): number {
    return this.functions[name](...args);
  }

  /** Calls a function; raises what went wrong. */
  call(name: CudaFunction, ...args: unknown[]): void {
    this.check(name, this.functions[name](...args));
  }

  /** Calls a function whose first argument takes a number. */
  get(name: CudaFunction, ...args: unknown[]): number {
    const out = [0];
    this.call(name, out, ...args);
    return Number(out[0]);
  }

  /** The address here of memory that another process has; of a handle's bytes. */
  openMemory(bytes: Uint8Array): number {
    const out = [0];
    const code = this.openBy(out, { bytes }, PEER_ACCESS);
    if (code !== SUCCESS)
      fail({ where: 'device cuda', problem: `cuIpcOpenMemHandle: ${this.describe(code)}` });
    return Number(out[0]);
  }

  /** True where an event is not reached yet. */
  waits(event: number): boolean {
    const code = this.try('cuEventQuery', event);
    if (code === NOT_READY) return true;
    this.check('cuEventQuery', code);
    return false;
  }

  check(name: CudaFunction, code: number): void {
    if (code !== SUCCESS) fail({ where: 'device cuda', problem: `${name}: ${this.describe(code)}` });
  }

  /** In the driver's words. */
  describe(code: number): string {
    const [name, text]: [(string | null)[], (string | null)[]] = [[null], [null]];
    this.nameOf(code, name);
    this.textOf(code, text);
    return `${name[0] ?? `code ${code}`}${text[0] === null ? '' : `, ${text[0]}`}`;
  }
}

/** An event of a stream. */
export class RealMark implements Mark {
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
      if (performance.now() - begun < 2) await yieldToEvents();
      else await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  milliseconds(since: Mark): number {
    return this.api.get('cuEventElapsedTime', (since as RealMark).event, this.event);
  }
}
