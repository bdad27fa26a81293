import type { Device, Mark } from '../machine/index.ts';
import type { Plan } from '../plan/index.ts';
import type { Action } from './actions.ts';
import { describeStep, type StepFacts, type StepPart, showEvent } from './trace.ts';
import { Tracer } from './tracer.ts';

/** When work was done, in the device's own time. */
export interface Timed {
  readonly before: Mark;
  readonly after: Mark;
  /** Milliseconds in which it waited for other ranks. */
  readonly waited: number;
}

/** Tells what a rank does, to a tracer and on the terminal: at once, or after the run where the device does its work later. */
export class Teller {
  private readonly plan: Plan;
  private readonly rank: number;
  private readonly device: Device;
  /** From level 2 on every step is told on the terminal. */
  private readonly debug: number;
  private facts: readonly StepFacts[] | undefined;
  /** The beginning of the run, for the device and for the tracer. */
  private begun: { readonly mark: Mark; readonly at: number } | undefined;
  private later: (() => void)[] = [];

  constructor(plan: Plan, rank: number, device: Device, debug: number) {
    this.plan = plan;
    this.rank = rank;
    this.device = device;
    this.debug = debug;
  }

  /** Whether there is anybody to tell. */
  tells(tracer?: Tracer): boolean {
    return tracer !== undefined || this.debug >= 2;
  }

  /** Before a run. */
  begin(tracer: Tracer): void {
    this.begun = { mark: this.device.mark(), at: tracer.now() };
  }

  /** Does work between two marks. `waits`: what it does not do at once is waiting. */
  async timed(work: () => Promise<void> | void, waits: boolean): Promise<Timed> {
    const before = this.device.mark();
    const pending = work();
    const begun = performance.now();
    if (pending) await pending;
    const waited = waits && pending ? performance.now() - begun : 0;
    return { before, after: this.device.mark(), waited };
  }

  async run({ place, part, run }: Action, tracer = new Tracer()): Promise<void> {
    const waits = this.plan.steps[place].kind === 'collective';
    this.tell(tracer, place, await this.timed(run, waits), { part });
  }

  /** Records what this rank did at a place. `ranks`: that did it together, each its share, and waited for the others. */
  tell(
    tracer: Tracer,
    place: number,
    { before, after, waited }: Timed,
    { part, ranks = 1 }: { readonly part?: StepPart; readonly ranks?: number } = {},
  ): void {
    if (this.begun === undefined) this.begin(tracer);
    const { mark, at } = this.begun!;
    const now = (): void => {
      const start = at + before.milliseconds(mark);
      const duration = after.milliseconds(before);
      this.show(tracer, place, { start, duration, waited: duration - (duration - waited) / ranks }, part);
    };
    if (after.passed()) now();
    else this.later.push(now);
  }

  /** Tells what the device had not done yet. */
  async end(): Promise<void> {
    if (this.later.length > 0) await this.device.done();
    for (const tell of this.later.splice(0)) tell();
  }

  private show(
    tracer: Tracer,
    place: number,
    times: { readonly start: number; readonly duration: number; readonly waited: number },
    part?: StepPart,
  ): void {
    this.facts ??= this.plan.memory.list.map((entry) => describeStep(entry, this.rank));
    // The work of a kernel in two parts is told with the second, that of a collective with its end.
    const nothing = part === 'interior' || part === 'begin' ? { flops: 0, bytes: 0 } : {};
    const event = { ...this.facts[place], ...nothing, part, rank: this.rank, ...times };
    tracer.add(event);
    const { step } = this.plan.memory.list[place];
    if (this.debug >= 2) console.error(showEvent(event, this.debug >= 3 ? step : undefined));
  }
}
