import type { Buffer } from './buffers.ts';
import { allLiveBytes, Clock } from './live-ranges.ts';
import type { Unscheduled } from './schedule.ts';
import type { Entry } from './scheduler.ts';
import { highest } from './tried-schedule.ts';
import type { Weights } from './weights.ts';

/** Moves take this much longer than the speed of their tier says: several share it. */
const MARGIN = 1.5;

/**
 * Lets moves go on beside kernels: a settle runs as late and a prefetch as early as memory below `limit` allows, until kernels
 * cover the time that the move takes at `bytesPerSecond`.
 */
export function widen(
  input: Unscheduled,
  processRanks: readonly (readonly number[])[],
  bytesOf: (buffer: Buffer, rank: number) => number,
  list: readonly Entry[],
  limit: number,
  weights: Weights,
  bytesPerSecond: number,
): readonly Entry[] {
  let now = [...list];
  for (const entry of list) {
    const { step } = entry;
    if (step.kind !== 'move' || (step.action !== 'settle' && step.action !== 'prefetch')) continue;
    const next = moved(entry, step.buffer);
    if (next !== undefined && peak(next) <= limit) now = next;
  }
  return now;

  function moved(entry: Entry, buffer: Buffer): Entry[] | undefined {
    const from = now.indexOf(entry);
    const clocks = processRanks.map((ranks) => {
      const clock = new Clock(ranks, now);
      return { clock, live: profile(clock, now) };
    });
    const fits = (place: number): boolean =>
      clocks.every(({ clock, live }) =>
        clock.ranks.every((rank, turn) => live[clock.time(place, turn)] + bytesOf(buffer, rank) <= limit),
      );
    const bytes = Math.max(
      ...processRanks.map((ranks) => ranks.reduce((sum, rank) => sum + bytesOf(buffer, rank), 0)),
    );
    const needed = (MARGIN * bytes) / bytesPerSecond;
    const late = (entry.step as { action: string }).action === 'settle';
    const direction = late ? 1 : -1;
    let covered = 0;
    let to = from;
    while (covered < needed) {
      const place = to + direction;
      if (place < 0 || place >= now.length) break;
      const { step, uses } = now[place];
      if (uses.some((use) => use.buffer === buffer) || !fits(place)) break;
      if (step.kind === 'kernel') covered += weights.kernel(step);
      to = place;
    }
    if (to === from) return undefined;
    const next = [...now];
    next.splice(from, 1);
    next.splice(to, 0, entry);
    return next;
  }

  function profile(clock: Clock, steps: readonly Entry[]): Float64Array {
    return allLiveBytes(input, steps, [clock], bytesOf)[0];
  }

  function peak(steps: readonly Entry[]): number {
    return Math.max(...processRanks.map((ranks) => highest(profile(new Clock(ranks, steps), steps))));
  }
}
