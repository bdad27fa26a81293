import { nodeBytes } from '../program.ts';
import type { Buffer } from './buffers.ts';
import { type Profile, State } from './fit-state.ts';
import { Clock, liveBytes, type Residency, residencies } from './lifetimes.ts';
import {
  type Comeback,
  choiceKey,
  isExchange,
  type Recipe,
  recipes,
  type Scheduled,
  schedule,
  touched,
  type Unscheduled,
} from './schedule.ts';
import { kernelSeconds, SPEED } from './speed.ts';

// Which tensors give up their memory between two uses, so that all fits a limit: the search for what to recompute and spill.

/** What a time counts at which an extra step runs: adding one must not look like a loss. */
const EXTRA = 0.1;

/** One in so many of the candidates is taken at once. */
const TOGETHER = 12;

/** Tensors smaller than this share of the peak stay. */
const WORTHWHILE = 1 / 1024;

/** A schedule whose tensors fit, or the nearest to it that was found. */
export interface Fit {
  readonly list: readonly Scheduled[];
  /** Bytes in memory at the worst time, of the process with the most. */
  readonly peak: number;
  /** Seconds that recomputing and moving are expected to cost. */
  readonly seconds: number;
}

/** One way to free memory: `buffer` leaves after `from` and comes back for the use `id` at place `to`. */
interface Candidate {
  readonly key: string;
  readonly how: Comeback;
  readonly seconds: number;
  readonly gain: number;
}

/** Searches schedules of a program whose processes each run some ranks. */
export class Fitter {
  private readonly input: Unscheduled;
  private readonly hosts: readonly (readonly number[])[];
  private readonly bytesOf: (buffer: Buffer, rank: number) => number;
  private readonly recipes: ReadonlyMap<Buffer, Recipe>;
  private readonly least: number;
  private readonly kernelCosts = new Map<Recipe['kernel'], number>();

  constructor(
    input: Unscheduled,
    hosts: readonly (readonly number[])[],
    bytesOf: (buffer: Buffer, rank: number) => number,
  ) {
    this.input = input;
    this.hosts = hosts;
    this.bytesOf = bytesOf;
    this.recipes = recipes(input);
    this.least = WORTHWHILE * this.plain().peak;
  }

  /** The steps in their order; tensors stay from their first use to their last. */
  plain(): Fit {
    return this.result(this.state(new Map()));
  }

  /** Seconds that all kernels are expected to take once. */
  kernelsOnce(): number {
    return this.input.steps.reduce(
      (sum, step) => sum + (step.kind === 'kernel' ? this.kernelSeconds(step) : 0),
      0,
    );
  }

  /** Bytes of what one step touches, of the step with the most: no schedule takes less. */
  largestStep(): number {
    const { steps, buffers } = this.input;
    const bytes = (step: Scheduled['step'], ranks: readonly number[]): number =>
      touched(step, buffers).reduce(
        (sum, buffer) => sum + Math.max(...ranks.map((rank) => this.bytesOf(buffer, rank))),
        0,
      );
    return Math.max(...this.hosts.flatMap((ranks) => steps.map((step) => bytes(step, ranks))));
  }

  /**
   * Frees tensors one after the other, each time the one that takes most off the bytes above `aim` for the seconds that it
   * costs, until nothing is above `limit`; then takes back what was not needed in the end. Aiming lower than the limit finds
   * schedules that the straight way misses.
   */
  within(limit: number, aim = limit, ways: readonly Comeback[] = ['recompute', 'spill']): Fit {
    const choices = new Map<string, Comeback>();
    const banned = new Set<string>();
    let now = this.state(choices);
    while (now.peak > limit) {
      const found = this.candidates(now, aim, choices)
        .filter(({ key, how }) => ways.includes(how) && !banned.has(`${key} ${how}`))
        .sort((a, b) => b.gain / b.seconds - a.gain / a.seconds);
      if (found.length === 0) break;
      // The best ones together, or the very best alone.
      const several = Math.ceil(found.length / TOGETHER);
      now =
        this.improved(now, aim, choices, found.slice(0, several)) ??
        this.improved(now, aim, choices, found.slice(0, 1)) ??
        now;
      if (!choices.has(found[0].key)) banned.add(`${found[0].key} ${found[0].how}`);
    }
    if (now.peak > limit) return this.result(now);
    for (const [key, how] of [...choices]) {
      choices.delete(key);
      const next = this.state(choices);
      if (next.peak <= limit && this.seconds(next.list) <= this.seconds(now.list)) now = next;
      else choices.set(key, how);
    }
    return this.result(now);
  }

  /** The state with more choices, which are kept, if less is above the aim then. */
  private improved(
    now: State,
    aim: number,
    choices: Map<string, Comeback>,
    added: readonly Candidate[],
  ): State | undefined {
    const fresh = added.filter(({ key }, i) => added.findIndex((other) => other.key === key) === i);
    for (const { key, how } of fresh) choices.set(key, how);
    const next = this.state(choices);
    if (next.excess(aim) < now.excess(aim)) return next;
    for (const { key } of fresh) choices.delete(key);
    return undefined;
  }

  private state(choices: ReadonlyMap<string, Comeback>): State {
    const list = schedule(this.input, this.recipes, choices);
    const stays = residencies(this.input, list);
    const profiles = this.hosts.map((ranks) => {
      const clock = new Clock(ranks, list);
      const weight = new Float64Array(clock.end + 1).fill(1);
      list.forEach(({ step, again }, place) => {
        if (!again && step.kind !== 'move') return;
        for (const turn of ranks.keys()) weight[clock.time(place, turn)] = EXTRA;
      });
      return { clock, live: liveBytes(clock, [...stays.values()].flat(), this.bytesOf), weight };
    });
    return new State(list, stays, profiles);
  }

  private result({ list, peak }: State): Fit {
    return { list, peak, seconds: this.seconds(list) };
  }

  /** What the extra steps of a schedule cost. */
  private seconds(list: readonly Scheduled[]): number {
    let seconds = 0;
    for (const { step, again } of list) {
      if (step.kind === 'move' && (step.action === 'spill' || step.action === 'fetch'))
        seconds += (SPEED.unhidden * this.total(step.buffer)) / SPEED.store;
      if (again && step.kind === 'kernel') seconds += this.kernelSeconds(step);
      if (again && step.kind === 'collective') seconds += nodeBytes(step.node) / SPEED.network;
    }
    return seconds;
  }

  private candidates(
    { list, stays, profiles }: State,
    limit: number,
    choices: ReadonlyMap<string, Comeback>,
  ): Candidate[] {
    const profile = profiles.find((p) => p.live.some((bytes) => bytes > limit));
    if (profile === undefined) return [];
    const uses = this.uses(list);
    // How much the bytes above the limit shrink when a tensor goes, and grow when one stays.
    const above = (bytes: number): number => Math.max(0, bytes - limit);
    const shrunk = (live: number, bytes: number): number => Math.min(bytes, above(live));
    const grown = (live: number, bytes: number): number => above(live + bytes) - above(live);
    const spilled = new Set(
      [...choices].filter(([, how]) => how === 'spill').map(([key]) => key.split('@')[0]),
    );
    const found: Candidate[] = [];
    for (const [buffer, stay] of stays) {
      const total = this.total(buffer);
      if (buffer.variable !== undefined || total < this.least) continue;
      const stored = spilled.has(String(buffer.id));
      for (const { from, to } of gaps(stay, uses.get(buffer) ?? [])) {
        const { step, id } = list[to];
        if (step.kind === 'move' || this.writes(step, buffer)) continue;
        const key = choiceKey(buffer, id);
        if (choices.has(key)) continue;
        const freed = this.between(profile, buffer, from, to, shrunk);
        if (freed <= 0) continue;
        const moved = ((stored ? 1 : 2) * SPEED.unhidden * total) / SPEED.store;
        found.push({ key, how: 'spill', seconds: moved, gain: freed });
        const recipe = this.recipes.get(buffer);
        if (recipe === undefined) continue;
        // What the kernel reads must stay, or come, until it runs again.
        let kept = 0;
        for (const source of touched(recipe.kernel, this.input.buffers)) {
          if (source === buffer || source.variable !== undefined) continue;
          const before = (uses.get(source) ?? []).filter((place) => place < to).pop() ?? -1;
          const still = stays.get(source)!.some((s) => s.from < to && s.to >= to);
          if (!still) kept += this.between(profile, source, before, to, grown);
        }
        found.push({
          key,
          how: 'recompute',
          seconds: this.recipeSeconds(recipe),
          gain: freed - kept,
        });
      }
    }
    return found.filter(({ gain }) => gain > 0);
  }

  /** Places at which each buffer is used, ascending. */
  private uses(list: readonly Scheduled[]): Map<Buffer, number[]> {
    const uses = new Map<Buffer, number[]>();
    list.forEach(({ step }, place) => {
      for (const buffer of touched(step, this.input.buffers)) {
        const known = uses.get(buffer);
        if (known) known.push(place);
        else uses.set(buffer, [place]);
      }
    });
    return uses;
  }

  private writes(step: Scheduled['step'], buffer: Buffer): boolean {
    return isExchange(step) || step.writes.some((value) => this.input.buffers.get(value) === buffer);
  }

  /** `change` of the bytes in memory when those of a buffer come or go, summed over all times strictly between two places. */
  private between(
    { clock, live, weight }: Profile,
    buffer: Buffer,
    from: number,
    to: number,
    change: (live: number, bytes: number) => number,
  ): number {
    let sum = 0;
    clock.ranks.forEach((rank, turn) => {
      const bytes = this.bytesOf(buffer, rank);
      for (let time = clock.time(from, turn) + 1; time < clock.time(to, turn); time++)
        sum += weight[time] * change(live[time], bytes);
    });
    return sum;
  }

  private recipeSeconds({ kernel, exchanges }: Recipe): number {
    const bytes = exchanges.reduce(
      (sum, step) => sum + (step.kind === 'collective' ? nodeBytes(step.node) : 0),
      0,
    );
    return this.kernelSeconds(kernel) + bytes / SPEED.network;
  }

  private kernelSeconds(kernel: Recipe['kernel']): number {
    const known = this.kernelCosts.get(kernel);
    if (known !== undefined) return known;
    const seconds = kernelSeconds(kernel, this.hosts[0], this.bytesOf, this.input.buffers);
    this.kernelCosts.set(kernel, seconds);
    return seconds;
  }

  private total(buffer: Buffer): number {
    return this.hosts[0].reduce((sum, rank) => sum + this.bytesOf(buffer, rank), 0);
  }
}

/** Pairs of consecutive uses within one stay with something between them. Inputs are there from -1. */
function gaps(stays: readonly Residency[], uses: readonly number[]): { from: number; to: number }[] {
  return stays.flatMap(({ from, to }) => {
    const inside = uses.filter((place) => place >= from && place <= to);
    const places = from < 0 ? [-1, ...inside] : inside;
    return places
      .slice(1)
      .flatMap((place, i) => (place - places[i] > 1 ? [{ from: places[i], to: place }] : []));
  });
}
