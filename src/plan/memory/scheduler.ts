import type { Step } from '../fusion/kernel.ts';
import type { Buffer } from './buffers.ts';
import {
  type MoveStep,
  type PlanStep,
  type Recipe,
  recipes,
  type Scheduled,
  touched,
  type Unscheduled,
  written,
} from './schedule.ts';

/** How a tensor comes back for a use. */
export type Comeback = 'recompute' | 'spill';

/** A step where it runs, and the tensors that it uses there. There is one of each place and manner, whatever else is chosen. */
export interface Entry extends Scheduled {
  readonly uses: readonly Use[];
}

/** A tensor and a step that uses it. */
export interface Use {
  readonly buffer: Buffer;
  readonly entry: Entry;
  /** Whether the tensor comes into memory here although it was there before: it is fetched, or made again. */
  readonly begins: boolean;
}

/** Tensors that give up their memory after the use before this one, and come back for it. */
export type Choices = ReadonlyMap<Use, Comeback>;

/** Steps that bring a tensor back for a use: its kernel first, then the exchanges that fill its margins; or its moves. */
interface Returns {
  readonly prefetches: readonly Entry[];
  readonly kernel?: Entry;
  readonly exchanges: readonly Entry[];
}

/** Writes down schedules of one program for sets of choices. */
export class Scheduler {
  readonly recipes: ReadonlyMap<Buffer, Recipe>;
  private readonly input: Unscheduled;
  private readonly entries: readonly Entry[];
  private readonly returns = new Map<Use, Returns>();

  constructor(input: Unscheduled) {
    this.input = input;
    this.recipes = recipes(input);
    this.entries = input.steps.map((step, i) => this.entry(step, String(i), false));
  }

  /** The steps in order, with what the choices ask for. Spills follow the last use before the tensor first goes. */
  schedule(choices: Choices): readonly Entry[] {
    if (choices.size === 0) return this.entries;
    const list: Entry[] = [];
    /** Last place at which each buffer was touched, and after which place each stored one is spilled. */
    const last: number[] = [];
    const spills = new Map<Buffer, number>();
    const returning = new Set([...choices.keys()].map(({ entry }) => entry));
    const push = (entry: Entry): void => {
      for (const { buffer } of entry.uses) last[buffer.index] = list.length;
      list.push(entry);
    };
    const emit = (entry: Entry): void => {
      for (const use of returning.has(entry) ? entry.uses : []) {
        const how = choices.get(use);
        if (how === undefined) continue;
        const { prefetches, kernel, exchanges } = this.returnsFor(use);
        if (how === 'spill') {
          if (!spills.has(use.buffer)) spills.set(use.buffer, last[use.buffer.index] ?? -1);
          prefetches.forEach(push);
        } else {
          emit(kernel!);
          exchanges.forEach(push);
        }
      }
      push(entry);
    };
    this.entries.forEach(emit);
    if (spills.size === 0) return list;
    const after = new Map<number, Buffer[]>();
    for (const [buffer, place] of spills) after.set(place, [...(after.get(place) ?? []), buffer]);
    const all: Entry[] = [];
    for (let place = -1; place < list.length; place++) {
      if (place >= 0) all.push(list[place]);
      for (const buffer of after.get(place) ?? [])
        for (const action of ['spill', 'settle'] as const)
          all.push(this.entry(move(action, buffer), `after ${place}`, false));
    }
    return all;
  }

  private returnsFor(use: Use): Returns {
    const known = this.returns.get(use);
    if (known !== undefined) return known;
    const { buffer, entry } = use;
    const recipe = this.recipes.get(buffer);
    const again = (step: Step): Entry => this.entry(step, `${entry.id}<%${buffer.id}`, true);
    const made: Returns = {
      prefetches: [
        this.entry(move('prefetch', buffer), entry.id, false),
        this.entry(move('arrive', buffer), entry.id, false),
      ],
      kernel: recipe && again(recipe.kernel),
      exchanges: recipe?.exchanges.map(again) ?? [],
    };
    this.returns.set(use, made);
    return made;
  }

  private entry(step: PlanStep, id: string, again: boolean): Entry {
    const { buffers, scratchOf } = this.input;
    const scratch = step.kind === 'kernel' ? scratchOf(step) : undefined;
    const uses: Use[] = [];
    const entry = { step, id, again, uses, ...(scratch && { scratch }) };
    for (const buffer of touched(step, buffers)) {
      const begins =
        step.kind === 'move'
          ? step.action === 'prefetch'
          : again && step.kind === 'kernel' && written(step, buffers).includes(buffer);
      uses.push({ buffer, entry, begins });
    }
    if (scratch) uses.push({ buffer: scratch, entry, begins: true });
    return entry;
  }
}

const move = (action: MoveStep['action'], buffer: Buffer): MoveStep => ({
  kind: 'move',
  action,
  buffer,
  reads: [],
  writes: [],
});
