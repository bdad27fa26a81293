import { fail, showBox } from '../core/index.ts';
import type { Processes, World } from '../machine/index.ts';
import { type Plan, printProgram } from '../plan/index.ts';

// What processes must have in common, found out before they rely on it.

/**
 * All processes call it with their text, such as a config, a fact a line; raises an error on all where texts differ, with the
 * first line that does.
 */
export async function agree(processes: Processes, what: string, text: () => string): Promise<void> {
  if (processes.ranks.length === 1) return;
  const own = text();
  const hashes = await processes.share(`comparison of ${what}`, await sha256(own));
  const others = hashes.flatMap((hash, index) => (hash === hashes[0] ? [] : [index]));
  if (others.length === 0) return;
  const texts = await processes.share(`difference of ${what}`, own);
  const [expected, found] = firstDifference(texts[0], texts[others[0]]);
  fail({
    where: `start of ${processes.ranks.length} processes`,
    problem: `${what} of ${ranksOf(processes, others)} differs from that of rank 0`,
    expected,
    found,
    hint: 'Start all with one version of halomesh, the same flags and the same files',
  });
}

/**
 * Work that every process does by itself, such as opening a file that all should see. Where it fails on some, all raise an
 * error: those their own, the others that of the first, so that none waits for what will not come. All call it.
 */
export async function together<T>(
  processes: Processes | undefined,
  what: string,
  work: () => T | Promise<T>,
): Promise<T> {
  if (!areMany(processes)) return work();
  const [done] = await Promise.allSettled([(async () => work())()]);
  const own = done.status === 'fulfilled' ? '' : oneLine(done.reason);
  const texts = await processes.share(what, own);
  if (done.status === 'rejected') throw done.reason;
  const failed = texts.flatMap((text, index) => (text === '' ? [] : [index]));
  if (failed.length === 0) return done.value;
  return fail({ where: `on ${ranksOf(processes, failed)}`, problem: texts[failed[0]] });
}

async function sha256(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Sums of whole numbers over all processes, by place; exact below 2^53. All call it, with as many numbers. */
export async function sumOver(
  processes: Processes | undefined,
  what: string,
  numbers: readonly number[],
): Promise<readonly number[]> {
  if (!areMany(processes)) return numbers;
  const all = await processes.share(what, JSON.stringify(numbers));
  return all
    .map((text) => JSON.parse(text) as readonly number[])
    .reduce((sums, more) => sums.map((sum, n) => sum + more[n]));
}

/** What process 0 has, on all; what JSON keeps of it. All call it. */
export async function fromFirst<T>(processes: Processes | undefined, value: T): Promise<T> {
  if (!areMany(processes)) return value;
  const [first] = await processes.share('the result', JSON.stringify(value));
  return JSON.parse(first) as T;
}

const areMany = (processes: Processes | undefined): processes is Processes =>
  processes !== undefined && processes.ranks.length > 1;

const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ') || 'unknown error';

function ranksOf(processes: Processes, some: readonly number[]): string {
  const ranks = some.flatMap((index) => processes.ranks[index]);
  return `${ranks.length === 1 ? 'rank' : 'ranks'} ${ranks.join(', ')}`;
}

function firstDifference(one: string, other: string): [string, string] {
  const [a, b] = [one.split('\n'), other.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  const show = (line: string | undefined): string => {
    const text = line?.trim().replace(/,$/, '') ?? 'nothing';
    return text.length > 200 ? `${text.slice(0, 200)}...` : text;
  };
  return at < 0 ? ['no more', show(b[a.length])] : [show(a[at]), show(b[at])];
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
