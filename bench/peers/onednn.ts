import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Outcome, runChild, runJson } from '../child.ts';
import type { Precision } from '../convolution.ts';
import { type Layer, outputSize } from '../layers.ts';

/** oneDNN's times of the three passes of a layer. */
export interface OneDnnTimes {
  readonly version: string;
  /** Seconds of every run of each pass. */
  readonly seconds: readonly (readonly number[])[];
}

export interface OneDnn {
  measure(layer: Layer, precision: Precision, threads: number, runs: number): Promise<Outcome<OneDnnTimes>>;
  /** Removes what was compiled. */
  free(): void;
}

// build/bench/peers lies three folders below the root of the package.
const SOURCE = fileURLToPath(new URL('../../../bench/peers/onednn.cpp', import.meta.url));

/** Compiles the program that calls oneDNN; the reason where that cannot be done. */
export async function openOneDnn(): Promise<Outcome<OneDnn>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-bench-'));
  const program = path.join(folder, 'onednn');
  const free = (): void => rmSync(folder, { recursive: true, force: true });
  const [compiler, ...first] = (process.env.CXX?.trim() || 'g++').split(/\s+/);
  const built = await runChild(compiler, [...first, '-O2', '-std=c++17', SOURCE, '-ldnnl', '-o', program]);
  if (!built.ok) {
    free();
    const missing = /dnnl\.hpp['":]* (No such file|file not found)|-ldnnl/.test(built.detail);
    const reason = missing
      ? 'oneDNN is not installed (Debian and Ubuntu: apt-get install libdnnl-dev)'
      : `the program that calls oneDNN did not compile: ${built.reason}`;
    return { ok: false, reason, detail: built.detail };
  }
  const measure: OneDnn['measure'] = (layer, precision, threads, runs) => {
    const { from, to, size, kernel, stride, dilation, pad, transposed } = layer;
    const out = outputSize(layer);
    const channels = from.reduce((sum, n) => sum + n, 0);
    const high = transposed ? 0 : Math.max(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - size - pad);
    const shape = [transposed ? 1 : 0, channels, to, size, out, kernel, stride, dilation, pad, high];
    const args = [...shape, precision === 'bf16' ? 1 : 0, runs].map(String);
    return runJson<OneDnnTimes>(program, args, { env: { OMP_NUM_THREADS: String(threads) } });
  };
  return { ok: true, value: { measure, free } };
}
