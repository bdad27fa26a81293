// A convolution over one output box, tile by tile in any order.
#pragma once
#include "conv/conv_axis.h"
#include <vector>

namespace hm::conv {

class ConvJob {
public:
  virtual ~ConvJob() = default;
  virtual const std::vector<Tile> &tiles() const = 0;
  // Computes the tiles of these numbers. Arguments of the call that made the job must stay as they are.
  virtual void run(const std::vector<int64_t> &which) = 0;
  // Combines the partial sums, after every tile was computed once.
  virtual void finish() = 0;
};

} // namespace hm::conv
