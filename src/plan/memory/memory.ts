import { fail } from '../../core/index.ts';
import { type Target, wholeBytes } from '../target.ts';
import type { Buffer } from './buffers.ts';
import { type Fit, Fitter } from './fit.ts';
import { EXACTNESS, sayableLimit, showLimit } from './limit-words.ts';
import { byBuffer, Clock, type LiveRange, liveBytes, liveRanges } from './live-ranges.ts';
import { packArena } from './place.ts';
import type { Scheduled, Unscheduled } from './schedule.ts';
import type { Entry } from './scheduler.ts';
import { highest } from './tried-schedule.ts';
import { Weights } from './weights.ts';
import { widen } from './widen.ts';

/** Place of one live range of a buffer in the arenas, in bytes. Arrays run over ranks. */
export interface Placement extends LiveRange {
  readonly offsets: readonly number[];
  readonly bytes: readonly number[];
}

/** Place of a spilled buffer in the spill file, in bytes. */
export interface SpillPlace {
  readonly offsets: readonly number[];
}

export interface MemoryPlan {
  /** Steps in the order in which they run. */
  readonly list: readonly Scheduled[];
  /** Stays of every buffer that lies in an arena, in order. */
  readonly placements: ReadonlyMap<Buffer, readonly Placement[]>;
  readonly spilled: ReadonlyMap<Buffer, SpillPlace>;
  /** Ranks of each process. */
  readonly processRanks: readonly (readonly number[])[];
  /** Bytes of each process's arena, and of its part of the spill file. */
  readonly arenaBytes: readonly number[];
  readonly spillBytes: readonly number[];
  /** Bytes that each rank has in its arena at most, at one time. */
  readonly rankBytes: readonly number[];
  /** Bytes of each rank's variables, which live outside the arena. */
  readonly variableBytes: readonly number[];
  /** Seconds that recomputing and moving are expected to cost. */
  readonly extraSeconds: number;
}

/** How memory is planned. */
export interface MemoryOptions {
  /** Ranks of each process; they run in turn and share an arena. By default all ranks are in one process. */
  readonly processRanks?: readonly (readonly number[])[];
  /** Bytes that a process may take at most: its arena, its variables and `fixedBytes`. */
  readonly limit?: number;
  /** Whether a limit that is hard to meet is worth a long search; true by default. */
  readonly thorough?: boolean;
  /** Bytes that a process takes beside arena and variables. */
  readonly fixedBytes?: number;
}

/** Smaller tensors are not worth a search for gaps, bytes. */
const SMALL = 2 ** 12;

/**
 * Without a limit: peaks that are tried, as shares of the peak without recomputing, how much of the time recomputing may take,
 * and from which peak on it is worth a search, in bytes.
 */
const THRIFT = { shares: [0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95], cost: 0.02, from: 2 ** 26 };

/** Times that a lower target is tried because tensors do not pack without gaps. */
const TRIES = 8;
/** Shares of a limit that schedules are searched with. */
const AIMS = [1, 0.9, 0.75];

/**
 * What runs when, and where every tensor lies: a stay in memory takes the lowest gap of the arena that is free all that time;
 * large ones choose first. Inputs are there from the start, outputs to the end. Where a limit asks for it, tensors are
 * recomputed and spilled. A limit that cannot be met raises an error with the smallest that can.
 */
export class MemoryPlanner {
  private readonly input: Unscheduled;
  private readonly processRanks: readonly (readonly number[])[];
  private readonly ranks: readonly number[];
  private readonly buffers: readonly Buffer[];
  /** Bytes by buffer and rank, as they are asked for. */
  private readonly sizes: (readonly number[])[] = [];
  private readonly target: Target;
  private readonly weights: Weights;
  private readonly fitter: Fitter;
  /** The plan without a limit, once it was asked for. */
  private cheapest: MemoryPlan | undefined;

  constructor(input: Unscheduled, target: Target, processRanks?: readonly (readonly number[])[]) {
    this.input = input;
    this.ranks = Array.from({ length: input.program.mesh.size }, (_, rank) => rank);
    this.processRanks = processRanks ?? [this.ranks];
    this.buffers = [...new Set(input.buffers.values())];
    this.target = target;
    this.weights = new Weights(target, this.processRanks[0], this.arenaBytes, input.buffers);
    this.fitter = new Fitter(input, this.processRanks, this.arenaBytes, this.weights);
  }

  plan({ limit, fixedBytes = 0, thorough = true }: MemoryOptions): MemoryPlan {
    if (limit === undefined) return this.place(this.thrifty());
    const beside = this.beside(fixedBytes);
    const room = limit - beside;
    const found = this.within(room) ?? (thorough ? this.smallest() : undefined);
    // Schedules are searched for by rules of thumb, which may meet a lower limit and miss a higher one.
    if (found !== undefined && this.largest(found) <= room) return found;
    // What was not searched for is only known to be no less than the largest step takes.
    const expected =
      found === undefined
        ? `at least ${showLimit(beside + this.fitter.largestStep())}, perhaps more`
        : `at least ${showLimit(beside + this.largest(found))}`;
    return fail({
      where: 'memory limit',
      problem: 'the program does not fit',
      expected,
      found: showLimit(limit),
      hint: 'Raise --memory-limit, cut the volume into more parts with --split, or use --precision bf16',
    });
  }

  /** The smallest limit that can be met beside `fixedBytes`, bytes; undefined where it is above `below`. */
  least(fixedBytes: number, below = Number.POSITIVE_INFINITY): number | undefined {
    const beside = this.beside(fixedBytes);
    const found = this.smallest(below - beside);
    return found && sayableLimit(beside + this.largest(found));
  }

  /** The plan with the smallest arena that is found by halving; undefined where none takes at most `room` bytes. */
  private smallest(room = Number.POSITIVE_INFINITY): MemoryPlan | undefined {
    let best = this.within(room);
    let low = this.fitter.largestStep();
    while (best !== undefined && this.largest(best) - low > EXACTNESS * low) {
      const middle = (low + this.largest(best)) / 2;
      const found = this.within(middle);
      if (found === undefined) low = middle;
      else best = found;
    }
    return best;
  }

  /** Bytes of the process with the most beside its arena. */
  private beside(fixedBytes: number): number {
    return fixedBytes + this.most(this.variableBytes());
  }

  /** What hardly costs anything to recompute is recomputed where that lowers the peak. */
  private thrifty(): Fit {
    const plain = this.fitter.plain();
    if (plain.peak < THRIFT.from) return plain;
    const affordable = THRIFT.cost * this.fitter.kernelsOnce();
    for (const share of THRIFT.shares) {
      const fit = this.fitter.within(share * plain.peak, share * plain.peak, ['recompute']);
      if (fit.peak <= share * plain.peak && fit.seconds <= affordable) return fit;
    }
    return plain;
  }

  /** A plan whose arenas take at most `room` bytes. */
  private within(room: number): MemoryPlan | undefined {
    if (room < this.fitter.largestStep()) return undefined;
    this.cheapest ??= this.place(this.thrifty());
    if (this.largest(this.cheapest) <= room) return this.cheapest;
    let target = room;
    for (let tries = 0; tries < TRIES && target > 0; tries++) {
      const fit = this.fitted(target);
      if (fit === undefined) return undefined;
      const wide = this.place({ ...fit, list: this.widened(fit, target) });
      if (this.largest(wide) <= room) return wide;
      const tight = this.place(fit);
      if (this.largest(tight) <= room) return tight;
      target -= this.largest(tight) - room;
    }
    return undefined;
  }

  /** The cheapest schedule that was found with at most `limit` bytes at any time. */
  private fitted(limit: number): Fit | undefined {
    const fits = AIMS.map((share) => this.fitter.within(limit, share * limit));
    return fits.filter(({ peak }) => peak <= limit).sort((a, b) => a.seconds - b.seconds)[0];
  }

  private widened(fit: Fit, limit: number): readonly Entry[] {
    const [{ bytesPerSecond }] = this.target.spaces.tiers;
    return widen(
      this.input,
      this.processRanks,
      this.arenaBytes,
      fit.list,
      limit,
      this.weights,
      bytesPerSecond,
    );
  }

  /** Offsets for every live range, and for every spilled tensor in the spill file. */
  private place({ list, seconds }: Fit): MemoryPlan {
    const ranges = byBuffer(liveRanges(this.input, list));
    const inArena = [...ranges.values()].flat().filter(({ buffer }) => buffer.variable === undefined);
    const zeros = () => new Array<number>(this.ranks.length).fill(0);
    const offsets = new Map(inArena.map((range) => [range, zeros()]));
    const spans = spilled(list);
    const stored = new Map([...spans].map(([buffer]) => [buffer, zeros()]));
    const arenaBytes: number[] = [];
    const spillBytes: number[] = [];
    for (const ranks of this.processRanks) {
      const clock = new Clock(ranks, list);
      arenaBytes.push(
        this.pack(
          clock,
          inArena.map((range) => ({ ...range, into: offsets.get(range)! })),
        ),
      );
      spillBytes.push(
        this.pack(
          clock,
          [...spans].map(([buffer, span]) => ({ buffer, ...span, into: stored.get(buffer)! })),
        ),
      );
    }
    const placements = new Map<Buffer, Placement[]>();
    for (const range of inArena) {
      const placed = { ...range, offsets: offsets.get(range)!, bytes: this.sizesOf(range.buffer) };
      placements.set(range.buffer, [...(placements.get(range.buffer) ?? []), placed]);
    }
    const alone = (rank: number): number => {
      return highest(liveBytes(new Clock([rank], list), inArena, this.arenaBytes));
    };
    return {
      list,
      placements,
      spilled: new Map([...stored].map(([buffer, places]) => [buffer, { offsets: places }])),
      processRanks: this.processRanks,
      arenaBytes,
      spillBytes,
      rankBytes: this.ranks.map(alone),
      variableBytes: this.variableBytes(),
      extraSeconds: seconds,
    };
  }

  /** Packs spans of all ranks of a process; small ones lie behind the others, each with room of its own for all time. */
  private pack(
    clock: Clock,
    spans: readonly { buffer: Buffer; from: number; to: number; into: number[] }[],
  ): number {
    const items = clock.ranks.flatMap((rank, turn) =>
      spans.map(({ buffer, from, to, into }) => ({
        bytes: this.sizesOf(buffer)[rank],
        birth: clock.time(from, turn),
        death: clock.time(to, turn),
        rank,
        into,
      })),
    );
    const large = items.filter(({ bytes }) => bytes >= SMALL);
    const { offsets, total } = packArena(large);
    large.forEach(({ rank, into }, i) => {
      into[rank] = offsets[i];
    });
    let end = total;
    for (const { bytes, rank, into } of items)
      if (bytes < SMALL) {
        into[rank] = end;
        end += bytes;
      }
    return end;
  }

  private readonly arenaBytes = (buffer: Buffer, rank: number): number =>
    buffer.variable === undefined ? this.sizesOf(buffer)[rank] : 0;

  /** Bytes by rank. */
  private sizesOf({ index, format, boxes }: Buffer): readonly number[] {
    this.sizes[index] ??= boxes.map((box) => wholeBytes(this.target.spaces.tensors, format.bytes(box)));
    return this.sizes[index];
  }

  private variableBytes(): number[] {
    const variables = this.buffers.filter(({ variable }) => variable !== undefined);
    return this.ranks.map((rank) => variables.reduce((sum, buffer) => sum + this.sizesOf(buffer)[rank], 0));
  }

  /** What the process with the most of something has, given per rank. */
  private most(perRank: readonly number[]): number {
    return Math.max(...this.processRanks.map((ranks) => ranks.reduce((sum, rank) => sum + perRank[rank], 0)));
  }

  private largest({ arenaBytes }: MemoryPlan): number {
    return Math.max(...arenaBytes);
  }
}

/** From its spill to its last prefetch, for every buffer that is spilled. */
function spilled(list: readonly Scheduled[]): Map<Buffer, { from: number; to: number }> {
  const spans = new Map<Buffer, { from: number; to: number }>();
  list.forEach(({ step }, place) => {
    if (step.kind !== 'move') return;
    const from = spans.get(step.buffer)?.from ?? place;
    spans.set(step.buffer, { from, to: place });
  });
  return spans;
}
