export type { Gpu } from './api.ts';
export { pageGpu, type WebGpuOptions, webgpuDevice } from './device.ts';
export { webgpuTarget } from './target.ts';
