// The partial sums of an epilogue: one slot for each tile, combined in tile order at the end.
#pragma once
#include "conv/conv_axis.h"
#include "rows/rows.h"

namespace hm::conv {

class TileSums {
public:
  TileSums(const hm_program &epilogue, const hm_view &box, const std::vector<Tile> &tiles)
      : epilogue_(epilogue), box_(box), tiles_(tiles), slot_(size_t(sum_count(epilogue) * box.size[HM_C])),
        partials_(slot_ * tiles.size()) {}

  double *of(int64_t tile) { return slot_ ? &partials_[size_t(tile) * slot_] : nullptr; }

  void finish() const {
    std::vector<int64_t> n;
    for (const Tile &tile : tiles_) n.push_back(tile.n);
    finish_sums(epilogue_, box_, partials_.data(), n.data(), int64_t(n.size()), box_.size[HM_C]);
  }

private:
  const hm_program &epilogue_;
  const hm_view &box_;
  const std::vector<Tile> &tiles_;
  size_t slot_;
  std::vector<double> partials_;
};

} // namespace hm::conv
