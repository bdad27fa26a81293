// Windows along one axis, and the grid of tiles: see conv_axis.h.
#include "conv/conv_axis.h"
#include <algorithm>

namespace hm::conv {
namespace {

void set_span(Axis &axis) {
  bool first = true;
  for (auto &taps : axis.classes)
    for (auto &tap : taps) {
      axis.low = first ? tap.offset : std::min(axis.low, tap.offset);
      axis.high = first ? tap.offset : std::max(axis.high, tap.offset);
      first = false;
    }
}

} // namespace

Axis gather_axis(const hm_window &window, int a) {
  Axis axis;
  axis.in_step = window.stride[a];
  axis.classes.resize(1);
  for (int64_t k = 0; k < window.kernel[a]; k++) axis.classes[0].push_back({k, window.dilation[a] * k - window.pad[a]});
  set_span(axis);
  return axis;
}

Axis scatter_axis(const hm_window &window, int a) {
  Axis axis;
  axis.out_step = window.stride[a];
  axis.classes.resize(size_t(window.stride[a]));
  for (int64_t r = 0; r < axis.out_step; r++)
    for (int64_t k = 0; k < window.kernel[a]; k++) {
      int64_t at = r + window.pad[a] - window.dilation[a] * k;
      if (floor_mod(at, axis.out_step) == 0) axis.classes[size_t(r)].push_back({k, floor_div(at, axis.out_step)});
    }
  set_span(axis);
  return axis;
}

Range Axis::reads(Range out, int64_t extent) const {
  Range hull{0, 0};
  for (int64_t o = out.lo; o < out.hi; o++)
    for (auto &tap : classes[size_t(floor_mod(o, out_step))]) {
      int64_t i = floor_div(o, out_step) * in_step + tap.offset;
      if (i < 0 || i >= extent) continue;
      hull = hull.size() ? Range{std::min(hull.lo, i), std::max(hull.hi, i + 1)} : Range{i, i + 1};
    }
  return hull;
}

// All that the groups read, but the first input for a group's first output alone, and the last for its last.
Range Axis::reads_in_groups(Range out, int64_t extent, int64_t group) const {
  if (out.size() <= 0) return {0, 0};
  Range whole{floor_div(out.lo, group) * group, ceil_div(out.hi, group) * group};
  int64_t lo = std::max<int64_t>(0, whole.lo + low + (out.lo > whole.lo)), hi = std::min(extent, whole.hi + high - (out.hi < whole.hi));
  return hi > lo ? Range{lo, hi} : Range{0, 0};
}

std::vector<Tile> tiles_of(const hm_view &box, const int64_t size[3]) {
  std::vector<Range> along[3];
  for (int a = 0; a < 3; a++) {
    int64_t lo = box.start[HM_D + a], hi = lo + box.size[HM_D + a];
    for (int64_t at = floor_div(lo, size[a]) * size[a]; at < hi; at += size[a])
      along[a].push_back({std::max(lo, at), std::min(hi, at + size[a])});
  }
  std::vector<Tile> tiles;
  if (box.size[HM_C] == 0) return tiles;
  for (int64_t n = box.start[HM_N]; n < box.start[HM_N] + box.size[HM_N]; n++)
    for (auto &d : along[0])
      for (auto &h : along[1])
        for (auto &w : along[2]) tiles.push_back({n, {d, h, w}});
  return tiles;
}

} // namespace hm::conv
