import { type LocalNode, type LocalProgram, transferBytes } from './program.ts';

// What a process takes beside the arenas and variables of its ranks. Measured, bytes.

/** Before it trains anything: Node.js, its libraries and compiled code. */
const PROCESS_BYTES = 85 * 2 ** 20;
/** Tile memory of the kernels, transformed weights and sums of Winograd's filtering among it. */
const KERNEL_BYTES = 48 * 2 ** 20;
/** What a rank adds: its share of the bound program. */
const RANK_BYTES = 5 * 2 ** 20;

/** Resident bytes of a process that runs `ranks` ranks, beside their tensors. */
export function processBytes(ranks: number): number {
  return PROCESS_BYTES + KERNEL_BYTES + ranks * RANK_BYTES;
}

/** What MPI adds to a process. */
const MPI_BYTES = 16 * 2 ** 20;

/**
 * Resident bytes for messages of a process with one rank beside other processes: collectives run one after the other and use
 * the same bytes, so the one with most of them decides. 0 where all ranks are in one process.
 */
export function messageBytes({ nodes, mesh }: LocalProgram, processes: number): number {
  if (processes === 1) return 0;
  const ranks = Array.from({ length: mesh.size }, (_, rank) => rank);
  const most = nodes.flatMap((node) => ranks.map((rank) => messagesOf(node, rank)));
  return MPI_BYTES + most.reduce((a, b) => Math.max(a, b), 0);
}

/** Bytes that one rank has in messages at one time. */
function messagesOf({ collective, outputs: [value] }: LocalNode, rank: number): number {
  if (collective?.kind === 'exchange')
    return collective.transfers
      .filter(({ from, to }) => from !== to && (from === rank || to === rank))
      .reduce((sum, { box }) => sum + transferBytes(value, box), 0);
  if (collective?.kind !== 'all_reduce') return 0;
  const group = collective.groups.find((members) => members.includes(rank))!;
  const parts = group.length === 1 ? 0 : group[0] === rank ? group.length - 1 : 1;
  return parts * transferBytes(value, value.own[rank]);
}
