// What a Winograd convolution does before it runs: tile sizes and transformed weights. As in conv_plan.h, all of it follows from
// the layer alone.
#pragma once
#include "conv/conv_store.h"

namespace hm::conv {

struct WinogradPlan {
  explicit WinogradPlan(const hm_view &out_box) : out(out_box) {}
  OutBlocks out;
  InputLayout input;         // steps of two planes along d, of one row and one position along h and w
  int64_t tile[3];           // outputs of a work item; even
  std::vector<int> channels; // of each input block
  int64_t in_channels = 0;   // their sum
  int group_blocks;          // blocks of output channels that are in registers at a time
  int64_t chunk_blocks;      // of them in one work item
  int64_t chunk_tiles;       // groups of 2x2x2 outputs that are transformed at a time
  Buffer weight;             // [group of blocks][a][b][c / together][channel][c % together][block][16]

  int64_t weight_floats() const { return 64 * in_channels * 16; } // of one block of output channels
};

WinogradPlan winograd_plan(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &weight,
                           const hm_view &out_box);

// Steps of two planes along d, and of one row and one position along h and w.
void winograd_steps(const Axis axis[3], Axis steps[3]);
// kernel index of the tap with the i-th lowest offset.
int64_t tap_at(const Axis &axis, int64_t i);
// [lo, hi) made to begin and end at even coordinates.
inline Range even(Range r) { return {floor_div(r.lo, 2) * 2, ceil_div(r.hi, 2) * 2}; }

} // namespace hm::conv
