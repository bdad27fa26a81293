/**
 * What HALOMESH_DEBUG asks for; 0 when it is not set.
 *
 *   1  the plan when a program is loaded, and the stack of errors
 *   2  and every operation with its time, GFLOP/s and GB/s
 *   3  and what is fused with it, the boxes that it reads and writes, and their bytes
 */
export function debugLevel(): number {
  return Number(process.env.HALOMESH_DEBUG ?? 0) || 0;
}
