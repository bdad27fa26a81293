// Arithmetic of windows along one space axis, and the grid of tiles.
//
// Both directions of a window are one form. With j counting steps, output out_step*j + r reads, for every tap of class r,
// input in_step*j + offset:
//   gather  (convolution, pooling):      o reads o*stride - pad + dilation*k:        out_step = 1, in_step = stride, one class
//   scatter (their transposes):          i is hit by the (o, k) with i = o*stride - pad + dilation*k, that is
//                                        o = (i + pad - dilation*k) / stride where it divides: out_step = stride, in_step = 1,
//                                        one class for each residue r = i mod stride
// So inside a class both are dense convolutions.
#pragma once
#include "halomesh.h"
#include <cstdint>
#include <vector>

namespace hm::conv {

inline int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }
inline int64_t floor_mod(int64_t a, int64_t b) { return a - floor_div(a, b) * b; }
inline int64_t ceil_div(int64_t a, int64_t b) { return -floor_div(-a, b); }

struct Range {
  int64_t lo, hi; // half-open
  int64_t size() const { return hi - lo; }
};

struct Tap {
  int64_t k, offset; // position in the kernel
};

struct Axis {
  int64_t in_step = 1, out_step = 1;
  std::vector<std::vector<Tap>> classes; // [r]: taps in rising order of k
  int64_t low = 0, high = 0;             // smallest and largest offset of all classes
  int64_t span() const { return high - low + 1; }
  // Steps of the outputs in `out`, all classes.
  Range steps(Range out) const { return {floor_div(out.lo, out_step), floor_div(out.hi - 1, out_step) + 1}; }
  // Steps j whose output out_step*j + r lies in `out`.
  Range steps(Range out, int64_t r) const { return {ceil_div(out.lo - r, out_step), ceil_div(out.hi - r, out_step)}; }
  // Hull of the inputs inside 0..extent-1 that the outputs in `out` read; empty: {0, 0}.
  Range reads(Range out, int64_t extent) const;
  // The same where `group` outputs of three successive taps are computed together, from multiples of it on (winograd/plane.h).
  Range reads_in_groups(Range out, int64_t extent, int64_t group) const;
};

Axis gather_axis(const hm_window &window, int axis);
Axis scatter_axis(const hm_window &window, int axis);

struct Tile {
  int64_t n;
  Range at[3]; // outputs along d, h, w
};

// The tiles of a box in the order n, d, h, w. Tiles are aligned to multiples of `size` in global coordinates.
std::vector<Tile> tiles_of(const hm_view &box, const int64_t size[3]);

} // namespace hm::conv
