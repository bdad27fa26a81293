import { createHash } from 'node:crypto';
import { fail, showBox } from '../core/index.ts';
import type { Processes, World } from '../machine/index.ts';
import { type Plan, printProgram } from '../plan/index.ts';

// What processes must have in common, found out before they rely on it.

/** All processes call it with their text, such as a config; raises an error on all where texts differ. */
export async function agree(processes: Processes, what: string, text: () => string): Promise<void> {
  if (processes.hosts.length === 1) return;
  const mine = createHash('sha256').update(text()).digest('hex');
  const all = await processes.share(`comparison of ${what}`, mine);
  const others = all.flatMap((hash, host) => (hash === all[0] ? [] : processes.hosts[host]));
  if (others.length === 0) return;
  fail({
    where: `start of ${processes.hosts.length} processes`,
    problem: `${what} of ${others.length === 1 ? 'rank' : 'ranks'} ${others.join(', ')} differs from that of rank 0`,
    hint: 'Start all with one version of halomesh, the same flags and the same files',
  });
}

/** All that ranks must know alike of a plan: operations, boxes and messages, in order. */
export function planText(plan: Plan): string {
  const steps = plan.steps.map((step) => {
    if (step.kind === 'move') return `${step.action} ${step.buffer.id}`;
    if (step.kind === 'kernel') return step.nodes.map(({ id }) => id).join(' ');
    const { collective } = step.node;
    if (collective?.kind !== 'exchange') return JSON.stringify(collective);
    return collective.transfers.map(({ from, to, box }) => `${from} ${to} ${showBox(box)}`).join(';');
  });
  return [printProgram(plan.program), ...steps].join('\n');
}

/** Bytes that all processes have sent; all call it. */
export async function totalSent({ processes, traffic }: World): Promise<number> {
  const { exchangeBytes, allReduceBytes } = traffic;
  const all = await processes.share('bytes sent', String(exchangeBytes + allReduceBytes));
  return all.reduce((sum, text) => sum + Number(text), 0);
}
