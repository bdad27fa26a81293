import type { Buffer } from './buffers.ts';
import { type Scheduled, touched, type Unscheduled } from './schedule.ts';

// When each tensor lies in memory.

/** A stay of a buffer in memory: places of the schedule from its first to its last use; -1 is before a run, the length after. */
export interface Residency {
  readonly buffer: Buffer;
  readonly from: number;
  to: number;
}

/** The stays of every buffer, in order. One begins with the first use, a fetch or a kernel that runs again. */
export function residencies(
  { program, buffers }: Unscheduled,
  list: readonly Scheduled[],
): Map<Buffer, Residency[]> {
  const stays = new Map<Buffer, Residency[]>();
  const touch = (buffer: Buffer, at: number, begins: boolean): void => {
    const known = stays.get(buffer);
    if (known === undefined) stays.set(buffer, [{ buffer, from: at, to: at }]);
    else if (begins) known.push({ buffer, from: at, to: at });
    else known[known.length - 1].to = at;
  };
  for (const values of [program.inputs, program.variables])
    for (const value of values.values()) touch(buffers.get(value)!, -1, false);
  list.forEach(({ step, again }, at) => {
    if (step.kind === 'move') {
      touch(step.buffer, at, step.action === 'fetch');
      return;
    }
    const made = new Set(again && step.kind === 'kernel' ? step.writes.map((v) => buffers.get(v)!) : []);
    for (const buffer of touched(step, buffers)) touch(buffer, at, made.has(buffer));
  });
  for (const value of program.outputs.values()) touch(buffers.get(value)!, list.length, false);
  return stays;
}

/**
 * Times of one process that runs `ranks` in turn: between two collectives, one rank runs all its steps, then the next. A
 * collective is one moment for all. Times count from 1; 0 is before a run and `end` after it.
 */
export class Clock {
  readonly ranks: readonly number[];
  readonly end: number;
  private readonly first: Int32Array;
  private readonly stride: Int32Array;

  constructor(ranks: readonly number[], list: readonly Scheduled[]) {
    this.ranks = ranks;
    this.first = new Int32Array(list.length);
    this.stride = new Int32Array(list.length);
    let time = 1;
    for (let at = 0; at < list.length; ) {
      let next = at;
      while (next < list.length && list[next].step.kind !== 'collective') next++;
      for (let i = at; i < next; i++) {
        this.first[i] = time + i - at;
        this.stride[i] = next - at;
      }
      time += (next - at) * ranks.length;
      if (next < list.length) this.first[next++] = time++;
      at = next;
    }
    this.end = time;
  }

  /** When the `turn`-th rank runs the step at a place. */
  time(place: number, turn: number): number {
    if (place < 0) return 0;
    return place >= this.first.length ? this.end : this.first[place] + turn * this.stride[place];
  }
}

/** Bytes in memory at every time of a clock. `bytesOf`: of a buffer on a rank; 0 where it has memory of its own. */
export function liveBytes(
  clock: Clock,
  stays: Iterable<Residency>,
  bytesOf: (buffer: Buffer, rank: number) => number,
): Float64Array {
  const live = new Float64Array(clock.end + 2);
  for (const { buffer, from, to } of stays)
    clock.ranks.forEach((rank, turn) => {
      const bytes = bytesOf(buffer, rank);
      live[clock.time(from, turn)] += bytes;
      live[clock.time(to, turn) + 1] -= bytes;
    });
  for (let time = 1; time < live.length; time++) live[time] += live[time - 1];
  return live.subarray(0, clock.end + 1);
}
