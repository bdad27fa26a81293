import type { KernelWork, Links, Sharing } from '../../plan/index.ts';
import { CORE, ETHERNET } from '../assumed.ts';
import { KERNEL_CLASSES, type KernelClass } from './kernel-class.ts';

// Speeds of a machine, which times are told from. A machine here is what shares one memory: a computer with its cores.

/** How fast one thread runs kernels of a class: launchSeconds + flops / .. + bytes / .. + weights / .. */
export interface KernelSpeed {
  /** Floating-point operations a second; of convolutions those of the plain sum, so a fast algorithm may pass the peak. */
  readonly flopsPerSecond: number;
  /** Bytes a second of the stored tensors that are read and written. */
  readonly bytesPerSecond: number;
  /** Weights a second that are transformed, or whose gradients are; absent where that costs nothing. */
  readonly weightsPerSecond?: number;
}

export interface Speeds {
  readonly name: string;
  /** Where the figures come from, in words. */
  readonly source: string;
  /** What one of its cores is called where it is none, such as `chip`. */
  readonly unit?: string;
  /** Threads that run at a time, and how many times as fast as one they are together. */
  readonly cores: number;
  readonly allCores: number;
  /** Seconds that any kernel takes, however small. */
  readonly launchSeconds: number;
  /** Of one thread. */
  readonly kernels: Readonly<Record<KernelClass, KernelSpeed>>;
  /** Bytes a second that all cores copy through memory together, read and written bytes both counted. */
  readonly memoryBytesPerSecond: number;
  /** From one rank to another. */
  readonly link: Links & { readonly source: string };
}

/** Figures without a measurement. */
export function assumedSpeeds(cores: number): Speeds {
  const { source, launchSeconds, kernels, memoryBytesPerSecond, memoryCores } = CORE;
  return {
    ...{ name: 'assumed', source, cores, allCores: cores, launchSeconds, kernels },
    memoryBytesPerSecond: memoryBytesPerSecond * Math.min(cores, memoryCores),
    link: ETHERNET,
  };
}

/** How many times as fast as one thread alone a rank is: all cores busy share what they have together. */
export function rankSpeedup(speeds: Speeds, { threads, ranksPerMachine }: Sharing): number {
  const { cores, allCores } = speeds;
  const busy = Math.min(cores, threads * ranksPerMachine);
  const together = cores === 1 ? allCores : 1 + ((busy - 1) * (allCores - 1)) / (cores - 1);
  return together / ranksPerMachine;
}

/** Seconds that a rank takes for a kernel. */
export function kernelTime(
  speeds: Speeds,
  kind: KernelClass,
  { flops, bytes, weights }: KernelWork,
  sharing: Sharing,
): number {
  const { flopsPerSecond, bytesPerSecond, weightsPerSecond = Infinity } = speeds.kernels[kind];
  const speedup = rankSpeedup(speeds, sharing);
  // Bytes never pass faster than the rank's share of the memory lets them.
  const moving = Math.min(bytesPerSecond * speedup, speeds.memoryBytesPerSecond / sharing.ranksPerMachine);
  return (
    speeds.launchSeconds + (flops / flopsPerSecond + weights / weightsPerSecond) / speedup + bytes / moving
  );
}

/** One kernel that was timed, on one thread. */
export interface TimedKernel extends KernelWork {
  readonly kind: KernelClass;
  readonly seconds: number;
}

/**
 * Speeds of every class that fit measured times best: least squares, a kernel's error counting over the root of its time, so
 * that neither the longest nor the many short ones decide alone. `launchSeconds` is what the fastest tenth takes.
 */
export function fitSpeeds(timed: readonly TimedKernel[]): Pick<Speeds, 'launchSeconds' | 'kernels'> {
  const sorted = timed.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const launchSeconds = sorted[Math.floor(sorted.length / 10)];
  const speed = (kind: KernelClass): KernelSpeed => {
    const mine = timed.filter((kernel) => kernel.kind === kind);
    const [perFlop, perByte, perWeight] = leastSquares(
      mine.map(({ flops, bytes, weights }) => [flops, bytes, weights]),
      mine.map(({ seconds }) => Math.max(0, seconds - launchSeconds)),
      mine.map(({ seconds }) => 1 / seconds),
    );
    // A rate beyond all bounds: it costs nothing that can be seen.
    const rate = (cost: number): number => (cost > 0 ? round(1 / cost) : 1e15);
    const weightsPerSecond = perWeight > 0 ? { weightsPerSecond: rate(perWeight) } : {};
    return { flopsPerSecond: rate(perFlop), bytesPerSecond: rate(perByte), ...weightsPerSecond };
  };
  const kernels = Object.fromEntries(KERNEL_CLASSES.map((kind) => [kind, speed(kind)]));
  return { launchSeconds: round(launchSeconds), kernels: kernels as Record<KernelClass, KernelSpeed> };
}

/** A latency (the costs of no bytes) and a rate from times of messages of several sizes, errors counting by their share. */
export function fitLink(timed: readonly { readonly bytes: number; readonly seconds: number }[]) {
  const [latency, perByte] = leastSquares(
    timed.map(({ bytes }) => [1, bytes]),
    timed.map(({ seconds }) => seconds),
    timed.map(({ seconds }) => 1 / seconds ** 2),
  );
  return { latencySeconds: round(latency), bytesPerSecond: perByte > 0 ? round(1 / perByte) : 1e15 };
}

/**
 * Coefficients, none below 0, of least weighted squares of `rows` x coefficients - `results`. There are few, so all sets of
 * those that are above 0 are tried.
 */
export function leastSquares(
  rows: readonly (readonly number[])[],
  results: readonly number[],
  weights: readonly number[],
): number[] {
  const n = rows[0]?.length ?? 0;
  // Columns of very different sizes are brought to one.
  const scale = Array.from({ length: n }, (_, i) => Math.max(...rows.map((row) => row[i])) || 1);
  const scaled = rows.map((row) => row.map((value, i) => value / scale[i]));
  let best = { error: Infinity, coefficients: new Array<number>(n).fill(0) };
  for (let set = 1; set < 2 ** n; set++) {
    const chosen = scale.flatMap((_, i) => (set & (2 ** i) ? [i] : []));
    const solved = solve(chosen, scaled, results, weights);
    if (solved === undefined || solved.some((c) => !(c >= 0))) continue;
    const coefficients = scale.map((_, i) => (chosen.includes(i) ? solved[chosen.indexOf(i)] : 0));
    const error = scaled.reduce((sum, row, k) => {
      const off = row.reduce((s, value, i) => s + value * coefficients[i], 0) - results[k];
      return sum + weights[k] * off * off;
    }, 0);
    if (error < best.error) best = { error, coefficients };
  }
  return best.coefficients.map((value, i) => value / scale[i]);
}

/** The normal equations of some columns, by elimination; undefined where columns depend on each other. */
function solve(
  chosen: readonly number[],
  rows: readonly (readonly number[])[],
  results: readonly number[],
  weights: readonly number[],
): number[] | undefined {
  const dot = (i: number, of: (k: number) => number): number =>
    rows.reduce((sum, row, k) => sum + weights[k] * row[i] * of(k), 0);
  const matrix = chosen.map((i) => [
    ...chosen.map((j) => dot(i, (k) => rows[k][j])),
    dot(i, (k) => results[k]),
  ]);
  for (let i = 0; i < chosen.length; i++) {
    const pivot = matrix[i][i];
    if (!(pivot > 1e-12 * dot(chosen[i], (k) => rows[k][chosen[i]]))) return undefined;
    for (let j = 0; j < chosen.length; j++) {
      if (j === i) continue;
      const factor = matrix[j][i] / pivot;
      matrix[j] = matrix[j].map((value, c) => value - factor * matrix[i][c]);
    }
  }
  return matrix.map((row, i) => row[chosen.length] / row[i]);
}

const round = (value: number): number => Number(value.toPrecision(4));
