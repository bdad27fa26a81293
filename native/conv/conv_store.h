// How a convolution's finished rows leave: from blocks of 16 lanes to blocks of the output's width, through the epilogue.
#pragma once
#include "conv/conv_input.h"
#include <algorithm>

namespace hm::conv {

// The output channels of a call, in blocks of 16 lanes: as many of the output's own blocks as fit lie in one.
struct OutBlocks {
  int64_t c0, channels; // of the output
  int block_channels;   // of them in one block of 16 lanes
  int64_t blocks;

  explicit OutBlocks(const hm_view &out_box)
      : c0(out_box.start[HM_C]), channels(out_box.size[HM_C]), block_channels(16 / out_box.block * out_box.block),
        blocks(ceil_div(channels, block_channels)) {}
  // Channels of a block, from the first of the output.
  Range of(int64_t block) const { return {block * block_channels, std::min((block + 1) * block_channels, channels)}; }
};

class RowStore {
public:
  // Rows of at most `positions`.
  RowStore(const OutBlocks &out, const hm_view &box, const hm_program &epilogue, int64_t positions)
      : out_(out), box_(box), epilogue_(epilogue), row_(positions * 16) {}

  // The row [w0, w0 + count) at (n, d, h) of one block. `result`: [position][16]; `partial`: sums of the row's tile.
  void store(int64_t n, int64_t d, int64_t h, int64_t w0, int64_t count, int64_t block, const float *result, double *partial) {
    Range channels = out_.of(block);
    for (int64_t c = channels.lo; c < channels.hi; c += box_.block) {
      const float *from = result;
      if (box_.block < 16) {
        for (int64_t x = 0; x < count; x++)
          std::copy_n(result + x * 16 + (c - channels.lo), box_.block, row_.data() + x * box_.block);
        from = row_.data();
      }
      Row row{n, d, h, w0, count, out_.c0 + c, int(std::min<int64_t>(box_.block, channels.hi - c)), box_.block};
      store_row(epilogue_, scratch_, row, from, partial, out_.c0, out_.channels);
    }
  }

private:
  const OutBlocks &out_;
  const hm_view &box_;
  const hm_program &epilogue_;
  Buffer row_;
  RowScratch scratch_;
};

} // namespace hm::conv
