import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../core/index.ts';
import { packageRoot } from '../files/index.ts';
import { convAlgorithm } from './cpu/index.ts';
import type { Device } from './device.ts';
import type { ExactConv } from './kernels/library.ts';
import { type WasmModule, WebAssembly, wasmDevice } from './wasm/index.ts';

// The WebAssembly kernels in Node.js, whose module lies in the package.

const file = path.join(packageRoot, 'native', 'wasm', 'halomesh.wasm');

let compiled: WasmModule | undefined;

/** The module of the kernels, compiled once in a process. */
export function wasmModule(): WasmModule {
  compiled ??= compile();
  return compiled;
}

function compile(): WasmModule {
  const refuse = (problem: string, cause: unknown): never =>
    fail(
      {
        where: file,
        problem: `${problem}: ${cause instanceof Error ? cause.message : cause}`,
        hint: 'It is part of the package: install that again, or in a clone run: npm run build:wasm',
      },
      { cause },
    );
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    return refuse('cannot be read', error);
  }
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    return refuse('is no WebAssembly that this Node.js runs', error);
  }
}

/** The WebAssembly device of this process. `exactConv`: by default what HALOMESH_CONV says, else `auto`. */
export const wasmHere = ({ exactConv }: { readonly exactConv?: ExactConv } = {}): Device =>
  wasmDevice({ module: wasmModule(), conv: convAlgorithm(exactConv) });
