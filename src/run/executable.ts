import { fail, isEmpty } from '../core/index.ts';
import { yieldToEvents } from '../machine/event-loop.ts';
import type {
  Begun,
  Device,
  HostArray,
  Launch,
  Memory,
  Spill,
  Tensor,
  Ticket,
  World,
} from '../machine/index.ts';
import {
  type AllReducePlan,
  type Buffer,
  type CollectiveStep,
  type InFlight,
  type LocalValue,
  type MoveStep,
  type Plan,
  type PlanStep,
  readyLoops,
} from '../plan/index.ts';
import { type Action, launching, Recordings } from './actions.ts';
import { type Feed, feedWrites } from './host-parts.ts';
import { type Binding, prepareKernels } from './prepare.ts';
import { type CollectiveMember, RankTensors } from './rank-tensors.ts';
import { Teller } from './teller.ts';
import type { Tracer } from './tracer.ts';

/** A plan bound to the memory of one rank. */
export class Executable {
  readonly plan: Plan;
  readonly rank: number;
  private readonly device: Device;
  /** Owner of the launch arguments. */
  private readonly own: Memory;
  private readonly tensors: RankTensors;
  private readonly launches: ReadonlyMap<number, Launch>;
  /** What is done at every place of the schedule. */
  private readonly actions: readonly (readonly Action[])[];
  private readonly recordings: Recordings;
  /** How often it has begun: what runs once is not worth a recording. */
  private runs = 0;
  /** Collectives that begin before the first step. */
  private readonly first: readonly Action[];
  private readonly flying = new Map<InFlight, Begun>();
  /** Places of collectives that are part of a flight. */
  private readonly flown = new Set<number>();
  private readonly spill: () => Spill;
  private readonly begins: World['begin'];
  readonly teller: Teller;
  /** The latest move of each spilled buffer. */
  private readonly moves = new Map<Buffer, Ticket>();

  /** Binds a plan; raises what the device cannot prepare. */
  static async bind(parts: Binding): Promise<Executable> {
    const { plan, device, rank, variables, arena } = parts;
    const own = device.allocate(0);
    try {
      const tensors = new RankTensors(plan, device, rank, variables, arena);
      return new Executable(parts, own, tensors, await prepareKernels(parts, tensors, own));
    } catch (error) {
      device.free(own);
      throw error;
    }
  }

  private constructor(
    { plan, device, rank, spill, world, debug }: Binding,
    own: Memory,
    tensors: RankTensors,
    launches: ReadonlyMap<number, Launch>,
  ) {
    this.teller = new Teller(plan, rank, device, debug);
    this.plan = plan;
    this.device = device;
    this.rank = rank;
    this.spill = spill;
    this.begins = world.processes.ranks.length > 1 ? world.begin : undefined;
    this.own = own;
    this.tensors = tensors;
    this.launches = launches;
    const inFlight = this.begins ? plan.inFlight : [];
    this.first = inFlight.filter(({ begin }) => begin < 0).map((flight) => this.beginning(flight));
    this.actions = this.bindAll(inFlight);
    this.recordings = new Recordings(device, this.actions, own);
  }

  /**
   * Flights begin right after what they send is made. A kernel that needs the margins which a flight brings does its interior
   * before the wait.
   */
  private bindAll(inFlight: readonly InFlight[]): Action[][] {
    const { steps } = this.plan;
    const flying = new Set(inFlight.flatMap(({ places }) => places));
    const actions = steps.map((step, place): Action[] =>
      step.kind === 'collective' ? [] : [this.bind(step, place)],
    );
    for (const place of flying) this.flown.add(place);
    for (const flight of inFlight) {
      const { begin, end } = flight;
      if (begin >= 0) actions[begin].push(this.beginning(flight));
      actions[end].unshift({ place: end, run: () => this.flying.get(flight)!.finish() });
    }
    const ends = new Map(inFlight.filter(({ kind }) => kind === 'exchange').map((f) => [f.end, f]));
    for (const end of ends.keys()) {
      if (ends.has(end - 1)) continue;
      let at = end;
      while (ends.has(at)) at++;
      const parts = this.inTwo(at, end);
      if (parts === undefined) continue;
      const [interior, shell] = parts;
      actions[end].unshift(launching(interior, at, 'interior'));
      actions[at][0] = launching(shell, at, 'shell');
    }
    return actions;
  }

  /** The kernel at a place, parted by the margins that the exchanges from `first` on bring. */
  private inTwo(place: number, first: number): readonly [Launch, Launch] | undefined {
    const { steps } = this.plan;
    const kernel = steps[place];
    if (kernel?.kind !== 'kernel') return undefined;
    const nodes = steps.slice(first, place).map((step) => (step as CollectiveStep).node);
    const ready = readyLoops(kernel, this.rank, nodes);
    if (ready === undefined) return undefined;
    return this.launches.get(place)?.parts?.(ready);
  }

  private beginning(flight: InFlight): Action {
    const { places, slot, end } = flight;
    const label = this.label(end);
    const parts = places.map((place) => {
      const step = this.plan.steps[place] as CollectiveStep;
      const from = this.tensors.of(step.reads[0], place);
      return { plan: step.node.collective!, from, tensor: this.tensors.of(step.writes[0], place) };
    });
    const begin = (): Begun => {
      const [{ plan, from, tensor }] = parts;
      return plan.kind === 'exchange'
        ? this.begins!.exchange(label, plan, from, tensor, slot)
        : this.begins!.allReduce(label, parts as { plan: AllReducePlan; tensor: Tensor }[], slot);
    };
    return { place: end, part: 'begin', run: () => void this.flying.set(flight, begin()) };
  }

  private label(place: number): string {
    const step = this.plan.steps[place] as CollectiveStep;
    return `#${place}${step.node.name === '' ? '' : ` ${step.node.name}`}`;
  }

  private bind(step: Exclude<PlanStep, CollectiveStep>, place: number): Action {
    if (step.kind === 'kernel') return launching(this.launches.get(place)!, place);
    return { place, run: this.bindMove(step, place) };
  }

  /** What this rank has in the collective at a place; undefined where it travels beside kernels. */
  member(place: number): CollectiveMember | undefined {
    if (this.flown.has(place)) return undefined;
    const step = this.plan.steps[place] as CollectiveStep;
    return {
      label: this.label(place),
      plan: step.node.collective!,
      from: this.tensors.of(step.reads[0], place),
      to: this.tensors.of(step.writes[0], place),
    };
  }

  private bindMove({ action, buffer }: MoveStep, place: number): () => Promise<void> | void {
    if (isEmpty(buffer.boxes[this.rank])) return () => undefined;
    if (action === 'settle' || action === 'arrive') return () => this.settled(buffer);
    const tensor = this.tensors.at(buffer, place);
    const offset = this.plan.memory.spilled.get(buffer)!.offsets[this.rank];
    return () => {
      const spill = this.spill();
      this.moves.set(buffer, action === 'spill' ? spill.write(tensor, offset) : spill.read(tensor, offset));
    };
  }

  /** Waits for the latest move of a buffer; the process may do something else meanwhile. */
  private async settled(buffer: Buffer): Promise<void> {
    while (!this.spill().settled(this.moves.get(buffer)!)) await yieldToEvents();
  }

  /**
   * Writes this rank's parts of inputs. Those that are read box by box take turns, so that what two of them read of one box is
   * asked for one after the other.
   */
  async feed(inputs: Readonly<Record<string, Feed>>): Promise<void> {
    const writes = Object.entries(inputs).map(([name, feed]) => this.writesOf(name, feed));
    for (let piece = 0; writes.some((list) => piece < list.length); piece++)
      for (const list of writes) await list[piece]?.();
  }

  /** What writes this rank's part of an input, piece by piece. */
  private writesOf(name: string, feed: Feed): readonly (() => Promise<void> | void)[] {
    const value = this.named('input', name);
    return feedWrites(this.device, this.tensors.of(value, -1), value.own[this.rank], feed, `input "${name}"`);
  }

  /** An output of the program. */
  output(name: string): LocalValue {
    return this.named('output', name);
  }

  private named(what: 'input' | 'output', name: string): LocalValue {
    const { inputs, outputs } = this.plan.program;
    const values = what === 'input' ? inputs : outputs;
    const problem = `the program has no such ${what}`;
    return (
      values.get(name) ??
      fail({ where: `${what} "${name}"`, problem, expected: [...values.keys()].join(', ') })
    );
  }

  /** This rank's own part of an output after a run. */
  async result(name: string): Promise<{ readonly value: LocalValue; readonly data: HostArray }> {
    const value = this.output(name);
    const tensor = this.tensors.of(value, this.plan.steps.length);
    return { value, data: await this.device.download(tensor, value.own[this.rank]) };
  }

  /** Before the first step of a run. */
  begin(tracer?: Tracer): Promise<void> | void {
    this.flying.clear();
    this.runs++;
    if (tracer !== undefined) this.teller.begin(tracer);
    return this.runAll(this.first, tracer);
  }

  /** Runs what this rank does alone at a place of the schedule. */
  step(place: number, tracer?: Tracer): Promise<void> | void {
    for (const begun of this.flying.values()) begun.advance();
    if (this.runs > 1 && this.recordings.covers(place) && !this.teller.tells(tracer))
      return this.recordings.run(place);
    return this.runAll(this.actions[place], tracer);
  }

  private runAll(actions: readonly Action[], tracer?: Tracer): Promise<void> | void {
    const run = this.teller.tells(tracer)
      ? (action: Action) => this.teller.run(action, tracer)
      : (action: Action) => action.run();
    // Most steps are one action that returns at once: no promise is made for those.
    for (let i = 0; i < actions.length; i++) {
      const pending = run(actions[i]);
      if (pending) return this.runRest(pending, actions.slice(i + 1), run);
    }
  }

  private async runRest(
    pending: Promise<void>,
    rest: readonly Action[],
    run: (action: Action) => Promise<void> | void,
  ): Promise<void> {
    await pending;
    for (const action of rest) await run(action);
  }

  free(): void {
    this.device.free(this.own);
  }
}
