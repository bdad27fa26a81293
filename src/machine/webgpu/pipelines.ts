import { fail } from '../../core/index.ts';
import { COMPUTE_STAGE, type GpuDevice, type PipelineOptions } from './api.ts';
import type { Step } from './step.ts';

/** Compiled kernels, kept by their text. */
export class Pipelines {
  private readonly gpu: GpuDevice;
  private readonly made = new Map<string, object>();
  private readonly making = new Map<string, Promise<object>>();
  private readonly layouts = new Map<number, { readonly group: object; readonly pipeline: object }>();

  constructor(gpu: GpuDevice) {
    this.gpu = gpu;
  }

  /** Compiles kernels, several at the same time. */
  async compiled(steps: readonly Step[], what: string): Promise<void> {
    const texts = new Map(steps.map((step) => [step.text, step.windows.length]));
    await Promise.all(
      [...texts].map(async ([text, windows]) => {
        if (this.made.has(text)) return;
        const known = this.making.get(text) ?? this.compile(text, windows, what);
        this.making.set(text, known);
        try {
          this.made.set(text, await known);
        } finally {
          this.making.delete(text);
        }
      }),
    );
  }

  private async compile(text: string, windows: number, what: string): Promise<object> {
    const options = this.options(text, windows);
    try {
      return await this.gpu.createComputePipelineAsync(options);
    } catch (error) {
      const { messages } = await options.compute.module.getCompilationInfo();
      const wrong = messages.find(({ type }) => type === 'error');
      const said =
        wrong === undefined
          ? error instanceof Error
            ? error.message
            : String(error)
          : `${wrong.message} in line ${wrong.lineNum}: ${text.split('\n')[wrong.lineNum - 1]}`;
      return fail({ where: what, problem: `its kernel was not compiled: ${said}` }, { cause: error });
    }
  }

  private options(text: string, windows: number): PipelineOptions {
    const module = this.gpu.createShaderModule({ code: text });
    return { layout: this.layoutOf(windows).pipeline, compute: { module, entryPoint: 'main' } };
  }

  /** The code of a step, compiled now where it was not before, and how its arguments and windows are bound. */
  of({ text, windows }: Step): { readonly pipeline: object; readonly layout: object } {
    const pipeline =
      this.made.get(text) ?? this.gpu.createComputePipeline(this.options(text, windows.length));
    this.made.set(text, pipeline);
    return { pipeline, layout: this.layoutOf(windows.length).group };
  }

  /** Arguments, then so many windows. */
  private layoutOf(windows: number) {
    const known = this.layouts.get(windows);
    if (known !== undefined) return known;
    const entries = Array.from({ length: windows + 1 }, (_, binding) => ({
      binding,
      visibility: COMPUTE_STAGE,
      buffer: { type: binding === 0 ? 'uniform' : 'storage' },
    }));
    const group = this.gpu.createBindGroupLayout({ entries });
    const made = { group, pipeline: this.gpu.createPipelineLayout({ bindGroupLayouts: [group] }) };
    this.layouts.set(windows, made);
    return made;
  }
}
