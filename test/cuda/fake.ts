import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { afterAll, vi } from 'vitest';
import { nativeFile } from '../../src/machine/cuda/library.ts';

/**
 * A libcuda and an NVRTC of our own, which run what they are given on the emulator, in the place of a GPU's until the tests of the
 * file end. `idle`: kernels do nothing.
 */
export function fakeCuda({ idle = false } = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-cuda-'));
  const emulator = path.join(folder, 'libemulator.so');
  const library = path.join(folder, 'libfake.so');
  const build = (...args: string[]) =>
    execFileSync('g++', ['-std=c++17', '-O1', '-shared', '-fPIC', ...args], { stdio: 'pipe' });
  build(...['emulate', 'memory', 'races'].map((name) => nativeFile(`emulate/${name}.cpp`)), '-o', emulator);
  build(fileURLToPath(new URL('fake-cuda.cpp', import.meta.url)), '-o', library, emulator, '-ldl');
  vi.stubEnv('HALOMESH_CUDA', library);
  vi.stubEnv('HALOMESH_NVRTC', library);
  vi.stubEnv('HALOMESH_CACHE', path.join(folder, 'cache'));
  vi.stubEnv('FAKE_CUDA_FOLDER', folder);
  vi.stubEnv('FAKE_CUDA_EMULATOR', emulator);
  vi.stubEnv('FAKE_CUDA_HEADER', nativeFile('emulate/emulate.h'));
  if (idle) vi.stubEnv('FAKE_CUDA_IDLE', '1');
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  const loaded = koffi.load(library);
  return {
    folder,
    library,
    /** What was taken from the driver and not given back. */
    left: loaded.func('int fake_left()') as () => number,
    /**
     * What was asked for since the last call, a letter each: u an upload, d a download, k a kernel, g a graph, m a move from the host's
     * memory, w the first look whether an event is reached, s a synchronisation.
     */
    asked: loaded.func('const char *fake_asked()') as () => string,
  };
}
