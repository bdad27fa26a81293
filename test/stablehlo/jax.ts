import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { type DType, rowMajorStrides, volume } from '../../src/core/index.ts';
import type { Port, Printed } from '../../src/stablehlo/index.ts';

// Printed programs run by JAX on the CPU, where a Python that has it is to be had: the one that HALOMESH_JAX names, or python3.

export const python = process.env.HALOMESH_JAX ?? 'python3';
const hasJax = spawnSync(python, ['-c', 'import jax'], { timeout: 60_000 }).status === 0;

export const describeJax = (name: string, tests: () => void): void => {
  const why = hasJax ? '' : ` (skipped: ${python} has no jax; HALOMESH_JAX names a Python that has)`;
  describe.skipIf(!hasJax)(`${name}${why}`, tests);
};

/** Whole tensors by name, row-major. */
export type Numbers = Readonly<Record<string, ArrayLike<number>>>;

/** A program to run, with whole tensors for each run; what a run leaves out are variables, which keep what the run before made of them. */
export interface Job {
  readonly name: string;
  readonly printed: Printed;
  readonly devices: number;
  /** Whether annotations are Shardy's. */
  readonly shardy: boolean;
  readonly runs: readonly Numbers[];
}

/** Whole tensors of every run, by the results' names; or why there are none. */
export type Answer =
  | { readonly error: string }
  | {
      readonly runs: readonly Record<string, Float64Array>[];
      /** Whether devices send each other boxes. */
      readonly sends: boolean;
    };

/** Runs programs, all in one Python. */
export function runJax(jobs: readonly Job[]): Answer[] {
  const folder = mkdtempSync(join(tmpdir(), 'halomesh-jax-'));
  try {
    const [request, answer] = [join(folder, 'request.json'), join(folder, 'answer.json')];
    writeFileSync(request, JSON.stringify(jobs.map(requestOf)));
    const script = join(import.meta.dirname, 'under_jax.py');
    const ran = spawnSync(python, [script, request, answer], { encoding: 'utf8', timeout: 540_000 });
    if (ran.status !== 0) throw new Error(`${python} ${script}: ${ran.stderr}`);
    const answers: ({ error: string } | { runs: string[][]; sends: boolean })[] = JSON.parse(
      readFileSync(answer, 'utf8'),
    );
    return answers.map((one, i) =>
      'error' in one ? one : { ...one, runs: one.runs.map((run) => wholesOf(jobs[i], run)) },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const sizesOf = ({ places }: Port): number[] => places.map(({ length }) => length);

function requestOf({ name, printed, devices, shardy, runs }: Job): object {
  const { text, results } = printed;
  return {
    ...{ name, text, devices, shardy },
    arguments: printed.arguments.map((port) => ({
      ...{ dtype: port.dtype, sizes: sizesOf(port) },
      from: results.findIndex((r) => r.kind === 'variable' && r.name === port.name),
    })),
    results: results.map((port) => ({ dtype: port.dtype, sizes: sizesOf(port) })),
    runs: runs.map((numbers) =>
      printed.arguments.map((port) => {
        const whole = numbers[port.name];
        return whole === undefined ? null : base64(port.dtype, blocksOf(port, whole));
      }),
    ),
  };
}

/** Calls `visit` with places in a whole tensor and in the program's, where both have an element. */
function forEachElement(port: Port, visit: (whole: number, held: number) => void): void {
  const [outer, inner] = [
    rowMajorStrides(port.shape.map(({ size }) => size)),
    rowMajorStrides(sizesOf(port)),
  ];
  const visitFrom = (dim: number, whole: number, held: number): void => {
    if (dim === port.places.length) visit(whole, held);
    else
      for (const [at, place] of port.places[dim].entries())
        if (place >= 0) visitFrom(dim + 1, whole + place * outer[dim], held + at * inner[dim]);
  };
  visitFrom(0, 0, 0);
}

/** A tensor as the program takes it. */
function blocksOf(port: Port, whole: ArrayLike<number>): Float64Array {
  const all = new Float64Array(sizesOf(port).reduce((n, size) => n * size, 1));
  forEachElement(port, (from, to) => {
    all[to] = whole[from];
  });
  return all;
}

function wholesOf({ printed }: Job, run: readonly string[]): Record<string, Float64Array> {
  return Object.fromEntries(
    printed.results.map((port, i) => {
      const all = numbersOf(port.dtype, run[i]);
      const whole = new Float64Array(volume(port.shape)).fill(Number.NaN);
      forEachElement(port, (to, from) => {
        whole[to] = all[from];
      });
      return [port.name, whole];
    }),
  );
}

const ARRAYS = { f32: Float32Array, f64: Float64Array, u8: Uint8Array, i32: Int32Array } as const;

function base64(dtype: DType, data: Float64Array): string {
  const array = dtype === 'bf16' ? bfloat16(data) : ARRAYS[dtype].from(data);
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');
}

/** Rounded to nearest even. */
function bfloat16(data: Float64Array): Uint16Array {
  const bits = new Uint32Array(Float32Array.from(data).buffer);
  return Uint16Array.from(bits, (x) => (x + 0x7fff + ((x >>> 16) & 1)) >>> 16);
}

function numbersOf(dtype: DType, text: string): Float64Array {
  const { buffer } = Uint8Array.from(Buffer.from(text, 'base64'));
  if (dtype !== 'bf16') return Float64Array.from<number>(new ARRAYS[dtype](buffer));
  return Float64Array.from(
    new Float32Array(Uint32Array.from(new Uint16Array(buffer), (x) => x << 16).buffer),
  );
}
