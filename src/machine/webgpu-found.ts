import { createRequire } from 'node:module';
import { pageGpu } from './webgpu/api.ts';

// Whether WebGPU can be reached, without loading what computes with it.

/** The file of the package `webgpu`, which the user installs beside halomesh, or undefined. */
export function packageFile(): string | undefined {
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
