import { markdownTable } from '../core/index.ts';
import { rate } from './trace.ts';
import type { TraceRun } from './tracer.ts';

/** A kernel of a layer (or a collective, or whatever else a run names), over all ranks. */
export interface KernelTime {
  readonly name: string;
  readonly scope: string;
  /** Launches of a run. */
  readonly calls: number;
  /** Of one run, on average; waiting for other ranks does not count. */
  readonly milliseconds: number;
  /** Of the time of all kernels, 0 to 1. */
  readonly share: number;
  readonly gflopsPerSecond: number;
  readonly gbytesPerSecond: number;
}

/** Kernels by the time that they take in a run, longest first. Runs that did not end are left out. */
export function kernelTimes(runs: readonly TraceRun[]): KernelTime[] {
  const ended = runs.filter((run) => run.duration !== undefined);
  const sums = new Map<
    string,
    { name: string; scope: string; calls: number; ms: number; flops: number; bytes: number }
  >();
  let all = 0;
  for (const { name, part, scope, duration, waited, flops, bytes } of ended.flatMap((run) => run.events)) {
    const key = `${name}\n${scope}`;
    const sum = sums.get(key) ?? { name, scope, calls: 0, ms: 0, flops: 0, bytes: 0 };
    sums.set(key, sum);
    // A step in several parts is one call.
    if (part !== 'begin' && part !== 'interior') sum.calls++;
    sum.ms += duration - waited;
    sum.flops += flops;
    sum.bytes += bytes;
    all += duration - waited;
  }
  return [...sums.values()]
    .sort((a, b) => b.ms - a.ms)
    .map(({ name, scope, calls, ms, flops, bytes }) => ({
      name,
      scope,
      calls: calls / ended.length,
      milliseconds: ms / ended.length,
      share: all === 0 ? 0 : ms / all,
      gflopsPerSecond: rate(flops, ms),
      gbytesPerSecond: rate(bytes, ms),
    }));
}

/** {@link kernelTimes} as a Markdown table of the `most` longest; what is left is one row, the sum of all the last. */
export function kernelTable(runs: readonly TraceRun[], most = 25): string {
  const times = kernelTimes(runs);
  const rest = times.slice(most);
  const sum = (list: readonly KernelTime[]): number => list.reduce((ms, k) => ms + k.milliseconds, 0);
  const share = (list: readonly KernelTime[]): number => list.reduce((part, k) => part + k.share, 0);
  const time = (ms: number, part: number): string[] => [ms.toFixed(2), `${(100 * part).toFixed(1)} %`];
  const rows = times
    .slice(0, most)
    .map((k) => [
      k.name,
      k.scope,
      ...time(k.milliseconds, k.share),
      k.gflopsPerSecond === 0 ? '' : k.gflopsPerSecond.toFixed(1),
      k.gbytesPerSecond.toFixed(1),
    ]);
  if (rest.length > 0) rows.push([`${rest.length} more`, '', ...time(sum(rest), share(rest)), '', '']);
  rows.push(['all', '', ...time(sum(times), share(times)), '', '']);
  const columns = [{ title: 'kernel' }, { title: 'layer' }];
  const numbers = ['ms', 'share', 'GFLOP/s', 'GB/s'].map((title) => ({ title, right: true }));
  return markdownTable([...columns, ...numbers], rows);
}
