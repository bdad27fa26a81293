import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { fail } from '../core/index.ts';
import type { Device } from './device.ts';
import { pageGpu, type WebGpu, webgpuDevice } from './webgpu/index.ts';

// WebGPU in Node.js: the package `webgpu` (Dawn), where the user installed it beside halomesh.

/** The file of the package, or undefined. */
function packageFile(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('webgpu');
  } catch {
    return undefined;
  }
}

/** Whether WebGPU can be asked for an adapter here. */
export function webgpuFound(): { readonly available: boolean; readonly note: string } {
  if (pageGpu() !== undefined) return { available: true, note: 'WebGPU of this program' };
  if (packageFile() !== undefined)
    return { available: true, note: 'WebGPU of the package webgpu, which looks for a GPU when it is opened' };
  return { available: false, note: 'there is no WebGPU here: in Node.js it takes npm install webgpu' };
}

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
