// A convolution whose work items are a tile of the output and a chunk of its channel blocks.
#pragma once
#include "conv/conv_job.h"
#include "conv/conv_sums.h"
#include "runtime/threads.h"
#include <algorithm>
#include <memory>
#include <utility>

namespace hm::conv {

// Plan has out.blocks, chunk_blocks and tile; Worker is made from (plan, out_box, epilogue), one a thread, and has
// run(tile, first block, last block, partial sums).
template <class Plan, class Worker> class TiledJob final : public ConvJob {
public:
  TiledJob(Plan plan, const hm_view &out_box, const hm_program &epilogue)
      : plan_(std::move(plan)), out_box_(out_box), epilogue_(epilogue), tiles_(tiles_of(out_box, plan_.tile)), sums_(epilogue, out_box, tiles_) {
    grow();
  }

  const std::vector<Tile> &tiles() const override { return tiles_; }

  void run(const std::vector<int64_t> &which) override {
    grow();
    int64_t chunks = ceil_div(plan_.out.blocks, plan_.chunk_blocks);
    parallel_for(int64_t(which.size()) * chunks, [&](int64_t item, int thread) {
      int64_t t = which[size_t(item / chunks)], first = item % chunks * plan_.chunk_blocks;
      workers_[size_t(thread)]->run(tiles_[size_t(t)], first, std::min(plan_.out.blocks, first + plan_.chunk_blocks), sums_.of(t));
    });
  }

  void finish() override { sums_.finish(); }

private:
  // One worker a thread; the pool may have changed since the job began.
  void grow() {
    while (int(workers_.size()) < thread_count()) workers_.emplace_back(new Worker(plan_, out_box_, epilogue_));
  }

  Plan plan_;
  const hm_view &out_box_;
  const hm_program &epilogue_;
  std::vector<Tile> tiles_;
  TileSums sums_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

} // namespace hm::conv
