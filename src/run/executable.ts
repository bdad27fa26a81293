import { fail, HalomeshError, isEmpty } from '../core/index.ts';
import type { Communicator, Device, HostArray, Memory, Store, Tensor, Ticket } from '../machine/index.ts';
import type { Buffer, LocalValue, MoveStep, Plan, PlanStep } from '../plan/index.ts';
import { boxWrites, type Feed, writePart } from './host-parts.ts';
import { rest } from './rest.ts';
import type { State } from './state.ts';
import { debugLevel, describeStep, type StepFacts, showEvent } from './trace.ts';
import { Tracer } from './tracer.ts';

/** A plan bound to the memory of one rank. */
export class Executable {
  readonly plan: Plan;
  readonly rank: number;
  private readonly device: Device;
  /** Owner of the launch arguments. */
  private readonly own: Memory;
  /** Where every buffer lies, in the order of its stays in memory. */
  private readonly stays = new Map<Buffer, readonly Stay[]>();
  private readonly launches: ((communicator: Communicator) => Promise<void> | void)[];
  private readonly store: () => Store;
  /** The latest move of each spilled buffer. */
  private readonly moves = new Map<Buffer, Ticket>();
  /** What traces tell of each step. */
  private facts: readonly StepFacts[] | undefined;

  /**
   * `arena`: at least the bytes of the plan's process; its ranks share it, and programs that never run at once may. `store`:
   * gives at least the plan's bytes of it.
   */
  constructor(plan: Plan, device: Device, rank: number, state: State, arena: Memory, store: () => Store) {
    this.plan = plan;
    this.device = device;
    this.rank = rank;
    this.store = store;
    this.own = device.allocate(0);
    for (const buffer of new Set(plan.buffers.values())) {
      const placed = plan.memory.placements.get(buffer) ?? [];
      const stays = placed.map(({ from, to, offsets }) => ({
        from,
        to,
        tensor: device.tensor(arena, offsets[rank], buffer, buffer.boxes[rank]),
      }));
      const always = { from: -1, to: plan.steps.length };
      this.stays.set(
        buffer,
        buffer.variable === undefined ? stays : [{ ...always, tensor: state.tensor(buffer.variable, rank) }],
      );
    }
    this.launches = plan.steps.map((step, place) => this.bind(step, place));
  }

  private bind(step: PlanStep, place: number): (communicator: Communicator) => Promise<void> | void {
    if (step.kind === 'kernel')
      return this.device.prepare(step, this.rank, (value) => this.tensorOf(value, place), this.own);
    if (step.kind === 'move') return this.bindMove(step, place);
    const { collective } = step.node;
    const label = `#${place}${step.node.name === '' ? '' : ` ${step.node.name}`}`;
    const from = this.tensorOf(step.reads[0], place);
    const to = this.tensorOf(step.writes[0], place);
    if (collective?.kind === 'exchange')
      return (communicator) => communicator.exchange(label, collective, from, to);
    if (collective?.kind === 'all_reduce')
      return (communicator) => communicator.allReduce(label, collective, to);
    return fail({ where: step.node.call.where, problem: 'is no collective' });
  }

  private bindMove({ action, buffer }: MoveStep, place: number): () => Promise<void> | void {
    if (isEmpty(buffer.boxes[this.rank])) return () => undefined;
    if (action === 'settle' || action === 'arrive') return () => this.settled(buffer);
    const tensor = this.tensorAt(buffer, place);
    const offset = this.plan.memory.store.get(buffer)!.offsets[this.rank];
    return () => {
      const store = this.store();
      this.moves.set(buffer, action === 'spill' ? store.write(tensor, offset) : store.read(tensor, offset));
    };
  }

  /** Waits for the latest move of a buffer; the process may do something else meanwhile. */
  private async settled(buffer: Buffer): Promise<void> {
    while (!this.store().settled(this.moves.get(buffer)!)) await rest();
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
    const value = this.plan.program.inputs.get(name);
    if (!value)
      throw new HalomeshError({
        where: `input "${name}"`,
        problem: 'the program has no such input',
        expected: [...this.plan.program.inputs.keys()].join(', '),
      });
    const tensor = this.tensorOf(value, -1);
    const box = value.own[this.rank];
    if (typeof feed === 'function' || 'read' in feed)
      return boxWrites(this.device, tensor, box, feed, `input "${name}"`);
    const sizes = value.shape.map((dim) => dim.size);
    const count = sizes.reduce((n, size) => n * size, 1);
    if (feed.length !== count)
      fail({
        where: `input "${name}"`,
        problem: 'wrong number of elements',
        expected: String(count),
        found: String(feed.length),
      });
    return [() => writePart(this.device, tensor, box, feed)];
  }

  /** An output of the program. */
  output(name: string): LocalValue {
    const value = this.plan.program.outputs.get(name);
    if (!value)
      return fail({
        where: `output "${name}"`,
        problem: 'the program has no such output',
        expected: [...this.plan.program.outputs.keys()].join(', '),
      });
    return value;
  }

  /** This rank's own part of an output after a run. */
  result(name: string): { readonly value: LocalValue; readonly data: HostArray } {
    const value = this.output(name);
    return {
      value,
      data: this.device.read(this.tensorOf(value, this.plan.steps.length), value.own[this.rank]),
    };
  }

  /** Runs the step at a place of the schedule. */
  step(place: number, communicator: Communicator, tracer?: Tracer): Promise<void> | void {
    if (tracer !== undefined || debugLevel() >= 2)
      return this.traced(place, communicator, tracer ?? new Tracer());
    return this.launches[place](communicator);
  }

  private async traced(place: number, communicator: Communicator, tracer: Tracer): Promise<void> {
    this.facts ??= this.plan.memory.list.map((entry) => describeStep(entry, this.rank));
    const { step } = this.plan.memory.list[place];
    const start = tracer.now();
    const pending = this.launches[place](communicator);
    const worked = tracer.now() - start;
    if (pending) await pending;
    const duration = tracer.now() - start;
    // While a rank waits in a collective, others run.
    const waited = step.kind === 'collective' ? duration - worked : 0;
    const event = { ...this.facts[place], rank: this.rank, start, duration, waited };
    tracer.add(event);
    if (debugLevel() >= 2) console.error(showEvent(event, debugLevel() >= 3 ? step : undefined));
  }

  free(): void {
    this.device.free(this.own);
  }

  private tensorOf(value: LocalValue, place: number): Tensor {
    return this.tensorAt(this.plan.buffers.get(value)!, place);
  }

  /** The memory of a buffer at a place of the schedule: -1 before a run, the number of steps after it. */
  private tensorAt(buffer: Buffer, place: number): Tensor {
    const stay = this.stays.get(buffer)!.find(({ from, to }) => from <= place && place <= to);
    if (!stay) fail({ where: 'memory plan', problem: `buffer %${buffer.id} has no memory at step ${place}` });
    return stay!.tensor;
  }
}

/** A time in which a buffer lies at one place. */
interface Stay {
  readonly from: number;
  readonly to: number;
  readonly tensor: Tensor;
}
