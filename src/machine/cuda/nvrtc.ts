import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fail } from '../../core/index.ts';
import { beginPartial, makeFolder } from '../../files/index.ts';
import { functionsOf } from '../native-functions.ts';
import type { KernelSource } from './driver.ts';
import { type Opened, openNvrtc } from './find.ts';
import { deviceText } from './library.ts';

// NVRTC, the compiler of CUDA C++ at run time, and the folder in which compiled code is kept.

const P = 'uint64_t';

/** Products are fused only where the source says so: results must not depend on what stands around them. */
const OPTIONS = ['--std=c++17', '--fmad=false', '--device-as-default-execution-space'];

/** HALOMESH_CACHE, else the cache folder of the user. */
export function cacheFolder(): string {
  const { HALOMESH_CACHE, XDG_CACHE_HOME } = process.env;
  if (HALOMESH_CACHE !== undefined && HALOMESH_CACHE !== '') return path.join(HALOMESH_CACHE, 'cuda');
  const base =
    XDG_CACHE_HOME !== undefined && XDG_CACHE_HOME !== '' ? XDG_CACHE_HOME : path.join(homedir(), '.cache');
  return path.join(base, 'halomesh', 'cuda');
}

/** Of a missing compiler: what to do. */
export const NVRTC_MISSING =
  'NVRTC, the CUDA run-time compiler, is not found: install it (pip install nvidia-cuda-nvrtc, or a CUDA toolkit), or name libnvrtc.so in HALOMESH_NVRTC';

/** NVRTC as found here. */
export class Nvrtc {
  readonly version: string;
  private readonly opened: Opened;
  private readonly functions = new Map<string, (...args: unknown[]) => number>();
  private readonly textOf: (code: number) => string;

  constructor(opened: Opened) {
    this.opened = opened;
    const func = functionsOf(opened.library, {
      where: opened.file,
      what: 'NVRTC is',
      hint: 'Install CUDA 12 or newer',
    });
    this.textOf = func('const char *nvrtcGetErrorString(int code)') as Nvrtc['textOf'];
    const types = {
      nvrtcVersion: '_Out_ int *major, _Out_ int *minor',
      nvrtcCreateProgram: `_Out_ ${P} *program, const char *source, const char *name, int headers, ${P} texts, ${P} names`,
      nvrtcCompileProgram: `${P} program, int count, const char **options`,
      nvrtcGetProgramLogSize: `${P} program, _Out_ size_t *bytes`,
      nvrtcGetProgramLog: `${P} program, _Out_ uint8_t *log`,
      nvrtcGetCUBINSize: `${P} program, _Out_ size_t *bytes`,
      nvrtcGetCUBIN: `${P} program, _Out_ uint8_t *code`,
      nvrtcDestroyProgram: `_Inout_ ${P} *program`,
    };
    for (const [name, args] of Object.entries(types))
      this.functions.set(name, func(`int ${name}(${args})`) as (...all: unknown[]) => number);
    const [major, minor] = [[0], [0]];
    this.checked('nvrtcVersion', major, minor);
    this.version = `${major[0]}.${minor[0]}`;
  }

  static open(): Nvrtc | undefined {
    const opened = openNvrtc();
    return opened === undefined ? undefined : new Nvrtc(opened);
  }

  /** Code of a kernel for an architecture such as sm_90: of the cache, or compiled and kept there. */
  code(source: KernelSource, architecture: string, cache = cacheFolder()): Uint8Array {
    const job = this.job(source, architecture, cache);
    return job.kept() ?? job.finish(this.call('nvrtcCompileProgram', job.begin(), ...job.options));
  }

  /** As `code`, compiled beside what else this process does. */
  async codeBeside(source: KernelSource, architecture: string, cache = cacheFolder()): Promise<Uint8Array> {
    const job = this.job(source, architecture, cache);
    const kept = job.kept();
    if (kept !== undefined) return kept;
    const program = job.begin();
    const compile = this.functions.get('nvrtcCompileProgram')! as unknown as {
      async(...args: unknown[]): void;
    };
    const code = await new Promise<number>((resolve, reject) =>
      compile.async(program, ...job.options, (error: Error | null, result: number) =>
        error ? reject(error) : resolve(result),
      ),
    );
    return job.finish(code);
  }

  /** The steps of a compilation, of which the middle one takes long. */
  private job({ name, text }: KernelSource, architecture: string, cache: string) {
    const source = `${deviceText()}${text}`;
    const options = [...OPTIONS, `--gpu-architecture=${architecture}`];
    const hash = createHash('sha256')
      .update([source, this.version, ...options].join('\0'))
      .digest('hex');
    const file = path.join(cache, `${name}-${architecture}-${hash.slice(0, 24)}.cubin`);
    const program = [0];
    return {
      options: [options.length, options] as const,
      kept: () => (existsSync(file) ? readFileSync(file) : undefined),
      begin: (): number => {
        this.checked('nvrtcCreateProgram', program, source, `${name}.cu`, 0, 0, 0);
        return program[0];
      },
      finish: (result: number): Uint8Array => {
        try {
          if (result !== 0) this.refuse(program[0], architecture);
          const code = this.bytes(program[0], 'nvrtcGetCUBINSize', 'nvrtcGetCUBIN');
          keep(file, code);
          return code;
        } finally {
          this.checked('nvrtcDestroyProgram', program);
        }
      },
    };
  }

  /** Raises the words of the compiler. */
  private refuse(program: number, architecture: string): never {
    const log = Buffer.from(this.bytes(program, 'nvrtcGetProgramLogSize', 'nvrtcGetProgramLog'));
    const said = log.toString('utf8').replace(/\0/g, '').slice(0, 2000);
    return fail({
      where: 'device cuda',
      problem: `a kernel did not compile with NVRTC ${this.version} for ${architecture}: ${said}`,
      hint: `It was found as ${this.opened.file}; HALOMESH_NVRTC names another one`,
    });
  }

  private call(name: string, ...args: unknown[]): number {
    return this.functions.get(name)!(...args);
  }

  private checked(name: string, ...args: unknown[]): void {
    const code = this.call(name, ...args);
    if (code !== 0) fail({ where: 'device cuda', problem: `${name}: ${this.textOf(code)}` });
  }

  private bytes(program: number, size: string, content: string): Uint8Array {
    const length = [0];
    this.checked(size, program, length);
    const data = new Uint8Array(Number(length[0]));
    this.checked(content, program, data);
    return data;
  }
}

/** A cache that cannot be written costs time alone: the code is compiled again. */
function keep(file: string, code: Uint8Array): void {
  try {
    makeFolder(path.dirname(file));
    const partial = beginPartial(file);
    try {
      writeFileSync(partial.path, code);
      partial.finish();
    } finally {
      partial.discard();
    }
  } catch (error) {
    if (!(error instanceof Error && ('syscall' in error || error.name === 'HalomeshError'))) throw error;
  }
}
