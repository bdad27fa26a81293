export { type WasmOptions, wasmDevice } from './device.ts';
export { ADDRESSABLE } from './kernels.ts';
export { wasmTarget } from './target.ts';
export { WebAssembly, type WasmModule } from './webassembly.ts';
