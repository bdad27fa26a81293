// What is used here of JavaScript's interface to WebAssembly, which the language's own types leave out.

export interface WasmMemory {
  /** Another one after the memory has grown; the former one then has no bytes, or, where threads share it, those from before. */
  readonly buffer: ArrayBuffer;
}

/** A number of an instance that JavaScript sees. */
export interface WasmGlobal {
  readonly value: number;
}

/** A compiled module, a `WebAssembly.Module`: may be sent to other threads. */
export type WasmModule = object;

interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface Interface {
  readonly Module: (new (
    bytes: Uint8Array,
  ) => WasmModule) & {
    readonly imports: (module: WasmModule) => readonly { readonly name: string }[];
  };
  readonly Memory: new (size: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => WasmMemory;
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<
      Record<string, Readonly<Record<string, WasmMemory | ((...args: number[]) => unknown)>>>
    >,
  ) => WasmInstance;
}

export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Interface };
