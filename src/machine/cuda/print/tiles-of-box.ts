import { SUM_BLOCKS } from './frame.ts';

// How the blocks of a kernel share a box in tiles along d, h, w: one behind the other along d.

/**
 * Tiles of a box of `space` positions, done by `groups` groups of blocks: blocks of a group, tiles along h and w, and tiles along d of
 * one block, as many as leave blocks enough.
 */
export function tilesIn(
  space: readonly number[],
  tile: readonly number[],
  groups: number,
): { readonly tiles: number; readonly high: number; readonly wide: number; readonly run: number } {
  const [deep, high, wide] = tile.map((length, i) => Math.ceil(space[i] / length));
  const most = Math.max(1, Math.floor(SUM_BLOCKS / (groups * high * wide)));
  const run = Math.ceil(deep / Math.min(deep, most));
  return { tiles: Math.ceil(deep / run) * high * wide, high, wide, run };
}

/** Group and case of a block, and where its tiles begin in the box and end along d; `a.run` counts positions there. */
export function placeOfBlock(tile: readonly number[]): string {
  return `  const u32 place = blockIdx.x % (u32)a.tiles, group = blockIdx.x / (u32)a.tiles;
  const int out = (int)(group % (u32)a.outputs), n = (int)a.start[0] + (int)(group / (u32)a.outputs);
  const int w0 = (int)a.start[3] + ${tile[2]} * (int)(place % (u32)a.wide), h0 = (int)a.start[2] + ${tile[1]} * (int)(place / (u32)a.wide % (u32)a.high);
  const int begin = (int)a.start[1] + (int)(place / (u32)a.wide / (u32)a.high * (u32)a.run);
  const int end = min(begin + (int)a.run, (int)(a.start[1] + a.size[1]));
`;
}

/** Position v of a tile, passed over where it lies beyond the box. */
export function placeInTile(tile: readonly number[]): string {
  return `        const int d = d0 + v / ${tile[1] * tile[2]}, h = h0 + v / ${tile[2]} % ${tile[1]}, w = w0 + v % ${tile[2]};
        if (d >= end || h >= (int)(a.start[2] + a.size[2]) || w >= (int)(a.start[3] + a.size[3])) continue;
`;
}
