import type { Buffer } from './buffers.ts';
import type { Clock, Residency } from './lifetimes.ts';
import type { Scheduled } from './schedule.ts';

/** Bytes in memory of one process over time, and what each time counts. */
export interface Profile {
  readonly clock: Clock;
  readonly live: Float64Array;
  readonly weight: Float64Array;
}

/** A schedule, the stays that follow from it, and the bytes in memory over time of each process. */
export class State {
  readonly list: readonly Scheduled[];
  readonly stays: ReadonlyMap<Buffer, readonly Residency[]>;
  readonly profiles: readonly Profile[];
  readonly peak: number;

  constructor(list: State['list'], stays: State['stays'], profiles: State['profiles']) {
    this.list = list;
    this.stays = stays;
    this.profiles = profiles;
    this.peak = Math.max(...profiles.map(({ live }) => live.reduce((a, b) => Math.max(a, b), 0)));
  }

  /** Bytes above the limit, summed over time. */
  excess(limit: number): number {
    return this.profiles.reduce(
      (sum, { live, weight }) =>
        sum + live.reduce((n, bytes, time) => n + weight[time] * Math.max(0, bytes - limit), 0),
      0,
    );
  }
}
