import type { Clock } from './live-ranges.ts';
import type { Entry } from './scheduler.ts';

/** What a time counts at which an extra step runs: adding one must not look like a loss. */
const EXTRA = 0.1;

/** Bytes in memory of one process over time, and what each time counts. */
export interface Profile {
  readonly clock: Clock;
  readonly live: Float64Array;
  readonly weight: Float64Array;
}

/** Times of a profile at which more than a limit is in memory. */
export class Hot {
  /** Ascending. */
  readonly times: readonly number[];
  private readonly before: Int32Array;

  constructor({ live }: Pick<Profile, 'live'>, limit: number) {
    const times: number[] = [];
    this.before = new Int32Array(live.length + 1);
    for (let time = 0; time < live.length; time++) {
      this.before[time] = times.length;
      if (live[time] > limit) times.push(time);
    }
    this.before[live.length] = times.length;
    this.times = times;
  }

  /** Number of the first of them from a time on. */
  from(time: number): number {
    return this.before[time];
  }
}

/** A schedule and the bytes in memory over time of each process. */
export class TriedSchedule {
  readonly list: readonly Entry[];
  readonly peak: number;
  private readonly over: readonly Omit<Profile, 'weight'>[];
  private weighted: readonly Profile[] | undefined;

  constructor(list: TriedSchedule['list'], over: readonly Omit<Profile, 'weight'>[]) {
    this.list = list;
    this.over = over;
    this.peak = Math.max(...over.map(({ live }) => highest(live)));
  }

  get profiles(): readonly Profile[] {
    this.weighted ??= this.over.map(({ clock, live }) => {
      const weight = new Float64Array(clock.end + 1).fill(1);
      this.list.forEach(({ step, again }, place) => {
        if (!again && step.kind !== 'move') return;
        for (const turn of clock.ranks.keys()) weight[clock.time(place, turn)] = EXTRA;
      });
      return { clock, live, weight };
    });
    return this.weighted;
  }

  /** Bytes above the limit, summed over time. */
  excess(limit: number): number {
    let sum = 0;
    for (const { live, weight } of this.profiles) {
      let own = 0;
      for (let time = 0; time < live.length; time++)
        if (live[time] > limit) own += weight[time] * (live[time] - limit);
      sum += own;
    }
    return sum;
  }
}

export function highest(bytes: Float64Array): number {
  let most = 0;
  for (const n of bytes) if (n > most) most = n;
  return most;
}
