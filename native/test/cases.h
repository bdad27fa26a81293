// Random layers and boxes, and what the tests of windowed kernels share.
#pragma once
#include "tensors.h"

namespace test {

inline Random rng;
inline long failures = 0, compared = 0;

inline void report(const char *what, const char *text) {
  if (failures++ < 20) std::printf("FAILED %s: %s\n", what, text);
}

// One random layer. `in` is what the window reads, `out` what it writes (as in a forward convolution).
struct Case {
  hm_window window{};
  bool transpose = false, wide = false;
  bool plane = false; // outputs take what those beside them in a tile of 4x4 along h and w do (winograd/plane.h)
  int64_t n = 1, in[3], out[3], in_channels = 0, out_channels; // global; `in` is that of the kernel's sources
  std::vector<int64_t> source_channels;

  void draw(bool scatter) {
    transpose = scatter;
    int dims = int(rng.range(1, 3));
    n = rng.range(1, 2);
    for (int a = 0; a < 3; a++) {
      bool used = a >= 3 - dims;
      window.kernel[a] = used ? rng.range(1, rng.chance(15) ? 7 : 3) : 1;
      window.stride[a] = used ? rng.range(1, rng.chance(40) ? 3 : 1) : 1;
      window.dilation[a] = used ? rng.range(1, rng.chance(25) ? 3 : 1) : 1;
      int64_t reach = window.dilation[a] * (window.kernel[a] - 1);
      window.pad[a] = used ? rng.range(0, reach) : 0;
      int64_t read = used ? rng.range(1, dims == 3 ? 9 : 20) : rng.range(1, 2); // extents of the read and the written side
      int64_t padded = read + window.pad[a] + rng.range(0, reach + 1);
      int64_t written = std::max<int64_t>(1, (padded - reach - 1) / window.stride[a] + 1);
      if (rng.chance(5) && dims < 3 && a == 2) read = rng.range(100, 150), written = std::max<int64_t>(1, (read + window.pad[a] - reach) / window.stride[a]);
      in[a] = scatter ? written : read;
      out[a] = scatter ? read : written;
    }
    wide = rng.chance(3); // many channels, or many tiles
    if (wide && rng.chance(50))
      for (int a = 0; a < 3; a++) in[a] += a == 2 ? rng.range(30, 60) : rng.range(0, 20), out[a] = extent_of_output(a);
    const int64_t some[] = {1, 2, 3, 5, 8, 12, 16, 17, 20, 32, 40};
    const int64_t first[] = {1, 3, 8, 16, 32};
    source_channels.clear();
    if (rng.chance(30)) source_channels.push_back(rng.pick(first));
    source_channels.push_back(rng.pick(some));
    in_channels = 0;
    for (int64_t c : source_channels) in_channels += c;
    out_channels = rng.pick(some);
    const int64_t large[] = {64, 70, 130};
    if (wide && in[2] < 30) source_channels.assign(1, in_channels = rng.pick(large)), out_channels = rng.pick(large);
  }

  // Extent along axis a that fits `in`, without padding on the high side.
  int64_t extent_of_output(int a) const {
    int64_t reach = window.dilation[a] * (window.kernel[a] - 1);
    if (transpose) return std::max<int64_t>(1, (in[a] - 1) * window.stride[a] + 1 + reach - window.pad[a]);
    return std::max<int64_t>(1, (in[a] + window.pad[a] - reach - 1) / window.stride[a] + 1);
  }

  // Calls f(input position, k) for every term of output position `p`.
  template <class F> void terms(const int64_t p[5], F f) const {
    int64_t k[3], at[5] = {p[0], 0, 0, 0, 0};
    for (k[0] = 0; k[0] < window.kernel[0]; k[0]++)
      for (k[1] = 0; k[1] < window.kernel[1]; k[1]++)
        for (k[2] = 0; k[2] < window.kernel[2]; k[2]++) {
          bool inside = true;
          for (int a = 0; a < 3; a++) {
            int64_t i = transpose ? p[a + 1] + window.pad[a] - window.dilation[a] * k[a]
                                  : p[a + 1] * window.stride[a] - window.pad[a] + window.dilation[a] * k[a];
            if (transpose && i % window.stride[a] != 0) inside = false;
            at[a + 1] = transpose ? i / window.stride[a] : i;
            inside = inside && i >= 0 && at[a + 1] < in[a];
          }
          if (inside) f(at, k);
        }
  }

  Box random_box(const int64_t space[3], int64_t channels) const {
    Box box;
    const int64_t extent[5] = {n, space[0], space[1], space[2], channels};
    bool whole = rng.chance(40);
    for (int i = 0; i < 5; i++) {
      box.start[i] = whole ? 0 : rng.range(0, extent[i] - 1);
      box.size[i] = whole ? extent[i] : rng.range(1, extent[i] - box.start[i]);
    }
    if (rng.chance(3)) box.size[rng.range(0, 4)] = 0;
    return box;
  }

  // The smallest box that holds what the positions of `out_box` read.
  Box reads(const Box &out_box) const {
    Box box{};
    if (plane) { // what any output of the box takes, output by output
      for (int a = 0; a < 4; a++) {
        int64_t shift = a == 0 ? 0 : transpose ? window.pad[a - 1] + 1 - window.kernel[a - 1] : -window.pad[a - 1], lo = 1, hi = 0;
        for (int64_t o = out_box.start[a]; o < out_box.start[a] + out_box.size[a]; o++) {
          int64_t tile = a > 1 ? o / 4 * 4 : o, first = a > 1 ? tile + (o > tile) : o, last = a > 1 ? tile + 4 + (o == tile + 3) : o;
          first = std::max<int64_t>(0, first + shift), last = std::min((a ? in[a - 1] : n) - 1, last + shift);
          if (first > last) continue;
          lo = hi < lo ? first : std::min(lo, first), hi = hi < lo ? last : std::max(hi, last);
        }
        box.start[a] = hi < lo ? 0 : lo, box.size[a] = hi < lo ? 0 : hi + 1 - lo;
      }
      return box;
    }
    bool any = false;
    int64_t at[5];
    auto visit = [&](const int64_t *p) {
      terms(p, [&](const int64_t *i, const int64_t *) {
        for (int a = 0; a < 4; a++) {
          int64_t lo = any ? std::min(box.start[a], i[a]) : i[a], hi = any ? std::max(box.start[a] + box.size[a], i[a] + 1) : i[a] + 1;
          box.start[a] = lo, box.size[a] = hi - lo;
        }
        any = true;
      });
    };
    Box plane = out_box;
    plane.start[4] = 0, plane.size[4] = out_box.size[4] ? 1 : 0;
    Tensor::each_of(plane, at, 0, visit);
    if (any) return box;
    box.start[0] = out_box.start[0], box.size[0] = out_box.size[0];
    for (int a = 1; a < 4; a++) box.start[a] = 0, box.size[a] = 1;
    return box;
  }
};

inline int32_t random_dtype() { return rng.chance(30) ? HM_BF16 : HM_F32; }
inline int32_t block_of(int64_t channels) { return rng.chance(10) ? 1 : int32_t(std::min<int64_t>(channels, 16)); }

// Runs `call` with 1, 2 and 3 threads; `memory` must come out the same.
template <class F> bool on_threads(const char *what, std::vector<Memory *> memory, F call) {
  std::vector<Memory> first;
  for (int threads = 1; threads <= 3; threads++) {
    hm_set_threads(threads);
    if (call()) return report(what, hm_error()), false;
    for (size_t m = 0; m < memory.size(); m++) {
      if (threads == 1) first.push_back(*memory[m]);
      else if (first[m] != *memory[m]) return report(what, "differs with the number of threads"), false;
    }
  }
  return true;
}

inline void check(const char *what, const Case &c, double got, double want, double magnitude, bool rounded) {
  compared++;
  if (std::fabs(got - want) <= 2e-6 * magnitude + (rounded ? std::fabs(want) / 200 : 0) + 1e-6) return;
  char text[400];
  std::snprintf(text, sizeof text, "got %g, expected %g (kernel %d %d %d stride %d %d %d dilation %d %d %d, %d -> %d channels)", got, want,
                int(c.window.kernel[0]), int(c.window.kernel[1]), int(c.window.kernel[2]), int(c.window.stride[0]), int(c.window.stride[1]),
                int(c.window.stride[2]), int(c.window.dilation[0]), int(c.window.dilation[1]), int(c.window.dilation[2]),
                int(c.in_channels), int(c.out_channels));
  report(what, text);
}

} // namespace test
