// hm_resize and hm_resize_grad: nearest or linear between voxels, half-pixel centres, separable over d, h, w.
//
//   Along an axis of n inputs and m outputs, output o reads low with weight 1 - f and high with weight f:
//     nearest  low = high = min(floor((o + 1/2) * n/m), n - 1), f = 0
//     linear   s = max((o + 1/2) * n/m - 1/2, 0), low = floor(s), high = min(low + 1, n - 1), f = s - low
//   y[o] = sum of weight * x[i];   dx[i] = sum of the same weight * dy[o]
//
// Both are one kernel: every target position has a list of (source position, weight) per axis. A tile first sums source
// rows over d, then over h, then positions over w.
#include "rows/rows_ops.h"
#include "runtime/threads.h"
#include "rows/tiles.h"

namespace hm {
namespace {

using ll = long long;
enum { nearest = 0, linear = 1 };
constexpr int64_t extent_limit = 1 << 24; // along an axis: each target has a list

struct Tap {
  int64_t from;
  float weight;
};

// Taps of the targets [start, start + size) of an axis, one list after the other.
struct Axis {
  int64_t start;
  std::vector<Tap> taps;
  std::vector<size_t> first; // of each target, and the end
  int64_t low = INT64_MAX, high = INT64_MIN; // sources read: [low, high)

  const Tap *begin(int64_t target) const { return taps.data() + first[size_t(target - start)]; }
  const Tap *end(int64_t target) const { return taps.data() + first[size_t(target - start + 1)]; }
};

struct Pair {
  int64_t low, high;
  double fraction;
};

Pair reads(int kind, int64_t o, int64_t n, int64_t m) { // in whole numbers: the same everywhere
  if (kind == nearest) {
    int64_t at = std::min((2 * o + 1) * n / (2 * m), n - 1);
    return {at, at, 0};
  }
  int64_t s = std::max<int64_t>((2 * o + 1) * n - m, 0), low = s / (2 * m); // s in units of 1 / 2m
  return {low, std::min(low + 1, n - 1), double(s - low * 2 * m) / double(2 * m)};
}

Axis finished(Axis axis, const std::vector<std::vector<Tap>> &lists) {
  for (const auto &list : lists) {
    axis.first.push_back(axis.taps.size());
    for (const Tap &t : list) {
      axis.taps.push_back(t);
      axis.low = std::min(axis.low, t.from), axis.high = std::max(axis.high, t.from + 1);
    }
  }
  axis.first.push_back(axis.taps.size());
  return axis;
}

// Outputs [start, start + size) of m read from n inputs.
Axis forward_axis(int kind, int64_t start, int64_t size, int64_t n, int64_t m) {
  std::vector<std::vector<Tap>> lists(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; i++) {
    const Pair p = reads(kind, start + i, n, m);
    if (p.low == p.high) lists[size_t(i)] = {{p.low, 1.0f}};
    else lists[size_t(i)] = {{p.low, float(1 - p.fraction)}, {p.high, float(p.fraction)}};
  }
  return finished({start, {}, {}}, lists);
}

// Inputs [start, start + size) of n collect from those of the m outputs that read them.
Axis backward_axis(int kind, int64_t start, int64_t size, int64_t n, int64_t m) {
  std::vector<std::vector<Tap>> lists(static_cast<size_t>(size));
  auto add = [&](int64_t i, int64_t o, double weight) {
    if (i >= start && i < start + size) lists[size_t(i - start)].push_back({o, float(weight)});
  };
  for (int64_t o = 0; o < m; o++) {
    const Pair p = reads(kind, o, n, m);
    if (p.low == p.high) add(p.low, o, 1);
    else add(p.low, o, 1 - p.fraction), add(p.high, o, p.fraction);
  }
  return finished({start, {}, {}}, lists);
}

void add_scaled(float *__restrict to, const float *__restrict from, float weight, int64_t n, bool first) {
  if (first && weight == 1.0f) std::memcpy(to, from, size_t(n) * 4);
  else if (first)
    for (int64_t i = 0; i < n; i++) to[i] = weight * from[i];
  else
    for (int64_t i = 0; i < n; i++) to[i] += weight * from[i];
}

// to[w][lane] = sum over taps of weight * from[tap][lane]; `fixed` lanes where known when compiled.
template <int fixed> void along_w(float *__restrict to, const float *__restrict from, const Axis &ws, int64_t size, int64_t block) {
  const int64_t lanes = fixed ? fixed : block;
  for (int64_t w = 0; w < size; w++, to += lanes) {
    for (int64_t l = 0; l < lanes; l++) to[l] = 0;
    for (const Tap *tap = ws.begin(ws.start + w); tap < ws.end(ws.start + w); tap++)
      for (int64_t l = 0; l < lanes; l++) to[l] += tap->weight * from[tap->from * lanes + l];
  }
}

struct Scratch {
  RowScratch rows;
  std::vector<float> loaded, planes, line, out;
};

int resize(const char *kernel, const hm_source *x, const hm_view *out_box, const hm_program *epilogue, const Axis axis[3]) {
  const hm_view &box = *out_box;
  const int64_t *start = box.start, *size = box.size, channels = size[HM_C];
  if (volume(box) == 0) return 0;
  hm_view source = x->box; // the part of it that is read
  source.block = box.block;
  source.start[HM_N] = start[HM_N], source.size[HM_N] = size[HM_N];
  source.start[HM_C] = start[HM_C], source.size[HM_C] = channels;
  for (int a = 0; a < 3; a++) {
    const bool none = axis[a].taps.empty(); // of this box no position is read by any output
    source.start[HM_D + a] = none ? 0 : axis[a].low, source.size[HM_D + a] = none ? 0 : axis[a].high - axis[a].low;
  }
  if (check_covers(x->box, source, kernel, "source")) return 1;
  if (check_program(x->load, source, kernel) || check_program(*epilogue, box, kernel)) return 1;
  if (x->load.result < 0) return fail("%s: the source's program has no result", kernel);

  const Axis &ds = axis[0], &hs = axis[1], &ws = axis[2];
  const int64_t slot = sum_count(*epilogue) * channels, block = box.block;
  const int64_t w_from = source.start[HM_W], width = source.size[HM_W], values = width * block;
  const Tiles tiles(box, int64_t(1) << 40);
  std::vector<double> partials(size_t(tiles.count * slot));
  parallel_for(tiles.count, [&](int64_t t, int) {
    static thread_local Scratch s;
    const Tile tile = tiles[t];
    int64_t h_low = INT64_MAX, h_high = INT64_MIN; // source rows that the tile reads
    for (const Tap *tap = hs.begin(tile.h0); tap < hs.end(tile.h1 - 1); tap++)
      h_low = std::min(h_low, tap->from), h_high = std::max(h_high, tap->from + 1);
    const int64_t rows = h_high > h_low ? h_high - h_low : 0; // none: no output reads the tile
    s.loaded.resize(size_t(values)), s.line.resize(size_t(values)), s.planes.resize(size_t(rows * values));
    s.out.resize(size_t(size[HM_W] * block));
    Row in{tile.n, 0, 0, w_from, width, 0, 0, int(block)};
    Row out{tile.n, tile.d, 0, start[HM_W], size[HM_W], 0, 0, int(block)};
    for (int64_t c = 0; c < channels; c += block) {
      in.c0 = out.c0 = start[HM_C] + c;
      in.lanes = out.lanes = int(std::min(block, channels - c));
      const Tap *d_first = ds.begin(tile.d), *d_end = ds.end(tile.d);
      for (int64_t r = 0; r < rows && values; r++) { // over d
        float *plane = s.planes.data() + r * values;
        if (d_first == d_end) std::fill(plane, plane + values, 0.0f);
        for (const Tap *tap = d_first; tap < d_end; tap++) {
          in.d = tap->from, in.h = h_low + r;
          const bool direct = tap == d_first && tap->weight == 1.0f;
          load_row(x->load, s.rows, in, direct ? plane : s.loaded.data());
          if (!direct) add_scaled(plane, s.loaded.data(), tap->weight, values, tap == d_first);
        }
      }
      for (out.h = tile.h0; out.h < tile.h1; out.h++) {
        if (hs.begin(out.h) == hs.end(out.h)) std::fill(s.line.begin(), s.line.end(), 0.0f);
        for (const Tap *tap = hs.begin(out.h); tap < hs.end(out.h); tap++) // over h
          add_scaled(s.line.data(), s.planes.data() + (tap->from - h_low) * values, tap->weight, values, tap == hs.begin(out.h));
        const float *line = s.line.data() - w_from * block; // over w
        block == 16 ? along_w<16>(s.out.data(), line, ws, size[HM_W], 16) : along_w<0>(s.out.data(), line, ws, size[HM_W], block);
        store_row(*epilogue, s.rows, out, s.out.data(), slot ? partials.data() + t * slot : nullptr, start[HM_C], channels);
      }
    }
  });
  if (slot) finish_sums(*epilogue, box, partials.data(), tiles.cases().data(), tiles.count, channels);
  return 0;
}

int check(const char *kernel, int32_t kind, const hm_source *x, const hm_view *out_box, const hm_program *epilogue) {
  if (kind != nearest && kind != linear) return fail("%s: kind %d is not 0 (nearest) or 1 (linear)", kernel, int(kind));
  if (!x || !epilogue) return fail("%s: %s is null", kernel, x ? "epilogue" : "source");
  if (check_box(out_box, kernel, "out_box") || check_box(&x->box, kernel, "box of the source") ||
      check_inside(*out_box, kernel, "out_box") || check_inside(x->box, kernel, "box of the source"))
    return 1;
  for (int a = HM_D; a <= HM_W; a++) {
    if (std::max(x->box.global[a], out_box->global[a]) > extent_limit)
      return fail("%s: dimension %s: global extents %lld and %lld: expected %lld at most", kernel, dim_names[a],
                  ll(x->box.global[a]), ll(out_box->global[a]), ll(extent_limit));
    if (x->box.global[a] < 1 || out_box->global[a] < 1)
      return fail("%s: dimension %s: global extents %lld and %lld must be at least 1", kernel, dim_names[a],
                  ll(x->box.global[a]), ll(out_box->global[a]));
  }
  return 0;
}

} // namespace
} // namespace hm

using namespace hm;

int hm_resize(int32_t kind, const hm_source *x, const hm_view *out_box, const hm_program *epilogue) {
  return guarded("hm_resize", [&] {
    if (check("hm_resize", kind, x, out_box, epilogue)) return 1;
    Axis axis[3];
    for (int a = 0; a < 3; a++)
      axis[a] = forward_axis(kind, out_box->start[HM_D + a], out_box->size[HM_D + a], x->box.global[HM_D + a],
                             out_box->global[HM_D + a]);
    return resize("hm_resize", x, out_box, epilogue, axis);
  });
}

int hm_resize_grad(int32_t kind, const hm_source *dy, const hm_view *out_box, const hm_program *epilogue) {
  return guarded("hm_resize_grad", [&] {
    if (check("hm_resize_grad", kind, dy, out_box, epilogue)) return 1;
    Axis axis[3];
    for (int a = 0; a < 3; a++)
      axis[a] = backward_axis(kind, out_box->start[HM_D + a], out_box->size[HM_D + a], out_box->global[HM_D + a],
                              dy->box.global[HM_D + a]);
    return resize("hm_resize_grad", dy, out_box, epilogue, axis);
  });
}
