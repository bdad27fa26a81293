import type { Buffer } from './buffers.ts';
import type { Scheduled, Unscheduled } from './schedule.ts';
import type { Entry } from './scheduler.ts';

// When each tensor lies in memory.

/** A stay of a buffer in memory: places of the schedule from its first to its last use; -1 is before a run, the length after. */
export interface Residency {
  readonly buffer: Buffer;
  readonly from: number;
  to: number;
}

/** Calls `touch` with every use of a buffer in order. Inputs and variables are there from -1 on, outputs to the end. */
function walk({ program, buffers }: Unscheduled, list: readonly Entry[], touch: Touch): void {
  for (const values of [program.inputs, program.variables])
    for (const value of values.values()) touch(buffers.get(value)!, -1, false);
  for (let at = 0; at < list.length; at++) {
    const { uses } = list[at];
    for (let i = 0; i < uses.length; i++) touch(uses[i].buffer, at, uses[i].begins);
  }
  for (const value of program.outputs.values()) touch(buffers.get(value)!, list.length, false);
}

/** `begins`: the tensor comes into memory, even if it was there before. */
type Touch = (buffer: Buffer, at: number, begins: boolean) => void;

/** All stays in the order in which they begin. One begins with the first use, a fetch or a kernel that runs again. */
export function residencies(input: Unscheduled, list: readonly Entry[]): readonly Residency[] {
  const stays: Residency[] = [];
  const latest: Residency[] = [];
  walk(input, list, (buffer, at, begins) => {
    const known = latest[buffer.index];
    if (known !== undefined && !begins) {
      known.to = at;
      return;
    }
    const stay = { buffer, from: at, to: at };
    latest[buffer.index] = stay;
    stays.push(stay);
  });
  return stays;
}

/** Stays by buffer, in order. */
export function byBuffer(stays: readonly Residency[]): Map<Buffer, readonly Residency[]> {
  const found = new Map<Buffer, Residency[]>();
  for (const stay of stays) {
    const known = found.get(stay.buffer);
    if (known) known.push(stay);
    else found.set(stay.buffer, [stay]);
  }
  return found;
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

/** Bytes of a buffer on a rank; 0 where it has memory of its own. */
type BytesOf = (buffer: Buffer, rank: number) => number;

/** Bytes in memory at every time of a clock, of some stays. */
export function liveBytes(clock: Clock, stays: Iterable<Residency>, bytesOf: BytesOf): Float64Array {
  const live = new Float64Array(clock.end + 2);
  for (const { buffer, from, to } of stays) count(clock, live, buffer, from, to, bytesOf);
  return summed(clock, live);
}

/** The same of all stays of a schedule, for several clocks. */
export function allLiveBytes(
  input: Unscheduled,
  list: readonly Entry[],
  clocks: readonly Clock[],
  bytesOf: BytesOf,
): Float64Array[] {
  const lives = clocks.map(({ end }) => new Float64Array(end + 2));
  const spans: { readonly buffer: Buffer; from: number; to: number }[] = [];
  const stay = ({ buffer, from, to }: (typeof spans)[number]): void => {
    for (let i = 0; i < clocks.length; i++) count(clocks[i], lives[i], buffer, from, to, bytesOf);
  };
  walk(input, list, (buffer, at, begins) => {
    const known = spans[buffer.index];
    if (known === undefined) spans[buffer.index] = { buffer, from: at, to: at };
    else {
      if (begins) {
        stay(known);
        known.from = at;
      }
      known.to = at;
    }
  });
  spans.forEach(stay);
  return clocks.map((clock, i) => summed(clock, lives[i]));
}

function count(clock: Clock, live: Float64Array, buffer: Buffer, from: number, to: number, bytesOf: BytesOf) {
  const { ranks } = clock;
  for (let turn = 0; turn < ranks.length; turn++) {
    const bytes = bytesOf(buffer, ranks[turn]);
    live[clock.time(from, turn)] += bytes;
    live[clock.time(to, turn) + 1] -= bytes;
  }
}

function summed({ end }: Clock, live: Float64Array): Float64Array {
  for (let time = 1; time < live.length; time++) live[time] += live[time - 1];
  return live.subarray(0, end + 1);
}
