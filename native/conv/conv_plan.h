// What a convolution does before it runs: tile sizes, groups of runs, packed weights. All of it follows from the layer (window,
// channels, global extents) alone, never from a rank's box or the number of threads, so neither do the results.
#pragma once
#include "conv/conv_store.h"

namespace hm::conv {

constexpr int most_taps = 4;

// Taps of one block of input channels that read successive positions of a row.
struct Run {
  int block;
  Tap d, h, w[most_taps];
};

// Runs that one call of the inner kernel sums over; their weights fit in the L1 cache.
struct RunGroup {
  std::vector<Run> runs;
  int taps;         // of every run
  int64_t channels; // of every run; those of a block of 16 are padded to a multiple of 4
  bool planar;
  int64_t channel_step, row, step; // as in Block
  int64_t weight;                  // floats per block of output channels before this group's
};

struct ConvPlan {
  explicit ConvPlan(const hm_view &out_box) : out(out_box) {}
  OutBlocks out;
  InputLayout input;
  int64_t tile[3];
  std::vector<std::vector<RunGroup>> classes; // [(rd * classes of h + rh) * classes of w + rw]
  int group_blocks;                           // of them in registers at a time
  int64_t chunk_blocks;                       // of them in one work item
  int64_t weight_floats;                      // packed, for one block of output channels
  Buffer weight;                              // [group of blocks][class][group of runs][run][channel][tap][block][16]

  const std::vector<RunGroup> &groups(int64_t rd, int64_t rh, int64_t rw) const {
    return classes[size_t((rd * input.axis[1].out_step + rh) * input.axis[2].out_step + rw)];
  }
};

// Tile sizes along d, h, w (multiples of out_step): the least estimated time among those whose ring of `input_width` floats a
// position (+ `other_width` a position of one output plane) fits in the cache. `work`: multiply-adds of a position in
// vectors; `chunks`: work items per tile.
void choose_tile(const Axis axis[3], int64_t input_width, int64_t other_width, double work, int64_t chunks,
                 const int64_t out_global[5], int64_t tile[3]);

ConvPlan conv_plan(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &weight,
                   const hm_view &out_box);

} // namespace hm::conv
