import { BYTES, boxVolume, showBox, type TensorType } from '../core/index.ts';
import { type LocalValue, type PlanStep, type Scheduled, showPlanStep } from '../plan/index.ts';

// What is told of the operations of a run, to a trace file and to the terminal.

/** What is known of a step before it runs. */
export interface StepFacts {
  /** The operation. */
  readonly name: string;
  /** Scope path of the layer. */
  readonly scope: string;
  /** The operation with all that is fused into it. */
  readonly text: string;
  readonly flops: number;
  /** Bytes of the stored tensors that it reads and writes. */
  readonly bytes: number;
}

/**
 * A part of a step: a collective begins to send, the kernel that awaits margins does what needs none (interior), and the rest of
 * it once they are there (shell).
 */
export type StepPart = 'begin' | 'interior' | 'shell';

/** One step of one rank. */
export interface TraceEvent extends StepFacts {
  /** Absent for a whole step; for a collective also at its end. */
  readonly part?: StepPart;
  readonly rank: number;
  /** Milliseconds since the tracer was made, and how long it took. */
  readonly start: number;
  readonly duration: number;
  /** Milliseconds of the duration in which it waited for other ranks. */
  readonly waited: number;
}

/** When a step began and how long it took. */
export type StepTimes = Pick<TraceEvent, 'start' | 'duration' | 'waited'>;

const sizeOf = (value: TensorType & Pick<LocalValue, 'own'>, rank: number): number =>
  boxVolume(value.own[rank]) * BYTES[value.dtype];

/** Facts of a step for one rank. */
export function describeStep({ step, again }: Scheduled, rank: number): StepFacts {
  const text = showPlanStep(step);
  if (step.kind === 'move') {
    const { boxes, dtype, name } = step.buffer;
    const moves = step.action === 'spill' || step.action === 'prefetch';
    return {
      name: step.action,
      scope: name,
      text,
      flops: 0,
      bytes: moves ? boxVolume(boxes[rank]) * BYTES[dtype] : 0,
    };
  }
  const suffix = again ? ' again' : '';
  if (step.kind === 'collective')
    return {
      name: `${step.node.op.name}${suffix}`,
      scope: step.node.name,
      text,
      flops: 0,
      bytes: sizeOf(step.writes[0], rank),
    };
  const flops = step.nodes.reduce((sum, { op, call, loops }) => sum + op.cost(call, loops[rank]).flops, 0);
  const bytes = [...step.reads, ...step.writes].reduce((sum, value) => sum + sizeOf(value, rank), 0);
  const main = step.anchor ?? step.nodes[step.nodes.length - 1];
  return { name: `${step.anchor?.op.name ?? 'rows'}${suffix}`, scope: main.name, text, flops, bytes };
}

/** Billions a second: 10^9 of `amount` over `milliseconds`. */
export function rate(amount: number, milliseconds: number): number {
  return Math.round(amount / 1e4 / Math.max(milliseconds, 1e-3)) / 100;
}

/** One line of debug level 2; with the step itself those of 3. */
export function showEvent(event: TraceEvent, step?: PlanStep): string {
  const time = `${event.duration.toFixed(2)} ms`.padStart(12);
  const speed = `${rate(event.flops, event.duration)} GFLOP/s`.padStart(16);
  const memory = `${rate(event.bytes, event.duration)} GB/s`.padStart(12);
  const line = `rank ${event.rank}${time}${speed}${memory}  ${[event.name, event.part ?? []].flat().join(' ').padEnd(18)} ${event.scope}`;
  if (!step) return line;
  const boxes = (verb: string, values: readonly LocalValue[]): string[] =>
    values.map(
      (value) =>
        `         ${verb} %${value.id} ${value.dtype} ${showBox(value.own[event.rank])} ${sizeOf(value, event.rank)} bytes`,
    );
  return [`${line}  ${event.text}`, ...boxes('reads ', step.reads), ...boxes('writes', step.writes)].join(
    '\n',
  );
}
