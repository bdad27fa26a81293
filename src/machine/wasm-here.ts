import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { fail } from '../core/index.ts';
import { packageRoot } from '../files/index.ts';
import { convAlgorithm } from './cpu/index.ts';
import type { Device } from './device.ts';
import type { ExactConv } from './kernels/library.ts';
import { type StartWorker, THREAD_SCRIPT, type WasmModule, WebAssembly, wasmDevice } from './wasm/index.ts';

// The WebAssembly kernels in Node.js, whose module lies in the package.

/** That of one thread, and that whose threads share memory. */
const NAMES = ['halomesh.wasm', 'halomesh-threads.wasm'] as const;

const compiled = new Map<string, WasmModule>();

/** The module of the kernels, compiled once in a process. */
export function wasmModule(threads = 1): WasmModule {
  const name = NAMES[threads > 1 ? 1 : 0];
  const module = compiled.get(name) ?? compile(path.join(packageRoot, 'native', 'wasm', name));
  compiled.set(name, module);
  return module;
}

function compile(file: string): WasmModule {
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

/** A thread of the kernels as a worker of Node.js, which keeps no process from ending. */
const startHere: StartWorker = (workerData) => {
  const script = `(${THREAD_SCRIPT})(require('node:worker_threads').workerData)`;
  const worker = new Worker(script, { eval: true, workerData, execArgv: [], stdin: false });
  // A job goes on without a thread that cannot be started.
  worker.on('error', () => undefined);
  worker.unref();
  return worker;
};

export interface WasmHereOptions {
  readonly exactConv?: ExactConv;
  /** 1 by default. */
  readonly threads?: number;
}

/** The WebAssembly device of this process. `exactConv`: by default what HALOMESH_CONV says, else `auto`. */
export const wasmHere = ({ exactConv, threads = 1 }: WasmHereOptions = {}): Device =>
  wasmDevice({
    module: wasmModule(threads),
    conv: convAlgorithm(exactConv),
    threads,
    startWorker: startHere,
  });
