export { type OfWasm, type WasmOptions, wasmDevice } from './device.ts';
export { ADDRESSABLE } from './kernels.ts';
export { wasmTarget } from './target.ts';
export { type StartWorker, THREAD_SCRIPT, type ThreadStart } from './threads.ts';
export { type WasmModule, WebAssembly } from './webassembly.ts';
