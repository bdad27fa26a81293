// What F(4x4, 3x3) does before it runs: tile sizes and transformed weights. As in conv_plan.h, all of it follows from the layer alone.
#pragma once
#include "conv/conv_store.h"
#include "winograd/plane_transform.h"

namespace hm::conv {

struct PlanePlan {
  explicit PlanePlan(const hm_view &out_box) : out(out_box) {}
  OutBlocks out;
  InputLayout input;
  int64_t tile[3];           // outputs of a work item; along h and w multiples of plane_tile
  std::vector<int> channels; // of each input block
  int64_t in_channels = 0;   // their sum
  int group_blocks;          // blocks of output channels that are in registers at a time
  int64_t chunk_blocks;      // of them in one work item
  int64_t chunk_tiles;       // tiles of 4x4 outputs that are transformed at a time
  Buffer weight;             // [group of blocks][b][c / together][channel][c % together][block][16]

  int64_t weight_floats() const { return 36 * in_channels * 16; } // of one block of output channels
};

PlanePlan plane_plan(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &weight, const hm_view &out_box);

// [lo, hi) made to begin and end at multiples of plane_tile.
inline Range whole_tiles(Range r) { return {floor_div(r.lo, plane_tile) * plane_tile, ceil_div(r.hi, plane_tile) * plane_tile}; }
inline Tile whole_tiles(Tile tile) {
  for (int a = 1; a < 3; a++) tile.at[a] = whole_tiles(tile.at[a]);
  return tile;
}

} // namespace hm::conv
