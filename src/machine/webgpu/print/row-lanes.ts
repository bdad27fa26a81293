import { type Place, SLOT_C } from '../../formats/index.ts';
import type { Row, RowOp } from '../../rows/index.ts';

// How many lanes of a position a thread takes, and where they lie.

/** Instructions that need all channels of a position at once. */
export const OVER_LANES: readonly RowOp[] = ['LANE', 'LABEL', 'SOFTMAX', 'LOG_SOFTMAX', 'LANE_SUM', 'ARGMAX'];
export const overLanes = ({ instructions }: Row): boolean =>
  instructions.some(({ op }) => OVER_LANES.includes(op));

/** Registers that lanes may take. */
const MOST_REGISTERS = 128;

/** What rows need: the first channel that they are asked for, how many there are, and lanes. */
export interface Lanes {
  readonly first: number;
  readonly channels: number;
  readonly lanes: number;
}

/** Lanes that a thread takes at once: what lies side by side, as far as registers reach. `others`: registers a lane beside the rows'. */
export function lanesOfRows(rows: readonly Row[], channels: number, others = 0): number {
  const has = (row: Row, ops: readonly RowOp[]) =>
    row.instructions.filter(({ op }) => ops.includes(op)).length;
  if (rows.some((row) => has(row, OVER_LANES) > 0)) return channels;
  if (rows.some(({ wide }) => wide)) return 1;
  const registers = rows.map((row) => row.registers + 2 * has(row, ['SUM']));
  const each = registers.reduce((sum, x) => sum + x, others);
  let lanes = 16;
  while (lanes > 1 && channels % lanes !== 0) lanes /= 2;
  // Few channels that no power of two divides, or an odd number of many.
  if (lanes < 4 && channels > lanes) lanes = Math.min(channels, 16);
  while (lanes > 1 && lanes * each > MOST_REGISTERS && lanes % 2 === 0) lanes /= 2;
  return lanes;
}

/** Whether `lanes` channels are whole fours that lie side by side. */
export function byFours(place: Place, { first, channels, lanes }: Lanes): boolean {
  if (lanes % 4 !== 0 || channels % lanes !== 0) return false;
  const [n, d, h, w, c] = place.stride;
  const inside = place.block === 1 ? c === 1 : place.block % 4 === 0 && c % 4 === 0;
  return inside && [n, d, h, w, first - place.start[SLOT_C]].every((step) => step % 4 === 0);
}
