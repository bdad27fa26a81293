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
