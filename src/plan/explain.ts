import { showBox, showMesh, type TensorType } from '../core/index.ts';
import type { Buffer } from './memory/buffers.ts';
import { besideBytes, messageBytes, processBytes } from './memory/footprint.ts';
import type { Plan } from './plan.ts';
import { allReduceSent, type LocalNode, nodeBytes } from './program.ts';

/** One kind of communication at one place of the program. */
export interface CollectiveReport {
  readonly kind: 'exchange' | 'all_reduce';
  /** Scope path of the operation whose result is moved. */
  readonly name: string;
  readonly tensor: string;
  /** Messages and bytes of one run, all ranks together. All-reduces that begin together share messages, which each counts here. */
  readonly messages: number;
  readonly bytes: number;
}

export interface RankReport {
  readonly rank: number;
  /** Own box of every input of the program, as text. */
  readonly boxes: Readonly<Record<string, string>>;
  readonly flops: number;
  /** Tensors beside variables that it holds at most at one time. */
  readonly tensorBytes: number;
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
  /** Tensors and variables of one rank at most, bytes. */
  readonly peakBytesPerRank: number;
  /** Processes that share the ranks, and resident memory of the one with the most, bytes. */
  readonly processes: number;
  readonly predictedPeakBytes: number;
  /** What a memory limit made the plan recompute and spill; empty without one. */
  readonly comebacks: readonly ComebackReport[];
  /** The same in one line. */
  readonly extra?: string;
  /** Where spilled tensors go, and how many bytes that takes. */
  readonly tier: string;
  readonly spillBytes: number;
}

/**
 * What a process that runs a plan's ranks takes of the memory that tensors lie in, with `hostBytes` of images where that is the
 * host's, in bytes; of the process with the most where there are several.
 */
export function predictPeak({ memory, inFlight, target }: Plan, hostBytes = 0): number {
  const { list, processRanks, arenaBytes, variableBytes } = memory;
  const { fixedBytes } = target.spaces.tensors;
  const messages = processRanks.length === 1 ? 0 : messageBytes({ list, inFlight }, fixedBytes);
  const each = processRanks.map(
    (ranks, index) =>
      processBytes(fixedBytes, ranks.length) +
      arenaBytes[index] +
      ranks.reduce((sum, rank) => sum + variableBytes[rank], 0),
  );
  return Math.max(...each) + messages + besideBytes(target, hostBytes);
}

/** Facts of a plan; nothing is run. */
export function explainPlan(plan: Plan, hostBytes = 0): PlanReport {
  const { program, memory, bytesSent } = plan;
  const collectives = plan.steps.flatMap((step) => (step.kind === 'collective' ? [step.node] : []));
  const ranks = plan.flops.map((flops, rank) => ({
    rank,
    boxes: Object.fromEntries([...program.inputs].map(([name, value]) => [name, showBox(value.own[rank])])),
    flops,
    tensorBytes: memory.rankBytes[rank],
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
    peakBytesPerRank: Math.max(...ranks.map((r) => r.tensorBytes + r.variableBytes)),
    processes: memory.processRanks.length,
    predictedPeakBytes: predictPeak(plan, hostBytes),
    comebacks: comebacks(plan),
    extra: showExtra(plan),
    tier: plan.target.spaces.tiers[0].name,
    spillBytes: memory.spillBytes.reduce((a, b) => a + b, 0),
  };
}

function report(node: LocalNode): CollectiveReport {
  const [{ shape, dtype }] = node.outputs;
  const plan = node.collective!;
  const messages =
    plan.kind === 'exchange'
      ? plan.transfers.filter((t) => t.from !== t.to).length
      : plan.groups.reduce(
          (n, group) =>
            n + allReduceSent(plan, group, node.outputs[0], node.outputs[0].own[group[0]]).messages,
          0,
        );
  return {
    kind: plan.kind,
    name: node.name,
    tensor: showType({ dtype, shape }),
    messages,
    bytes: nodeBytes(node),
  };
}

function sentBy(node: LocalNode, rank: number): number {
  const plan = node.collective;
  if (plan?.kind !== 'exchange') return 0;
  const mine = { ...plan, transfers: plan.transfers.filter((t) => t.from === rank) };
  return nodeBytes({ ...node, collective: mine });
}

/** What comes back to memory in a plan, and how. */
export interface ComebackReport {
  readonly how: 'recompute' | 'spill';
  /** Scope path of the operation that makes the tensor. */
  readonly name: string;
  readonly tensor: string;
  /** Bytes of the tensor, all ranks together. */
  readonly bytes: number;
}

/** Tensors that a plan recomputes and spills, in the order in which they come back. */
export function comebacks({ memory, buffers }: Plan): ComebackReport[] {
  const size = (buffer: Buffer): number =>
    memory.placements.get(buffer)?.[0].bytes.reduce((sum, n) => sum + n, 0) ?? 0;
  const entry = (how: ComebackReport['how'], buffer: Buffer): ComebackReport => ({
    how,
    name: buffer.name,
    tensor: showType(buffer),
    bytes: size(buffer),
  });
  return memory.list.flatMap(({ step, again }) => {
    if (step.kind === 'move') return step.action === 'prefetch' ? [entry('spill', step.buffer)] : [];
    return again && step.kind === 'kernel'
      ? [...new Set(step.writes.map((value) => buffers.get(value)!))].map((b) => entry('recompute', b))
      : [];
  });
}

/** `6 tensors recomputed (2.1 GFLOP), 3 spilled (4.2 GiB), about 12 s`; undefined where there are none. */
export function showExtra(plan: Plan): string | undefined {
  const list = comebacks(plan);
  if (list.length === 0) return undefined;
  const count = (how: ComebackReport['how']) => list.filter((c) => c.how === how);
  const flops = plan.flopsAgain.reduce((a, b) => a + b, 0);
  const moved = count('spill').reduce((sum, c) => sum + c.bytes, 0);
  return (
    `${count('recompute').length} tensors recomputed (${(flops / 1e9).toFixed(1)} GFLOP), ` +
    `${count('spill').length} fetched from the ${plan.target.spaces.tiers[0].name} (${bytes(moved)}), about ${plan.memory.extraSeconds.toFixed(1)} s`
  );
}

const showType = ({ dtype, shape }: TensorType): string =>
  `${dtype}[${shape.map((dim) => `${dim.name}=${dim.size}`).join(' ')}]`;

/** The report as text for a terminal. */
export function formatPlan(r: PlanReport, mostCollectives = 12): string {
  const layout = Object.entries(r.layout).map(([dim, axis]) => `${dim}:${axis}`);
  const lines = [
    `mesh          ${r.mesh}${layout.length > 0 ? `, layout ${layout.join(' ')}` : ''}`,
    `parameters    ${r.parameters.toLocaleString('en')}`,
    `work          ${(r.flops / 1e9).toFixed(1)} GFLOP a step in ${r.kernels} kernels`,
    `sent          ${bytes(r.bytesSent.total)} a step: ${bytes(r.bytesSent.exchange)} in exchanges, ${bytes(r.bytesSent.allReduce)} in all-reduces`,
    `memory        ${bytes(r.peakBytesPerRank)} a rank at most; ${bytes(r.predictedPeakBytes)} for ${r.processes === 1 ? 'one process with all ranks' : `each of ${r.processes} processes`}`,
    '',
    'rank  work GFLOP   tensors    variables  sends      boxes',
  ];
  for (const rank of r.ranks) {
    const boxes = Object.entries(rank.boxes)
      .filter(([, box]) => box !== '[]')
      .map(([name, box]) => `${name}${box}`);
    lines.push(
      [
        String(rank.rank).padEnd(6),
        (rank.flops / 1e9).toFixed(1).padEnd(13),
        bytes(rank.tensorBytes).padEnd(11),
        bytes(rank.variableBytes).padEnd(11),
        bytes(rank.exchangeBytes).padEnd(11),
        boxes.join(' '),
      ].join(''),
    );
  }
  if (r.extra !== undefined) {
    lines.push('', `to fit memory: ${r.extra}; ${r.tier} ${bytes(r.spillBytes)}`);
    for (const c of r.comebacks)
      lines.push(`  ${c.how.padEnd(11)}${bytes(c.bytes).padEnd(11)}${c.tensor}  ${c.name}`);
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
