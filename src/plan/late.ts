import { readsMargins } from './flights.ts';
import type { CollectiveStep, Step } from './kernel.ts';
import type { LocalValue } from './program.ts';

/**
 * The steps with every collective just before the first step that needs its result, so that there is work between what it sends
 * and what needs it. All-reduces that are first read after the last of them could be done, such as those of weight gradients,
 * run together there. What depends on what stays as it was.
 */
export function late(steps: readonly Step[]): Step[] {
  const list: Step[] = [];
  const waiting = new Map<LocalValue, CollectiveStep>();
  const lastPart = steps.reduce((last, step, i) => (isAllReduce(step) ? i : last), -1);
  let at = 0;

  const emit = (step: Step): void => {
    for (const value of step.reads) {
      const collective = waiting.get(value);
      if (collective === undefined || !needs(step, collective)) continue;
      if (!isAllReduce(collective) || at <= lastPart) release(collective);
      else for (const other of [...waiting.values()].filter(isAllReduce)) release(other);
    }
    list.push(step);
  };
  const release = (collective: CollectiveStep): void => {
    waiting.delete(collective.writes[0]);
    emit(collective);
  };

  for (; at < steps.length; at++) {
    const step = steps[at];
    // A variable is assigned to later on: what is fetched of it must be what it was before.
    const mayWait = step.kind === 'collective' && step.reads[0].producer.op.name !== 'variable';
    if (mayWait) waiting.set(step.writes[0], step);
    else emit(step);
  }
  for (const collective of [...waiting.values()]) if (waiting.has(collective.writes[0])) release(collective);
  return list;
}

/** A kernel that reads no margin can run while the margin is on its way into the tensor that it reads. */
const needs = (step: Step, { node }: CollectiveStep): boolean =>
  step.kind === 'collective' || node.collective?.kind === 'all_reduce' || readsMargins(step, node);

const isAllReduce = (step: Step): step is CollectiveStep =>
  step.kind === 'collective' && step.node.collective?.kind === 'all_reduce';
