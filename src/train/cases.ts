import { fail } from '../core/index.ts';
import {
  type Case,
  type Dataset,
  loadCase,
  type PreparedCase,
  type PrepareOptions,
  RandomStream,
} from '../imaging/index.ts';
import type { TrainConfig } from './config.ts';

/** What a run trains on, and what it only looks at. */
export interface ChosenCases {
  readonly training: readonly Case[];
  readonly validation: readonly Case[];
  /** Names of label values 0, 1, 2... */
  readonly classes: readonly string[];
}

/** Marks the random numbers of this file. */
const ORDER = 1;
const HELD_OUT = 2;

/** Divides the cases of a data set as the config says. Throws HalomeshError where it cannot. */
export function chooseCases(
  dataset: Dataset,
  { validation, seed, classes: given }: Pick<TrainConfig, 'validation' | 'seed' | 'classes'>,
): ChosenCases {
  const { cases } = dataset;
  const classes = given ?? dataset.labelNames;
  if (classes === undefined || classes.length < 2)
    return fail({
      where: dataset.dir,
      problem: 'the data set does not name at least two labels',
      hint: 'Give "labels" in its dataset.json, or "classes" in the config: ["background", "liver"]',
    });
  if (cases.length === 0)
    fail({
      where: dataset.dir,
      problem: 'has no case with a label map',
      expected: 'at least one to train on',
    });
  const heldOut = new Set(
    typeof validation === 'number' ? drawIds(cases, validation, seed) : knownIds(dataset, validation ?? []),
  );
  const training = cases.filter(({ id }) => !heldOut.has(id));
  if (training.length === 0)
    fail({
      where: 'config "validation"',
      problem: `expected a case left to train on, found all ${cases.length} held out`,
    });
  // Label maps are checked against these names when they are read.
  const named = (list: readonly Case[]): Case[] => list.map((entry) => ({ ...entry, labelNames: classes }));
  return { training: named(training), validation: named(cases.filter(({ id }) => heldOut.has(id))), classes };
}

function drawIds(cases: readonly Case[], share: number, seed: number): string[] {
  const count = Math.max(1, Math.round(cases.length * share));
  return permutation(cases.length, seed, HELD_OUT)
    .slice(0, count)
    .map((i) => cases[i].id);
}

function knownIds({ cases }: Dataset, ids: readonly string[]): readonly string[] {
  for (const id of ids)
    if (!cases.some((entry) => entry.id === id))
      fail({
        where: 'config "validation"',
        problem: `expected case ids (${cases.map((entry) => entry.id).join(', ')}), found "${id}"`,
      });
  return ids;
}

/** 0 to count - 1 in an order drawn from the keys (Fisher and Yates). */
export function permutation(count: number, ...keys: readonly number[]): number[] {
  const random = new RandomStream(...keys);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const k = Math.floor(random.uniform() * (i + 1));
    [order[i], order[k]] = [order[k], order[i]];
  }
  return order;
}

/** The order in which cases are trained on: a new permutation of all for each epoch, the same for the same seed. */
export class CaseOrder {
  private readonly count: number;
  private readonly seed: number;
  private epoch = -1;
  private order: readonly number[] = [];

  constructor(count: number, seed: number) {
    this.count = count;
    this.seed = seed;
  }

  /** The case at a position (0, 1, 2...) of the endless sequence of epochs. */
  at(position: number): number {
    const epoch = this.epochOf(position);
    if (epoch !== this.epoch) {
      this.order = permutation(this.count, this.seed, ORDER, epoch);
      this.epoch = epoch;
    }
    return this.order[position % this.count];
  }

  /** Whole passes before a position. */
  epochOf(position: number): number {
    return Math.floor(position / this.count);
  }
}

/** Prepared cases that stay in memory, bytes at most. */
export const CASE_BYTES = 2 * 2 ** 30;

/** Prepared cases, kept in memory up to a number of bytes; the one unused for longest is read again when it is needed. */
export class CaseStore {
  private readonly options: PrepareOptions;
  private readonly limitBytes: number;
  private readonly kept = new Map<string, PreparedCase>();

  constructor(options: PrepareOptions, limitBytes = CASE_BYTES) {
    this.options = options;
    this.limitBytes = limitBytes;
  }

  async get(entry: Case): Promise<PreparedCase> {
    const prepared = this.kept.get(entry.image) ?? (await loadCase(entry, this.options));
    // A map runs in the order of insertion: the first is the one unused for longest.
    this.kept.delete(entry.image);
    this.kept.set(entry.image, prepared);
    for (const [image, old] of this.kept) {
      if (this.bytes <= this.limitBytes || old === prepared) break;
      this.kept.delete(image);
    }
    return prepared;
  }

  /** Bytes of the cases in memory. */
  get bytes(): number {
    let sum = 0;
    for (const { image, labels } of this.kept.values()) sum += image.byteLength + (labels?.byteLength ?? 0);
    return sum;
  }
}
