export { type Gpu as WebGpu, pageGpu } from './api.ts';
export { type WebGpuOptions, webgpuDevice } from './device.ts';
export { webgpuTarget } from './target.ts';
