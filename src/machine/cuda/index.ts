export { type CudaOptions, cudaDevice } from './device.ts';
export { type Gpu, gpuHere } from './gpu.ts';
export { assumedGpu, cudaTarget } from './target.ts';
