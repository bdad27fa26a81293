// What the device asks of WebGPU, as its specification names it: pages have it as `navigator.gpu`, Node.js from the package `webgpu`.

export interface Gpu {
  requestAdapter(options?: {
    readonly powerPreference?: 'low-power' | 'high-performance';
  }): Promise<GpuAdapter | null>;
}

/** What a page or worker reaches WebGPU by, if it does. */
export const pageGpu = (): Gpu | undefined =>
  (globalThis as { readonly navigator?: { readonly gpu?: Gpu } }).navigator?.gpu;

/** Names of limits that are asked for as high as the adapter has them. */
export const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
] as const;

export type Limits = Readonly<Record<(typeof LIMITS)[number], number>>;

export interface GpuAdapter {
  readonly info: { readonly vendor: string; readonly architecture: string; readonly description: string };
  readonly limits: Limits;
  requestDevice(options: { readonly requiredLimits: Limits }): Promise<GpuDevice>;
}

export interface GpuDevice {
  readonly limits: Limits;
  readonly queue: GpuQueue;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  addEventListener(
    type: 'uncapturederror',
    listener: (event: { readonly error: { readonly message: string } }) => void,
  ): void;
  createBuffer(options: { readonly size: number; readonly usage: number }): GpuBuffer;
  createBindGroupLayout(options: { readonly entries: readonly object[] }): object;
  createPipelineLayout(options: { readonly bindGroupLayouts: readonly object[] }): object;
  createShaderModule(options: { readonly code: string }): GpuShaderModule;
  createComputePipeline(options: PipelineOptions): object;
  createComputePipelineAsync(options: PipelineOptions): Promise<object>;
  createBindGroup(options: { readonly layout: object; readonly entries: readonly object[] }): object;
  createCommandEncoder(): GpuCommandEncoder;
  destroy(): void;
}

export interface PipelineOptions {
  readonly layout: object;
  readonly compute: { readonly module: GpuShaderModule; readonly entryPoint: string };
}

export interface GpuShaderModule {
  getCompilationInfo(): Promise<{
    readonly messages: readonly {
      readonly type: string;
      readonly message: string;
      readonly lineNum: number;
    }[];
  }>;
}

export interface GpuBuffer {
  mapAsync(mode: number): Promise<unknown>;
  getMappedRange(): ArrayBuffer;
  destroy(): void;
}

export interface GpuQueue {
  writeBuffer(buffer: GpuBuffer, offset: number, data: Uint8Array): void;
  submit(commands: readonly object[]): void;
  onSubmittedWorkDone(): Promise<unknown>;
}

export interface GpuCommandEncoder {
  beginComputePass(): GpuComputePass;
  copyBufferToBuffer(
    from: GpuBuffer,
    fromOffset: number,
    to: GpuBuffer,
    toOffset: number,
    bytes: number,
  ): void;
  finish(): object;
}

export interface GpuComputePass {
  setPipeline(pipeline: object): void;
  setBindGroup(index: number, group: object): void;
  dispatchWorkgroups(x: number, y: number): void;
  end(): void;
}

/** Numbers of the specification. */
export const BUFFER_USAGE = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
} as const;
export const MAP_READ = 1;
export const COMPUTE_STAGE = 4;
