// How kernels cut a box into the pieces that threads take. Cuts lie at global multiples, so a tile is the same whatever box it
// is part of; each tile has its own partial sums, so results do not depend on the number of threads.
#pragma once
#include "halomesh.h"
#include <algorithm>
#include <vector>

namespace hm {

// Cuts [start, start + size) at multiples of `step`.
struct Cuts {
  int64_t start, end, step, first, count;
  Cuts(int64_t start_, int64_t size, int64_t step_) : start(start_), end(start_ + size), step(step_) {
    auto floor_div = [&](int64_t x) { return x >= 0 ? x / step : -((step - 1 - x) / step); };
    first = floor_div(start);
    count = size <= 0 ? 0 : floor_div(end - 1) - first + 1;
  }
  int64_t from(int64_t i) const { return std::max(start, (first + i) * step); }
  int64_t to(int64_t i) const { return std::min(end, (first + i + 1) * step); }
};

// One n, one d, h within a global multiple of `tile_h`, w within a global multiple of `tile_w`, all channels.
struct Tile {
  int64_t n, d, h0, h1, w0, w1;
};

struct Tiles {
  static constexpr int64_t tile_h = 8;
  const hm_view &box;
  Cuts hs, ws;
  int64_t count;

  Tiles(const hm_view &box_, int64_t tile_w)
      : box(box_), hs(box.start[HM_H], box.size[HM_H], tile_h), ws(box.start[HM_W], box.size[HM_W], tile_w),
        count(box.size[HM_N] * box.size[HM_D] * hs.count * ws.count) {}

  Tile operator[](int64_t t) const {
    int64_t w = t % ws.count, h = t / ws.count % hs.count, nd = t / (ws.count * hs.count);
    return {box.start[HM_N] + nd / box.size[HM_D], box.start[HM_D] + nd % box.size[HM_D], hs.from(h), hs.to(h),
            ws.from(w), ws.to(w)};
  }

  std::vector<int64_t> cases() const { // the n of each tile
    std::vector<int64_t> n(static_cast<size_t>(count));
    for (int64_t t = 0; t < count; t++) n[size_t(t)] = (*this)[t].n;
    return n;
  }
};

inline int64_t volume(const hm_view &box) {
  int64_t v = 1;
  for (int i = 0; i < HM_DIMS; i++) v *= box.size[i];
  return v;
}

} // namespace hm
