// What is used here of JavaScript's interface to WebAssembly, which the language's own types leave out.

export interface WasmMemory {
  /** Another one after the memory has grown; the former one then has no bytes. */
  readonly buffer: ArrayBuffer;
}

/** A compiled module, a `WebAssembly.Module`: may be sent to other threads. */
export type WasmModule = object;

interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface Interface {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, (...args: number[]) => unknown>>>>,
  ) => WasmInstance;
}

export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Interface };
