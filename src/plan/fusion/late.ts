import type { LocalValue } from '../program.ts';
import { readsMargins } from './in-flight.ts';
import type { CollectiveStep, Step } from './kernel.ts';

/** Steps that an exchange waits for the next use of its tensor: one that is not used for longer may give up its memory. */
const PATIENCE = 8;

/**
 * The steps with every collective just before the first step that needs its result, so that there is work between what it sends
 * and what needs it. All-reduces that are first read after the last of them could be done, such as those of weight gradients,
 * run together there. What depends on what stays as it was.
 */
export function late(steps: readonly Step[]): Step[] {
  const list: Step[] = [];
  const waiting = new Map<LocalValue, CollectiveStep>();
  const lastPart = steps.reduce((last, step, i) => (isAllReduce(step) ? i : last), -1);
  const due = deadlines(steps);
  let at = 0;

  const emit = (step: Step): void => {
    for (const value of step.reads) {
      const collective = waiting.get(value);
      if (collective === undefined || !needs(step, collective)) continue;
      if (!isAllReduce(collective) || at <= lastPart) release(collective);
      else
        for (const other of [...waiting.values()].filter(isAllReduce))
          if (waiting.has(other.writes[0])) release(other);
    }
    list.push(step);
    for (const collective of due.get(step) ?? []) if (waiting.has(collective.writes[0])) release(collective);
  };
  const release = (collective: CollectiveStep): void => {
    waiting.delete(collective.writes[0]);
    emit(collective);
  };

  for (; at < steps.length; at++) {
    const step = steps[at];
    // A variable is assigned to later on: what is fetched of it must be what it was before.
    const mayWait = step.kind === 'collective' && step.reads[0].producer.op.role !== 'variable';
    if (mayWait && !due.get(step)?.includes(step)) waiting.set(step.writes[0], step);
    else emit(step);
  }
  for (const collective of [...waiting.values()]) if (waiting.has(collective.writes[0])) release(collective);
  return list;
}

/**
 * The step after which an exchange waits no longer: the last use of its tensor before the one that needs it, or before a long
 * time without any.
 */
function deadlines(steps: readonly Step[]): Map<Step, CollectiveStep[]> {
  const uses = new Map<LocalValue, number[]>();
  steps.forEach((step, i) => {
    for (const value of step.reads) uses.set(value, [...(uses.get(value) ?? []), i]);
  });
  const due = new Map<Step, CollectiveStep[]>();
  steps.forEach((step, i) => {
    if (step.kind !== 'collective' || step.node.collective?.kind !== 'exchange') return;
    const touches = [...step.reads, ...step.writes].flatMap((value) => uses.get(value) ?? []);
    let last = i;
    for (const use of touches.filter((use) => use > i).sort((a, b) => a - b)) {
      if (use - last > PATIENCE) break;
      if (needs(steps[use], step)) return;
      last = use;
    }
    // Steps before the exchange have run when it comes up.
    const after = steps[Math.max(last, i)];
    due.set(after, [...(due.get(after) ?? []), step]);
  });
  return due;
}

/** A kernel that reads no margin can run while the margin is on its way into the tensor that it reads. */
const needs = (step: Step, { node }: CollectiveStep): boolean =>
  step.kind === 'collective' || node.collective?.kind === 'all_reduce' || readsMargins(step, node);

const isAllReduce = (step: Step): step is CollectiveStep =>
  step.kind === 'collective' && step.node.collective?.kind === 'all_reduce';
