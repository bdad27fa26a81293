import { showBox, showMesh } from '../core/index.ts';
import type { Plan } from './plan.ts';
import { type LocalNode, nodeBytes } from './program.ts';

/** Resident memory of a process before it trains anything: Node.js, its libraries and compiled code. Measured, bytes. */
const PROCESS_BYTES = 85 * 2 ** 20;
/** What a rank adds: its share of the bound program. Measured, bytes. */
const RANK_BYTES = 5 * 2 ** 20;
/** Tile memory of the kernels, bytes. Measured. */
const KERNEL_BYTES = 24 * 2 ** 20;

/** One kind of communication at one place of the program. */
export interface CollectiveReport {
  readonly kind: 'exchange' | 'all_reduce';
  /** Scope path of the operation whose result is moved. */
  readonly name: string;
  readonly tensor: string;
  /** Messages and bytes of one run, all ranks together. */
  readonly messages: number;
  readonly bytes: number;
}

export interface RankReport {
  readonly rank: number;
  /** Own box of every input of the program, as text. */
  readonly boxes: Readonly<Record<string, string>>;
  readonly flops: number;
  readonly arenaBytes: number;
  readonly variableBytes: number;
  /** Bytes that the rank sends in exchanges. */
  readonly exchangeBytes: number;
}

/** What `halomesh plan` prints. */
export interface PlanReport {
  readonly mesh: string;
  readonly layout: Readonly<Record<string, string>>;
  readonly parameters: number;
  readonly flops: number;
  readonly kernels: number;
  readonly ranks: readonly RankReport[];
  readonly collectives: readonly CollectiveReport[];
  readonly bytesSent: { readonly exchange: number; readonly allReduce: number; readonly total: number };
  /** Arena and variables of one rank at most, bytes. */
  readonly peakBytesPerRank: number;
  /** Resident memory of one process that runs all ranks, bytes. */
  readonly predictedPeakBytes: number;
}

/** Resident memory of a process that runs all ranks of a plan and holds `hostBytes` of images beside them, in bytes. */
export function predictPeak(plan: Plan, hostBytes = 0): number {
  const { arenaBytes, variableBytes } = plan.memory;
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  const fixed = PROCESS_BYTES + KERNEL_BYTES + arenaBytes.length * RANK_BYTES;
  return fixed + sum(arenaBytes) + sum(variableBytes) + hostBytes;
}

/** Facts of a plan; nothing is run. */
export function explainPlan(plan: Plan, hostBytes = 0): PlanReport {
  const { program, memory, bytesSent } = plan;
  const collectives = program.nodes.filter((node) => node.collective);
  const ranks = plan.flops.map((flops, rank) => ({
    rank,
    boxes: Object.fromEntries([...program.inputs].map(([name, value]) => [name, showBox(value.own[rank])])),
    flops,
    arenaBytes: memory.arenaBytes[rank],
    variableBytes: memory.variableBytes[rank],
    exchangeBytes: collectives.reduce((total, node) => total + sentBy(node, rank), 0),
  }));
  const trainable = [...program.variables.values()].filter(
    (value) => (value.producer.call.attrs as { trainable?: boolean }).trainable,
  );
  return {
    mesh: showMesh(program.mesh),
    layout: program.cuts.layout,
    parameters: trainable.reduce(
      (n, value) => n + value.shape.reduce((product, dim) => product * dim.size, 1),
      0,
    ),
    flops: plan.flops.reduce((a, b) => a + b, 0),
    kernels: plan.steps.filter((step) => step.kind === 'kernel').length,
    ranks,
    collectives: collectives.map(report).filter((c) => c.bytes > 0),
    bytesSent: { ...bytesSent, total: bytesSent.exchange + bytesSent.allReduce },
    peakBytesPerRank: Math.max(...ranks.map((r) => r.arenaBytes + r.variableBytes)),
    predictedPeakBytes: predictPeak(plan, hostBytes),
  };
}

function report(node: LocalNode): CollectiveReport {
  const [{ shape, dtype }] = node.outputs;
  const plan = node.collective!;
  const messages =
    plan.kind === 'exchange'
      ? plan.transfers.filter((t) => t.from !== t.to).length
      : plan.groups.reduce((n, group) => n + 2 * (group.length - 1), 0);
  const tensor = `${dtype}[${shape.map((dim) => `${dim.name}=${dim.size}`).join(' ')}]`;
  return { kind: plan.kind, name: node.name, tensor, messages, bytes: nodeBytes(node) };
}

function sentBy(node: LocalNode, rank: number): number {
  const plan = node.collective;
  if (plan?.kind !== 'exchange') return 0;
  const mine = { ...plan, transfers: plan.transfers.filter((t) => t.from === rank) };
  return nodeBytes({ ...node, collective: mine });
}

/** The report as text for a terminal. */
export function formatPlan(r: PlanReport, mostCollectives = 12): string {
  const layout = Object.entries(r.layout).map(([dim, axis]) => `${dim}:${axis}`);
  const lines = [
    `mesh          ${r.mesh}${layout.length > 0 ? `, layout ${layout.join(' ')}` : ''}`,
    `parameters    ${r.parameters.toLocaleString('en')}`,
    `work          ${(r.flops / 1e9).toFixed(1)} GFLOP a step in ${r.kernels} kernels`,
    `sent          ${bytes(r.bytesSent.total)} a step: ${bytes(r.bytesSent.exchange)} in exchanges, ${bytes(r.bytesSent.allReduce)} in all-reduces`,
    `memory        ${bytes(r.peakBytesPerRank)} a rank at most; ${bytes(r.predictedPeakBytes)} for one process with all ranks`,
    '',
    'rank  work GFLOP   arena      variables  sends      boxes',
  ];
  for (const rank of r.ranks) {
    const boxes = Object.entries(rank.boxes)
      .filter(([, box]) => box !== '[]')
      .map(([name, box]) => `${name}${box}`);
    lines.push(
      [
        String(rank.rank).padEnd(6),
        (rank.flops / 1e9).toFixed(1).padEnd(13),
        bytes(rank.arenaBytes).padEnd(11),
        bytes(rank.variableBytes).padEnd(11),
        bytes(rank.exchangeBytes).padEnd(11),
        boxes.join(' '),
      ].join(''),
    );
  }
  if (r.collectives.length > 0) {
    const sorted = [...r.collectives].sort((a, b) => b.bytes - a.bytes);
    lines.push('', `collectives (${r.collectives.length}, largest first)`);
    for (const c of sorted.slice(0, mostCollectives))
      lines.push(
        `  ${c.kind.padEnd(11)}${bytes(c.bytes).padEnd(11)}${String(c.messages).padStart(4)} messages  ${c.tensor}  ${c.name}`,
      );
    if (sorted.length > mostCollectives)
      lines.push(
        `  and ${sorted.length - mostCollectives} more with ${bytes(sorted.slice(mostCollectives).reduce((n, c) => n + c.bytes, 0))}`,
      );
  }
  return lines.join('\n');
}

/** `1.50 GiB`, `12.3 MiB`, `640 B`. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = n;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(value >= 100 ? 4 : 3)} ${units[unit]}`;
}
