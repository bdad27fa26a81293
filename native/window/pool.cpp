// Pooling, and the gradient of average pooling.
//   hm_pool           y[p][c] = max, or mean, over k of x[p*stride - pad + dilation*k][c]
//   hm_avg_pool_grad  dx[i][c] = sum over the windows p that read i of dy[p][c] / (positions that the mean of p counts)
// Both combine, row by row, the rows that the ring of input planes (conv_input.h) holds; see conv_axis.h for how the second
// is the same loop as the first. A work item is a tile of the output and one block of channels.
#include "conv/conv_check.h"
#include "conv/conv_plan.h"
#include "conv/conv_sums.h"
#include "runtime/threads.h"
#include "runtime/view.h"
#include <algorithm>
#include <cmath>

namespace hm::conv {
namespace {

enum Kind { pool_max = 0, pool_mean = 1, pool_mean_inside = 2 };

// 1 / (positions along one axis that the mean of window o counts). A mean over no position is 0.
struct Weights {
  std::vector<float> of[3];
  Weights(int32_t kind, const hm_window &window, const int64_t outputs[3], const int64_t extent[3]) {
    for (int a = 0; a < 3; a++)
      for (int64_t o = 0; o < outputs[a]; o++) {
        int64_t count = kind == pool_mean ? window.kernel[a] : 0;
        for (int64_t k = 0; k < window.kernel[a] && kind == pool_mean_inside; k++) {
          int64_t i = o * window.stride[a] - window.pad[a] + window.dilation[a] * k;
          count += i >= 0 && i < extent[a];
        }
        of[a].push_back(count ? float(1.0 / double(count)) : 0.0f);
      }
  }
};

// out[x][lane] = f(out[x][lane], in[x][lane], x) for `count` positions, `step` floats apart in out.
template <class F> HM_INLINE void combine(float *out, int64_t step, const float *in, int64_t count, int64_t block, F f) {
  if (block == 16)
    for (int64_t x = 0; x < count; x++) {
      HM_INDEPENDENT
      for (int64_t l = 0; l < 16; l++) out[x * step + l] = f(out[x * step + l], in[x * 16 + l], x);
    }
  else
    for (int64_t x = 0; x < count; x++)
      for (int64_t l = 0; l < block; l++) out[x * step + l] = f(out[x * step + l], in[x * block + l], x);
}

struct Plan {
  int32_t kind;
  bool gradient;
  int64_t tile[3];
  std::vector<InputLayout> blocks; // of channels
  const Weights *weights;          // of the mean; null for the maximum
};

class Worker {
public:
  Worker(const Plan &plan, const hm_view &out_box, const hm_program &epilogue)
      : plan_(plan), box_(out_box), epilogue_(epilogue), ring_(plan.blocks[0].floats, plan.blocks[0].row_floats),
        row_(plan.tile[2] * out_box.block) {}

  void run(const Tile &tile, const InputLayout &layout, double *partial) {
    ring_.start(layout, tile);
    const Block &block = layout.blocks[0];
    for (int64_t d = tile.at[0].lo; d < tile.at[0].hi; d++) {
      ring_.advance(d);
      for (int64_t h = tile.at[1].lo; h < tile.at[1].hi; h++) {
        compute(tile, layout, d, h);
        Row row{tile.n, d, h, tile.at[2].lo, tile.at[2].size(), block.c0, block.lanes, box_.block};
        store_row(epilogue_, scratch_, row, row_.data(), partial, box_.start[HM_C], box_.size[HM_C]);
      }
    }
  }

private:
  void compute(const Tile &tile, const InputLayout &layout, int64_t d, int64_t h) {
    const Axis *axis = layout.axis;
    const Block &block = layout.blocks[0];
    std::fill_n(row_.data(), tile.at[2].size() * box_.block, plan_.weights ? 0.0f : -INFINITY);
    int64_t step_d = floor_div(d, axis[0].out_step), step_h = floor_div(h, axis[1].out_step);
    int64_t line = (step_h - axis[1].steps(tile.at[1]).lo) * axis[1].in_step * block.row, first = axis[2].steps(tile.at[2]).lo;
    for (const Tap &td : axis[0].classes[size_t(floor_mod(d, axis[0].out_step))])
      for (const Tap &th : axis[1].classes[size_t(floor_mod(h, axis[1].out_step))])
        for (int64_t rw = 0; rw < axis[2].out_step; rw++) {
          Range w = axis[2].steps(tile.at[2], rw);
          float *out = row_.data() + (w.lo * axis[2].out_step + rw - tile.at[2].lo) * box_.block;
          for (const Tap &tw : axis[2].classes[size_t(rw)]) {
            int64_t from = ring_.at(block, d, td.offset, th.offset, tw.offset) + line + (w.lo - first) * block.step;
            const float *in = ring_.data() + from;
            add(out, axis[2].out_step * box_.block, in, w, step_d + td.offset, step_h + th.offset, tw.offset);
          }
        }
    if (!plan_.weights || plan_.gradient) return;
    const std::vector<float> *of = plan_.weights->of;
    float outer = of[0][size_t(d)] * of[1][size_t(h)];
    combine(row_.data(), box_.block, row_.data(), tile.at[2].size(), box_.block,
            [&](float sum, float, int64_t x) { return sum * (outer * of[2][size_t(tile.at[2].lo + x)]); });
  }

  // Adds one row of the ring. For the gradient (in_step 1): it is row (d, h) of dy, from w.lo + offset on.
  void add(float *out, int64_t step, const float *in, Range w, int64_t d, int64_t h, int64_t offset) {
    if (!plan_.weights)
      return combine(out, step, in, w.size(), box_.block, [](float a, float b, int64_t) { return ((b > a) | (b != b)) ? b : a; });
    if (!plan_.gradient) return combine(out, step, in, w.size(), box_.block, [](float a, float b, int64_t) { return a + b; });
    const std::vector<float> *of = plan_.weights->of;
    int64_t first = w.lo + offset, last = int64_t(of[2].size());
    if (d < 0 || d >= int64_t(of[0].size()) || h < 0 || h >= int64_t(of[1].size())) return;
    int64_t from = std::min(std::max<int64_t>(0, -first), w.size()), to = std::max(from, std::min(w.size(), last - first));
    float outer = of[0][size_t(d)] * of[1][size_t(h)];
    const float *inner = of[2].data() + first + from;
    combine(out + from * step, step, in + from * box_.block, to - from, box_.block,
            [&](float sum, float g, int64_t x) { return sum + g * (outer * inner[x]); });
  }

  const Plan &plan_;
  const hm_view &box_;
  const hm_program &epilogue_;
  InputRing ring_;
  Buffer row_;
  RowScratch scratch_;
};

int run(const char *kernel, const char *what, Plan plan, const Axis axis[3], const hm_source *source, const hm_view *out_box,
        const hm_program *epilogue) {
  if (!epilogue) return fail("%s: epilogue is null", kernel);
  if (check_program(*epilogue, *out_box, kernel) || check_reads(axis, source, 1, *out_box, kernel, what) ||
      check_channels(*source, *out_box, kernel, what))
    return 1;
  std::vector<Tile> tiles;
  if (is_empty(*out_box)) return TileSums(*epilogue, *out_box, tiles).finish(), 0;
  int64_t block = out_box->block, blocks = ceil_div(out_box->size[HM_C], block);
  double taps = 1;
  for (int a = 0; a < 3; a++) taps *= double(axis[a].span());
  choose_tile(axis, block, block, taps, blocks, out_box->global, plan.tile);
  for (const Block &b : blocks_like(*out_box, *source))
    plan.blocks.push_back(layout_of(axis, plan.tile, {b}, plan.weights ? 0.0f : -INFINITY));
  tiles = tiles_of(*out_box, plan.tile);
  TileSums sums(*epilogue, *out_box, tiles);
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < thread_count(); i++) workers.emplace_back(new Worker(plan, *out_box, *epilogue));
  parallel_for(int64_t(tiles.size()) * blocks, [&](int64_t item, int thread) {
    int64_t t = item / blocks;
    workers[size_t(thread)]->run(tiles[size_t(t)], plan.blocks[size_t(item % blocks)], sums.of(t));
  });
  sums.finish();
  return 0;
}

int check_kind(int32_t kind, int32_t lowest, const char *kernel) {
  if (kind >= lowest && kind <= pool_mean_inside) return 0;
  return fail("%s: kind: expected %d to %d, got %d", kernel, int(lowest), int(pool_mean_inside), int(kind));
}

int pool(int32_t kind, const hm_window *window, const hm_source *x, const hm_view *out_box, const hm_program *epilogue) {
  const char *kernel = "hm_pool";
  if (check_kind(kind, pool_max, kernel) || check_window(window, kernel) || check_sources(x, 1, kernel, "x") ||
      check_out_box(out_box, kernel, "out_box"))
    return 1;
  Axis axis[3];
  for (int a = 0; a < 3; a++) axis[a] = gather_axis(*window, a);
  Weights weights(kind, *window, out_box->global + HM_D, x->box.global + HM_D);
  return run(kernel, "x", {kind, false, {}, {}, kind == pool_max ? nullptr : &weights}, axis, x, out_box, epilogue);
}

int avg_pool_grad(int32_t kind, const hm_window *window, const int64_t *x_global, const hm_source *dy, const hm_view *out_box,
                  const hm_program *epilogue) {
  const char *kernel = "hm_avg_pool_grad";
  if (check_kind(kind, pool_mean, kernel) || check_window(window, kernel) || check_sources(dy, 1, kernel, "dy") ||
      check_out_box(out_box, kernel, "out_box"))
    return 1;
  if (!x_global) return fail("%s: x_global is null", kernel);
  for (int i = 0; i < HM_DIMS; i++)
    if (x_global[i] != out_box->global[i])
      return fail("%s: x_global: dimension %s: expected %lld as in out_box, got %lld", kernel, dim_names[i],
                  (long long)out_box->global[i], (long long)x_global[i]);
  Axis axis[3];
  for (int a = 0; a < 3; a++) axis[a] = scatter_axis(*window, a);
  Weights weights(kind, *window, dy->box.global + HM_D, x_global + HM_D);
  return run(kernel, "dy", {kind, true, {}, {}, &weights}, axis, dy, out_box, epilogue);
}

} // namespace
} // namespace hm::conv

using namespace hm;

int hm_pool(int32_t kind, const hm_window *window, const hm_source *x, const hm_view *out_box, const hm_program *epilogue) {
  return guarded("hm_pool", [&] { return conv::pool(kind, window, x, out_box, epilogue); });
}

int hm_avg_pool_grad(int32_t kind, const hm_window *window, const int64_t x_global[5], const hm_source *dy, const hm_view *out_box,
                     const hm_program *epilogue) {
  return guarded("hm_avg_pool_grad", [&] { return conv::avg_pool_grad(kind, window, x_global, dy, out_box, epilogue); });
}
