export type { Gpu as WebGpu } from './api.ts';
export { pageGpu, type WebGpuOptions, webgpuDevice } from './device.ts';
export { webgpuTarget } from './target.ts';
