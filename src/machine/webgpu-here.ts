import { pathToFileURL } from 'node:url';
import { fail } from '../core/index.ts';
import type { Device } from './device.ts';
import { pageGpu, type WebGpu, webgpuDevice } from './webgpu/index.ts';
import { packageFile } from './webgpu-found.ts';

export { webgpuTarget } from './webgpu/index.ts';

// WebGPU in Node.js: the package `webgpu` (Dawn).

async function load(): Promise<WebGpu> {
  const file = packageFile();
  if (file === undefined)
    return fail({
      where: 'device webgpu',
      problem: 'Node.js has no WebGPU of its own, and the package webgpu is not installed',
      hint: 'Run: npm install webgpu',
    });
  const { create } = (await import(pathToFileURL(file).href)) as {
    create(options: readonly string[]): WebGpu;
  };
  return create([]);
}

/** The WebGPU device of this process. */
export function webgpuHere(): Device {
  return webgpuDevice({ gpu: pageGpu() ?? load() });
}
