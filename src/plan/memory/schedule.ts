import { type Kernel, type Step, showStep } from '../fusion/kernel.ts';
import type { LocalNode, LocalProgram, LocalValue } from '../program.ts';
import type { Buffer } from './buffers.ts';

// The order in which steps run, with what brings tensors back that gave their memory to others in the meantime: kernels that
// run again, and moves to and from a spill file.

/**
 * A move between memory and the spill file. `spill` and `prefetch` begin to write and to read; they go on beside the kernels until
 * `settle` and `arrive` wait for them.
 */
export interface MoveStep {
  readonly kind: 'move';
  readonly action: 'spill' | 'settle' | 'prefetch' | 'arrive';
  readonly buffer: Buffer;
  readonly reads: readonly LocalValue[];
  readonly writes: readonly LocalValue[];
}

export type PlanStep = Step | MoveStep;

/** Short text of a step: `conv + leakyRelu (%6 %5) -> %7`, `prefetch %3`. */
export function showPlanStep(step: PlanStep): string {
  return step.kind === 'move' ? `${step.action} %${step.buffer.id}` : showStep(step);
}

/** One step where it runs. */
export interface Scheduled {
  readonly step: PlanStep;
  /** Which use this is: the number of the step, or of the step that it runs again for: `57`, `57<%3`. */
  readonly id: string;
  /** True for a kernel or an exchange that has run before. */
  readonly again: boolean;
  /** What its launches need while they run; absent where that is nothing. */
  readonly scratch?: Buffer;
}

/** What a schedule is made from. */
export interface Unscheduled {
  readonly program: LocalProgram;
  readonly steps: readonly Step[];
  readonly buffers: ReadonlyMap<LocalValue, Buffer>;
  /** What launches of a kernel need while they run. */
  readonly scratchOf: (kernel: Kernel) => Buffer | undefined;
}

const touchedBy = new WeakMap<PlanStep, readonly Buffer[]>();
const writtenBy = new WeakMap<PlanStep, readonly Buffer[]>();

/** Buffers that a step touches, each once. `buffers`: those of the step's own plan. */
export function touched(step: PlanStep, buffers: ReadonlyMap<LocalValue, Buffer>): readonly Buffer[] {
  if (step.kind === 'move') return [step.buffer];
  return once(touchedBy, step, [...step.reads, ...step.writes], buffers);
}

/** Of these, the buffers that it writes. */
export function written(step: PlanStep, buffers: ReadonlyMap<LocalValue, Buffer>): readonly Buffer[] {
  return once(writtenBy, step, step.writes, buffers);
}

function once(
  known: WeakMap<PlanStep, readonly Buffer[]>,
  step: PlanStep,
  values: readonly LocalValue[],
  buffers: ReadonlyMap<LocalValue, Buffer>,
): readonly Buffer[] {
  let list = known.get(step);
  if (list === undefined) {
    list = [...new Set(values.map((value) => buffers.get(value)!))];
    known.set(step, list);
  }
  return list;
}

/** The kernel that computes a buffer's tensor and the exchanges that fill its margins. */
export interface Recipe {
  readonly kernel: Kernel;
  /** Number of the kernel's step. */
  readonly at: number;
  readonly exchanges: readonly Step[];
}

/**
 * How every buffer can be computed again: by one kernel that reads nothing which changes later. Values that an all-reduce
 * has changed, inputs and variables have no recipe.
 */
export function recipes({ steps, buffers }: Unscheduled): Map<Buffer, Recipe> {
  const writers = new Map<Buffer, number[]>();
  steps.forEach((step, i) => {
    for (const value of step.writes) {
      const buffer = buffers.get(value)!;
      writers.set(buffer, [...(writers.get(buffer) ?? []), i]);
    }
  });
  const firstAssign = steps.findIndex(isAssign);
  const found = new Map<Buffer, Recipe>();
  for (const [buffer, list] of writers) {
    const [at, ...rest] = list;
    const step = steps[at];
    if (buffer.variable !== undefined || step.kind !== 'kernel' || isAssign(step)) continue;
    if (firstAssign >= 0 && at > firstAssign) continue;
    if (!rest.every((i) => isExchange(steps[i]))) continue;
    const kernel = only(step, buffer, buffers);
    const steady = kernel.reads.every((value) => {
      const source = buffers.get(value)!;
      return (writers.get(source) ?? []).every((i) => i <= at || isExchange(steps[i]) || isAssign(steps[i]));
    });
    if (steady) found.set(buffer, { kernel, at, exchanges: rest.map((i) => steps[i]) });
  }
  return found;
}

/** The part of a kernel that computes what lies in one buffer. */
function only(kernel: Kernel, buffer: Buffer, buffers: ReadonlyMap<LocalValue, Buffer>): Kernel {
  const writes = kernel.writes.filter((value) => buffers.get(value) === buffer);
  const makers = new Map(kernel.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  const needed = new Set<LocalNode>();
  const visit = (value: LocalValue): void => {
    // An epilogue reads its anchor's result through an exchange in place.
    const node = makers.get(value) ?? makers.get(value.producer.inputs[0]);
    if (!node || needed.has(node)) return;
    needed.add(node);
    node.inputs.forEach(visit);
  };
  writes.forEach(visit);
  const nodes = kernel.nodes.filter((node) => needed.has(node));
  const used = new Set(nodes.flatMap((node) => node.inputs));
  return { ...kernel, nodes, reads: kernel.reads.filter((value) => used.has(value)), writes };
}

export const isAssign = (step: PlanStep): boolean =>
  step.kind === 'kernel' && step.anchor?.op.role === 'assign';
export const isExchange = (step: PlanStep): boolean =>
  step.kind === 'collective' && step.node.collective?.kind === 'exchange';
