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
const OPTIONS = ['--std=c++17', '--fmad=false'];

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
  private readonly call: (name: string, ...args: unknown[]) => void;

  constructor(opened: Opened) {
    this.opened = opened;
    const func = functionsOf(opened.library, {
      where: opened.file,
      what: 'NVRTC is',
      hint: 'Install CUDA 12 or newer',
    });
    const text = func('const char *nvrtcGetErrorString(int code)') as (code: number) => string;
    const functions = new Map<string, (...args: unknown[]) => number>();
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
      functions.set(name, func(`int ${name}(${args})`) as (...all: unknown[]) => number);
    this.call = (name, ...args) => {
      const code = functions.get(name)!(...args);
      if (code !== 0) fail({ where: 'device cuda', problem: `${name}: ${text(code)}` });
    };
    const [major, minor] = [[0], [0]];
    this.call('nvrtcVersion', major, minor);
    this.version = `${major[0]}.${minor[0]}`;
  }

  static open(): Nvrtc | undefined {
    const opened = openNvrtc();
    return opened === undefined ? undefined : new Nvrtc(opened);
  }

  /** Code of a kernel for an architecture such as sm_90: of the cache, or compiled and kept there. */
  code({ name, text }: KernelSource, architecture: string, cache = cacheFolder()): Uint8Array {
    const source = `${deviceText()}${text}`;
    const parts = [source, architecture, this.version, ...OPTIONS];
    const hash = createHash('sha256').update(parts.join('\0')).digest('hex');
    const file = path.join(cache, `${name}-${architecture}-${hash.slice(0, 24)}.cubin`);
    if (existsSync(file)) return readFileSync(file);
    const code = this.compile(source, name, [...OPTIONS, `--gpu-architecture=${architecture}`]);
    keep(file, code);
    return code;
  }

  private compile(source: string, name: string, options: readonly string[]): Uint8Array {
    const program = [0];
    this.call('nvrtcCreateProgram', program, source, `${name}.cu`, 0, 0, 0);
    const [handle] = program;
    try {
      try {
        this.call('nvrtcCompileProgram', handle, options.length, options);
      } catch (error) {
        const log = Buffer.from(this.bytes(handle, 'nvrtcGetProgramLogSize', 'nvrtcGetProgramLog'));
        const said = log.toString('utf8').replace(/\0/g, '').slice(0, 2000);
        fail(
          {
            where: 'device cuda',
            problem: `a kernel did not compile with NVRTC ${this.version} for ${options[options.length - 1]}: ${said}`,
            hint: `It was found as ${this.opened.file}; HALOMESH_NVRTC names another one`,
          },
          { cause: error },
        );
      }
      return this.bytes(handle, 'nvrtcGetCUBINSize', 'nvrtcGetCUBIN');
    } finally {
      this.call('nvrtcDestroyProgram', program);
    }
  }

  private bytes(program: number, size: string, content: string): Uint8Array {
    const length = [0];
    this.call(size, program, length);
    const data = new Uint8Array(Number(length[0]));
    this.call(content, program, data);
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
