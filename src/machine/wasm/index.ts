export { type WasmOptions, wasmDevice } from './device.ts';
export { ADDRESSABLE } from './kernels.ts';
export { wasmTarget } from './target.ts';
export { type WasmModule, WebAssembly } from './webassembly.ts';
