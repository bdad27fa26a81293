// What a weight gradient does before it runs: chunks of channels, tiles and groups of tiles. It follows from the layer and the
// loop box, never from the number of threads.
#pragma once
#include "conv/conv_input.h"

namespace hm::conv {

struct GradPlace { // of a tap in the kernel
  Tap at[3];
};

struct GradChunk {
  InputLayout input;
  std::vector<Block> dy;
  bool planar;         // the scalars are x
  int64_t vectors;     // (block of x, tap), or blocks of dy where planar
  int64_t scalars;     // 16 for each block of dy, or (block of x, tap, channel) where planar
  int64_t sums() const { return vectors * scalars * 16; } // [vector][scalar][16]
};

struct GradPlan {
  int64_t tile[3], cell[3], groups;
  std::vector<GradPlace> places;
  std::vector<GradChunk> chunks;
  std::vector<Tile> tiles;
};

GradPlan grad_plan(const Axis axis[3], const std::vector<Block> &x, const std::vector<Block> &dy, const hm_view &box,
                   const int64_t cell[3]);

} // namespace hm::conv
