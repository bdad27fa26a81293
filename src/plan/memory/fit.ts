import type { Step } from '../fusion/kernel.ts';
import type { Buffer } from './buffers.ts';
import { allLiveBytes, byBuffer, Clock, type LiveRange, liveRanges } from './live-ranges.ts';
import { isExchange, type Recipe, type Scheduled, touched, type Unscheduled, written } from './schedule.ts';
import { type Choices, type Comeback, type Entry, Scheduler, type Use } from './scheduler.ts';
import { Hot, type Profile, TriedSchedule } from './tried-schedule.ts';
import type { Weights } from './weights.ts';

// Which tensors give up their memory between two uses, so that all fits a limit: the search for what to recompute and spill.

/** One in so many of the candidates is taken at once. */
const TOGETHER = 12;

/** Tensors smaller than this share of the peak stay. */
const WORTHWHILE = 1 / 1024;

/** A schedule whose tensors fit, or the nearest to it that was found. */
export interface Fit {
  readonly list: readonly Entry[];
  /** Bytes in memory at the worst time, of the process with the most. */
  readonly peak: number;
  /** Seconds that recomputing and moving are expected to cost. */
  readonly seconds: number;
}

/** One way to free memory: the tensor leaves after the use before this one. */
interface Candidate {
  readonly use: Use;
  readonly how: Comeback;
  readonly seconds: number;
  readonly gain: number;
}

/** Searches schedules of a program whose processes each run some ranks. */
export class Fitter {
  private readonly input: Unscheduled;
  private readonly processRanks: readonly (readonly number[])[];
  private readonly bytesOf: (buffer: Buffer, rank: number) => number;
  private readonly scheduler: Scheduler;
  private readonly least: number;
  private readonly weights: Weights;
  private readonly recipeCosts = new Map<Recipe, number>();

  constructor(
    input: Unscheduled,
    processRanks: readonly (readonly number[])[],
    bytesOf: (buffer: Buffer, rank: number) => number,
    weights: Weights,
  ) {
    this.weights = weights;
    this.input = input;
    this.processRanks = processRanks;
    this.bytesOf = bytesOf;
    this.scheduler = new Scheduler(input);
    this.least = WORTHWHILE * this.plain().peak;
  }

  /** The steps in their order; tensors stay from their first use to their last. */
  plain(): Fit {
    return this.result(this.tried(new Map()));
  }

  /** Seconds that all kernels are expected to take once. */
  kernelsOnce(): number {
    return this.input.steps.reduce(
      (sum, step) => sum + (step.kind === 'kernel' ? this.weights.kernel(step) : 0),
      0,
    );
  }

  /** Bytes of what one step touches, of the step with the most: no schedule takes less. */
  largestStep(): number {
    const { steps, buffers, scratchOf } = this.input;
    const bytes = (step: Step, ranks: readonly number[]): number => {
      const scratch = step.kind === 'kernel' ? scratchOf(step) : undefined;
      return [...touched(step, buffers), ...(scratch ? [scratch] : [])].reduce(
        (sum, buffer) => sum + Math.max(...ranks.map((rank) => this.bytesOf(buffer, rank))),
        0,
      );
    };
    return Math.max(...this.processRanks.flatMap((ranks) => steps.map((step) => bytes(step, ranks))));
  }

  /**
   * Frees tensors one after the other, each time the one that takes most off the bytes above `aim` for the seconds that it
   * costs, until nothing is above `limit`; then takes back what was not needed in the end. Aiming lower than the limit finds
   * schedules that the straight way misses.
   */
  within(limit: number, aim = limit, ways: readonly Comeback[] = ['recompute', 'spill']): Fit {
    const choices = new Map<Use, Comeback>();
    const banned = { recompute: new Set<Use>(), spill: new Set<Use>() };
    let now = this.tried(choices);
    while (now.peak > limit) {
      const found = this.candidates(now, aim, choices)
        .filter(({ use, how }) => ways.includes(how) && !banned[how].has(use))
        .sort((a, b) => b.gain / b.seconds - a.gain / a.seconds);
      if (found.length === 0) break;
      // The best ones together, or the very best alone.
      const several = Math.ceil(found.length / TOGETHER);
      now =
        this.improved(now, aim, choices, found.slice(0, several)) ??
        this.improved(now, aim, choices, found.slice(0, 1)) ??
        now;
      if (!choices.has(found[0].use)) banned[found[0].how].add(found[0].use);
    }
    if (now.peak > limit) return this.result(now);
    for (const [use, how] of [...choices]) {
      choices.delete(use);
      const next = this.tried(choices);
      if (next.peak <= limit && this.seconds(next.list) <= this.seconds(now.list)) now = next;
      else choices.set(use, how);
    }
    return this.result(now);
  }

  /** The schedule with more choices, which are kept, if less is above the aim then. */
  private improved(
    now: TriedSchedule,
    aim: number,
    choices: Map<Use, Comeback>,
    added: readonly Candidate[],
  ): TriedSchedule | undefined {
    const fresh = added.filter(({ use }, i) => added.findIndex((other) => other.use === use) === i);
    for (const { use, how } of fresh) choices.set(use, how);
    const next = this.tried(choices);
    if (next.excess(aim) < now.excess(aim)) return next;
    for (const { use } of fresh) choices.delete(use);
    return undefined;
  }

  private tried(choices: Choices): TriedSchedule {
    const list = this.scheduler.schedule(choices);
    const clocks = this.processRanks.map((ranks) => new Clock(ranks, list));
    const lives = allLiveBytes(this.input, list, clocks, this.bytesOf);
    return new TriedSchedule(
      list,
      clocks.map((clock, i) => ({ clock, live: lives[i] })),
    );
  }

  private result({ list, peak }: TriedSchedule): Fit {
    return { list, peak, seconds: this.seconds(list) };
  }

  /** What the extra steps of a schedule cost. */
  private seconds(list: readonly Scheduled[]): number {
    let seconds = 0;
    for (const { step, again } of list) {
      if (step.kind === 'move' && (step.action === 'spill' || step.action === 'prefetch'))
        seconds += this.weights.move(step.buffer);
      if (again && step.kind === 'kernel') seconds += this.weights.kernel(step);
      if (again && step.kind === 'collective') seconds += this.weights.collective(step.node);
    }
    return seconds;
  }

  private candidates({ list, profiles }: TriedSchedule, limit: number, choices: Choices): Candidate[] {
    const profile = profiles.find(({ live }) => live.some((bytes) => bytes > limit));
    if (profile === undefined) return [];
    const hot = new Hot(profile, limit);
    const uses = this.uses(list);
    const rangesOf = byBuffer(liveRanges(this.input, list));
    const spilled = new Set([...choices].flatMap(([{ buffer }, how]) => (how === 'spill' ? [buffer] : [])));
    const found: Candidate[] = [];
    for (const [buffer, ranges] of rangesOf) {
      if (buffer.variable !== undefined || this.weights.total(buffer) < this.least) continue;
      const recipe = this.scheduler.recipes.get(buffer);
      for (const { from, to } of gaps(ranges, uses.get(buffer) ?? [])) {
        const { step, uses: here } = list[to];
        if (step.kind === 'move' || this.writes(step, buffer)) continue;
        const use = here.find((one) => one.buffer === buffer)!;
        if (choices.has(use)) continue;
        const freed = this.shrunk(profile, hot, limit, buffer, from, to);
        if (freed <= 0) continue;
        const moves = (spilled.has(buffer) ? 1 : 2) * this.weights.move(buffer);
        found.push({ use, how: 'spill', seconds: moves, gain: freed });
        if (recipe === undefined) continue;
        // What the kernel reads must stay, or come, until it runs again.
        let kept = 0;
        for (const source of touched(recipe.kernel, this.input.buffers)) {
          if (source === buffer || source.variable !== undefined) continue;
          const before = lastBefore(uses.get(source) ?? [], to);
          const still = rangesOf.get(source)!.some((s) => s.from < to && s.to >= to);
          if (!still) kept += this.grown(profile, limit, source, before, to);
        }
        const seconds = this.recipeSeconds(recipe);
        found.push({ use, how: 'recompute', seconds, gain: freed - kept });
      }
    }
    return found.filter(({ gain }) => gain > 0);
  }

  /** Places at which each buffer is used, ascending. */
  private uses(list: readonly Entry[]): Map<Buffer, number[]> {
    const found = new Map<Buffer, number[]>();
    list.forEach(({ uses }, place) => {
      for (const { buffer } of uses) {
        const known = found.get(buffer);
        if (known) known.push(place);
        else found.set(buffer, [place]);
      }
    });
    return found;
  }

  private writes(step: Scheduled['step'], buffer: Buffer): boolean {
    return isExchange(step) || written(step, this.input.buffers).includes(buffer);
  }

  /** What the bytes above the limit shrink by when a tensor goes, summed over all times strictly between two places. */
  private shrunk(
    { clock, live, weight }: Profile,
    hot: Hot,
    limit: number,
    buffer: Buffer,
    from: number,
    to: number,
  ): number {
    let sum = 0;
    for (const [turn, rank] of clock.ranks.entries()) {
      const bytes = this.bytesOf(buffer, rank);
      const end = hot.from(clock.time(to, turn));
      for (let i = hot.from(clock.time(from, turn) + 1); i < end; i++) {
        const time = hot.times[i];
        sum += weight[time] * Math.min(bytes, live[time] - limit);
      }
    }
    return sum;
  }

  /** What the bytes above the limit grow by when a tensor stays. */
  private grown(profile: Profile, limit: number, buffer: Buffer, from: number, to: number): number {
    const { clock, live, weight } = profile;
    let sum = 0;
    for (const [turn, rank] of clock.ranks.entries()) {
      const bytes = this.bytesOf(buffer, rank);
      const end = clock.time(to, turn);
      for (let time = clock.time(from, turn) + 1; time < end; time++) {
        const above = live[time] + bytes - limit;
        if (above > 0) sum += weight[time] * (above - Math.max(0, live[time] - limit));
      }
    }
    return sum;
  }

  private recipeSeconds(recipe: Recipe): number {
    let seconds = this.recipeCosts.get(recipe);
    if (seconds === undefined) {
      seconds = recipe.exchanges.reduce(
        (sum, step) => sum + (step.kind === 'collective' ? this.weights.collective(step.node) : 0),
        this.weights.kernel(recipe.kernel),
      );
      this.recipeCosts.set(recipe, seconds);
    }
    return seconds;
  }
}

/** The last of ascending places that is before one; -1 where none is. */
function lastBefore(places: readonly number[], place: number): number {
  let at = places.length - 1;
  while (at >= 0 && places[at] >= place) at--;
  return at < 0 ? -1 : places[at];
}

/** Pairs of consecutive uses within one live range with something between them. Inputs are there from -1. */
function gaps(ranges: readonly LiveRange[], uses: readonly number[]): { from: number; to: number }[] {
  return ranges.flatMap(({ from, to }) => {
    const inside = uses.filter((place) => place >= from && place <= to);
    const places = from < 0 ? [-1, ...inside] : inside;
    return places
      .slice(1)
      .flatMap((place, i) => (place - places[i] > 1 ? [{ from: places[i], to: place }] : []));
  });
}
