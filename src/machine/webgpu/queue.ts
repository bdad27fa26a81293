import { fail, HalomeshError } from '../../core/index.ts';
import type { Mark } from '../device.ts';
import {
  BUFFER_USAGE,
  type GpuBuffer,
  type GpuCommandEncoder,
  type GpuComputePass,
  type GpuDevice,
  MAP_READ,
} from './api.ts';
import { Pipelines } from './pipelines.ts';
import { MOST_ALONG } from './print/printer.ts';
import { type Address, offsetOf, Slabs } from './slabs.ts';
import type { Step } from './step.ts';
import { LEAST, type WindowLimits } from './windows.ts';

/** Launches that are handed to the GPU together. */
const TOGETHER = 32;

/**
 * The one queue of the device. The adapter answers later than it is asked, so what is asked for before waits, in order. What goes wrong is
 * kept, and raised where one waits.
 */
export class Queue {
  readonly slabs = new Slabs();
  private readonly opening: Promise<GpuDevice>;
  private gpu: GpuDevice | undefined;
  private waiting: ((gpu: GpuDevice) => void)[] = [];
  private error: unknown;
  private closed = false;
  private encoder: GpuCommandEncoder | undefined;
  private pass: GpuComputePass | undefined;
  private count = 0;
  private pipelines: Pipelines | undefined;

  constructor(opening: Promise<GpuDevice>) {
    this.opening = opening.then((gpu) => {
      if (this.closed) gpu.destroy();
      else this.open(gpu);
      return gpu;
    });
    // Raised where one waits.
    this.opening.catch((error: unknown) => this.keep(error));
  }

  private keep(error: unknown): void {
    this.error ??= error;
  }

  private open(gpu: GpuDevice): void {
    this.gpu = gpu;
    this.pipelines = new Pipelines(gpu);
    gpu.addEventListener('uncapturederror', ({ error }) =>
      this.keep(new HalomeshError({ where: 'device webgpu', problem: error.message.trim() })),
    );
    gpu.lost.then(({ message }) => {
      if (!this.closed)
        this.keep(
          new HalomeshError({
            where: 'device webgpu',
            problem: `the GPU was lost: ${message.trim() || 'no reason is told'}`,
            hint: 'What was trained is in the last checkpoint; less memory may help: --memory-limit',
          }),
        );
    });
    this.slabs.open(gpu);
    const { waiting } = this;
    this.waiting = [];
    for (const work of waiting) this.now(gpu, work);
  }

  private now(gpu: GpuDevice, work: (gpu: GpuDevice) => void): void {
    try {
      work(gpu);
    } catch (error) {
      this.keep(error);
    }
  }

  /** Does it now, or when the adapter has answered. */
  ask(work: (gpu: GpuDevice) => void): void {
    if (this.gpu === undefined) this.waiting.push(work);
    else work(this.gpu);
  }

  /** The opened device; raises what went wrong. */
  async ready(): Promise<GpuDevice> {
    const gpu = await this.opening;
    this.raise();
    return gpu;
  }

  private raise(): void {
    if (this.error !== undefined) throw this.error;
  }

  /** What a kernel may see of memory; of the least adapter before it is known which one it is. */
  get limits(): WindowLimits {
    if (this.gpu === undefined) return LEAST;
    const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize } = this.gpu.limits;
    return { windows: maxStorageBuffersPerShaderStage, bytes: maxStorageBufferBindingSize };
  }

  /** Bytes of a piece of memory at most, once that is known. */
  get largest(): number | undefined {
    return this.gpu?.limits.maxBufferSize;
  }

  /** Compiles kernels, several at the same time, and keeps them. */
  async compiled(steps: readonly Step[], what: string): Promise<void> {
    await this.ready();
    await this.pipelines!.compiled(steps, what);
  }

  /** A step with its arguments in memory: what asks for it, and what gives them back. */
  bind(gpu: GpuDevice, step: Step): { readonly run: () => void; readonly free: () => void } {
    const { pipeline, layout } = this.pipelines!.of(step);
    const usage = BUFFER_USAGE.uniform | BUFFER_USAGE.copyTarget;
    const args = gpu.createBuffer({ size: step.args.byteLength, usage });
    gpu.queue.writeBuffer(args, 0, step.args);
    const group = gpu.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: args } },
        ...step.windows.map(({ address, bytes }, i) => ({
          binding: i + 1,
          resource: { buffer: this.slabs.bufferOf(address), offset: offsetOf(address), size: bytes },
        })),
      ],
    });
    const along = Math.ceil(step.blocks / MOST_ALONG);
    const across = Math.ceil(step.blocks / Math.max(along, 1));
    const run = () => {
      if (step.blocks === 0) return;
      this.encoder ??= gpu.createCommandEncoder();
      this.pass ??= this.encoder.beginComputePass();
      this.pass.setPipeline(pipeline);
      this.pass.setBindGroup(0, group);
      this.pass.dispatchWorkgroups(across, along);
      if (++this.count >= TOGETHER) this.flush(gpu);
    };
    return { run, free: () => args.destroy() };
  }

  /** Hands on what was asked for. */
  private flush(gpu: GpuDevice): void {
    this.pass?.end();
    this.pass = undefined;
    this.count = 0;
    if (this.encoder === undefined) return;
    const commands = this.encoder.finish();
    this.encoder = undefined;
    gpu.queue.submit([commands]);
  }

  /** Hands on what was asked for, so that what it uses may be given back. */
  submit(): void {
    if (this.gpu !== undefined) this.flush(this.gpu);
  }

  upload(address: Address, data: Uint8Array): void {
    const bytes = this.gpu === undefined ? data.slice() : data;
    this.ask((gpu) => {
      this.flush(gpu);
      gpu.queue.writeBuffer(this.slabs.bufferOf(address), offsetOf(address), bytes);
    });
  }

  /** Bytes of memory as they are when all is done that was asked for before; a multiple of 4. */
  async download(address: Address, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    if (bytes === 0) return new Uint8Array(0);
    const copied = new Promise<{ readonly buffer: GpuBuffer; readonly mapped: Promise<unknown> }>(
      (resolve, reject) => {
        this.ask((gpu) => {
          try {
            this.pass?.end();
            this.pass = undefined;
            this.encoder ??= gpu.createCommandEncoder();
            const usage = BUFFER_USAGE.mapRead | BUFFER_USAGE.copyTarget;
            const buffer = gpu.createBuffer({ size: bytes, usage });
            this.encoder.copyBufferToBuffer(
              this.slabs.bufferOf(address),
              offsetOf(address),
              buffer,
              0,
              bytes,
            );
            this.flush(gpu);
            resolve({ buffer, mapped: buffer.mapAsync(MAP_READ) });
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    await this.ready();
    const { buffer, mapped } = await copied;
    try {
      await mapped;
      this.raise();
      return new Uint8Array(buffer.getMappedRange().slice(0));
    } catch (error) {
      this.raise();
      throw error;
    } finally {
      buffer.destroy();
    }
  }

  mark(): Mark {
    let at: number | undefined;
    const come = new Promise<unknown>((resolve, reject) => {
      this.ask((gpu) => {
        this.flush(gpu);
        gpu.queue.onSubmittedWorkDone().then(resolve, reject);
      });
    });
    const passing = come.then(() => {
      at = performance.now();
    });
    // Raised where one waits.
    passing.catch((error: unknown) => this.keep(error));
    const mark: Mark & { readonly at: () => number } = {
      at: () => at ?? fail({ where: 'device webgpu', problem: 'a mark that was not passed has no time' }),
      passed: () => at !== undefined,
      wait: async () => {
        await this.ready();
        await passing;
        this.raise();
      },
      milliseconds: (since) => mark.at() - (since as typeof mark).at(),
    };
    return mark;
  }

  async done(): Promise<void> {
    await this.mark().wait();
  }

  close(): void {
    this.closed = true;
    this.slabs.close();
    this.gpu?.destroy();
    this.gpu = undefined;
  }
}
