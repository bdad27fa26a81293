import { performance } from 'node:perf_hooks';
import { fail, HalomeshError, rowMajorStrides, sameBox } from '../core/index.ts';
import type { Communicator, Device, HostArray, Memory, Tensor } from '../machine/index.ts';
import type { Buffer, LocalValue, Plan, Step } from '../plan/index.ts';
import { gather, type State } from './state.ts';
import { debugLevel, describeStep, showEvent, Tracer } from './trace.ts';

/** Milliseconds that a rank runs before the process may do something else. */
const TURN = 100;

/** A plan bound to the memory of one rank. */
export class Executable {
  readonly plan: Plan;
  readonly rank: number;
  private readonly device: Device;
  /** Owner of the launch arguments. */
  private readonly own: Memory;
  private readonly tensors = new Map<Buffer, Tensor>();
  private readonly launches: ((communicator: Communicator) => Promise<void> | void)[];

  /** `arena`: at least the plan's bytes for this rank; programs that never run at once may share it. */
  constructor(plan: Plan, device: Device, rank: number, state: State, arena: Memory) {
    this.plan = plan;
    this.device = device;
    this.rank = rank;
    this.own = device.allocate(0);
    for (const buffer of new Set(plan.buffers.values())) {
      const placed = plan.memory.placements.get(buffer);
      const tensor =
        buffer.variable !== undefined
          ? state.tensor(buffer.variable, rank)
          : device.tensor(arena, placed!.offsets[rank], buffer, buffer.boxes[rank]);
      this.tensors.set(buffer, tensor);
    }
    this.launches = plan.steps.map((step, i) => this.bind(step, i));
  }

  private bind(step: Step, index: number): (communicator: Communicator) => Promise<void> | void {
    if (step.kind === 'kernel') {
      const launch = this.device.prepare(step, this.rank, (value) => this.tensorOf(value), this.own);
      return launch;
    }
    const { collective } = step.node;
    const label = `#${index}${step.node.name === '' ? '' : ` ${step.node.name}`}`;
    const from = this.tensorOf(step.reads[0]);
    const to = this.tensorOf(step.writes[0]);
    if (collective?.kind === 'exchange')
      return (communicator) => communicator.exchange(label, collective, from, to);
    if (collective?.kind === 'all_reduce')
      return (communicator) => communicator.allReduce(label, collective, to);
    return fail({ where: step.node.call.where, problem: 'is no collective' });
  }

  /** Writes this rank's part of an input from the whole array, row-major. */
  feed(name: string, whole: HostArray): void {
    const value = this.plan.program.inputs.get(name);
    if (!value)
      throw new HalomeshError({
        where: `input "${name}"`,
        problem: 'the program has no such input',
        expected: [...this.plan.program.inputs.keys()].join(', '),
      });
    const sizes = value.shape.map((dim) => dim.size);
    const count = sizes.reduce((n, size) => n * size, 1);
    if (whole.length !== count)
      fail({
        where: `input "${name}"`,
        problem: 'wrong number of elements',
        expected: String(count),
        found: String(whole.length),
      });
    const box = value.own[this.rank];
    const isWhole = sameBox(
      box,
      value.shape.map((dim) => ({ start: 0, end: dim.size })),
    );
    this.device.write(
      this.tensorOf(value),
      box,
      isWhole ? whole : gather(whole, box, rowMajorStrides(sizes)),
    );
  }

  /** This rank's own part of an output after a run. */
  result(name: string): { readonly value: LocalValue; readonly data: HostArray } {
    const value = this.plan.program.outputs.get(name);
    if (!value)
      return fail({
        where: `output "${name}"`,
        problem: 'the program has no such output',
        expected: [...this.plan.program.outputs.keys()].join(', '),
      });
    return { value, data: this.device.read(this.tensorOf(value), value.own[this.rank]) };
  }

  /** Runs all steps in order. */
  async run(communicator: Communicator, tracer?: Tracer): Promise<void> {
    if (tracer !== undefined || debugLevel() >= 2)
      return this.runTraced(communicator, tracer ?? new Tracer());
    let rested = performance.now();
    for (const launch of this.launches) {
      const pending = launch(communicator);
      if (pending) await pending;
      // Kernels hold the thread: signals and timers get a turn now and then.
      if (performance.now() - rested < TURN) continue;
      await new Promise((resolve) => setImmediate(resolve));
      rested = performance.now();
    }
  }

  private async runTraced(communicator: Communicator, tracer: Tracer): Promise<void> {
    for (const [i, launch] of this.launches.entries()) {
      const step = this.plan.steps[i];
      const start = tracer.now();
      await launch(communicator);
      const event = {
        rank: this.rank,
        ...describeStep(step, this.rank),
        start,
        duration: tracer.now() - start,
      };
      tracer.add(event);
      if (debugLevel() >= 2) console.error(showEvent(event, debugLevel() >= 3 ? step : undefined));
    }
  }

  free(): void {
    this.device.free(this.own);
  }

  private tensorOf(value: LocalValue): Tensor {
    return this.tensors.get(this.plan.buffers.get(value)!)!;
  }
}
