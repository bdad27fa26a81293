import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KernelSource } from '../../src/machine/cuda/driver.ts';
import { deviceText } from '../../src/machine/cuda/library.ts';
import { network, runNetwork } from '../laws/unet.ts';
import { plannedKernels } from './planned.ts';
import { recording } from './recording.ts';

// Where nvcc is found, the kernels of whole networks compile for the oldest GPUs that are taken and for newer ones, and no register
// spills.

/** Its version; undefined where there is none. */
function nvcc(): string | undefined {
  try {
    return execFileSync('nvcc', ['--version'], { stdio: 'pipe' }).toString();
  } catch {
    return undefined;
  }
}

describe.skipIf(nvcc() === undefined).each(['sm_80', 'sm_90'])('nvcc for %s', (architecture) => {
  it.each(['f32', 'bf16'] as const)(
    'compiles the kernels of a U-Net in %s without spills',
    async (storage) => {
      const sources = new Map<string, KernelSource>();
      const device = recording(sources);
      await runNetwork(network({ base: 4, norm: 'group', groups: 2, deep: true }, storage), device);
      for (const source of await plannedKernels(storage, 0.8)) sources.set(source.name, source);
      expect(sources.size).toBeGreaterThan(60);
      const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-nvcc-'));
      try {
        const file = path.join(folder, 'kernels.cu');
        const spaces = [...sources.values()].map(({ name, text }) => `namespace ${name}_space {\n${text}}\n`);
        writeFileSync(file, `${deviceText()}${spaces.join('')}`);
        const flags = [
          '-std=c++17',
          '--fmad=false',
          '-w',
          `-arch=${architecture}`,
          '-cubin',
          '-Xptxas',
          '-v',
        ];
        const { status, stderr } = spawnSync('nvcc', [...flags, '-o', path.join(folder, 'out'), file]);
        const said = stderr.toString();
        expect(status, said.slice(0, 2000)).toBe(0);
        expect(said.match(/Compiling entry function/g)).toHaveLength(sources.size);
        expect(said.match(/.*[1-9]\d* bytes spill.*/g)).toBeNull();
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
