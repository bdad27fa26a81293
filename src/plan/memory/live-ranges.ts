import type { Buffer } from './buffers.ts';
import type { Scheduled, Unscheduled } from './schedule.ts';
import type { Entry } from './scheduler.ts';

// When each tensor lies in memory.

/** A live range of a buffer: places of the schedule from its first to its last use; -1 is before a run, the length after. */
export interface LiveRange {
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

/** All live ranges in the order in which they begin. One begins with the first use, a prefetch or a kernel that runs again. */
export function liveRanges(input: Unscheduled, list: readonly Entry[]): readonly LiveRange[] {
  const ranges: LiveRange[] = [];
  const latest: LiveRange[] = [];
  walk(input, list, (buffer, at, begins) => {
    const known = latest[buffer.index];
    if (known !== undefined && !begins) {
      known.to = at;
      return;
    }
    const range = { buffer, from: at, to: at };
    latest[buffer.index] = range;
    ranges.push(range);
  });
  return ranges;
}

/** Live ranges by buffer, in order. */
export function byBuffer(ranges: readonly LiveRange[]): Map<Buffer, readonly LiveRange[]> {
  const found = new Map<Buffer, LiveRange[]>();
  for (const range of ranges) {
    const known = found.get(range.buffer);
    if (known) known.push(range);
    else found.set(range.buffer, [range]);
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

/** Bytes in memory at every time of a clock, of some live ranges. */
export function liveBytes(clock: Clock, ranges: Iterable<LiveRange>, bytesOf: BytesOf): Float64Array {
  const live = new Float64Array(clock.end + 2);
  for (const { buffer, from, to } of ranges) count(clock, live, buffer, from, to, bytesOf);
  return summed(clock, live);
}

/** The same of all live ranges of a schedule, for several clocks. */
export function allLiveBytes(
  input: Unscheduled,
  list: readonly Entry[],
  clocks: readonly Clock[],
  bytesOf: BytesOf,
): Float64Array[] {
  const lives = clocks.map(({ end }) => new Float64Array(end + 2));
  const spans: { readonly buffer: Buffer; from: number; to: number }[] = [];
  const add = ({ buffer, from, to }: (typeof spans)[number]): void => {
    for (let i = 0; i < clocks.length; i++) count(clocks[i], lives[i], buffer, from, to, bytesOf);
  };
  walk(input, list, (buffer, at, begins) => {
    const known = spans[buffer.index];
    if (known === undefined) spans[buffer.index] = { buffer, from: at, to: at };
    else {
      if (begins) {
        add(known);
        known.from = at;
      }
      known.to = at;
    }
  });
  spans.forEach(add);
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
