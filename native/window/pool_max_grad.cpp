// Gradient of max pooling.
//   dx[i][c] = sum over the windows p whose first largest element (in d, h, w order) is i of dy[p][c]
// A work item is a tile of dx and one block of channels. It looks for the largest element of every window that touches the
// tile (windows across tile borders are looked at twice) and adds dy there; windows are visited in rising order.
#include "conv/conv_check.h"
#include "conv/conv_input.h"
#include "conv/conv_sums.h"
#include "runtime/threads.h"
#include "runtime/view.h"
#include <algorithm>
#include <cmath>

namespace hm::conv {
namespace {

constexpr int64_t tile_size[3] = {4, 8, 64}; // at least one stride

struct Plan {
  hm_window window;
  Axis gather[3], scatter[3];
  int64_t tile[3], windows[3]; // of dx; windows that a tile touches at most
  int64_t outputs[3];          // windows in all
  std::vector<InputLayout> blocks;
  const hm_source *dy;
};

class Worker {
public:
  Worker(const Plan &plan, const hm_view &box, const hm_program &epilogue)
      : plan_(plan), box_(box), epilogue_(epilogue), ring_(plan.blocks[0].floats, plan.blocks[0].row_floats),
        dx_(plan.tile[0] * plan.tile[1] * plan.tile[2] * box.block), dy_(plan.windows[2] * box.block),
        best_(plan.windows[2] * box.block), where_(size_t(plan.windows[2] * box.block)) {}

  void run(const Tile &tile, const InputLayout &layout, double *partial) {
    tile_ = tile;
    const Block &block = layout.blocks[0];
    std::fill_n(dx_.data(), tile.at[0].size() * tile.at[1].size() * row_floats(), 0.0f);
    Tile windows{tile.n, {}};
    bool any = true;
    for (int a = 0; a < 3; a++) {
      windows.at[a] = plan_.scatter[a].reads(tile.at[a], plan_.outputs[a]);
      any = any && windows.at[a].size() > 0;
    }
    if (any) {
      ring_.start(layout, windows);
      for (int64_t d = windows.at[0].lo; d < windows.at[0].hi; d++) {
        ring_.advance(d);
        for (int64_t h = windows.at[1].lo; h < windows.at[1].hi; h++) add_row(layout, windows, d, h);
      }
    }
    const float *result = dx_.data();
    for (int64_t d = tile.at[0].lo; d < tile.at[0].hi; d++)
      for (int64_t h = tile.at[1].lo; h < tile.at[1].hi; h++, result += row_floats()) {
        Row row{tile.n, d, h, tile.at[2].lo, tile.at[2].size(), block.c0, block.lanes, box_.block};
        store_row(epilogue_, scratch_, row, result, partial, box_.start[HM_C], box_.size[HM_C]);
      }
  }

private:
  int64_t row_floats() const { return tile_.at[2].size() * box_.block; }

  // Windows (d, h, all of the tile): finds the largest elements, adds dy to theirs.
  void add_row(const InputLayout &layout, const Tile &windows, int64_t d, int64_t h) {
    const Block &block = layout.blocks[0];
    const Range w = windows.at[2];
    const int64_t n = w.size() * box_.block;
    float *best = best_.data();
    int32_t *where = where_.data(), place = 0;
    std::fill_n(best, n, -INFINITY);
    std::fill_n(where, n, 0);
    int64_t line = (h - windows.at[1].lo) * plan_.window.stride[1] * block.row;
    for (const Tap &td : layout.axis[0].classes[0])
      for (const Tap &th : layout.axis[1].classes[0])
        for (const Tap &tw : layout.axis[2].classes[0]) {
          const float *in = ring_.data() + ring_.at(block, d, td.offset, th.offset, tw.offset) + line;
          HM_INDEPENDENT
          for (int64_t i = 0; i < n; i++) {
            bool larger = (in[i] > best[i]) | ((in[i] != in[i]) & (best[i] == best[i]));
            best[i] = larger ? in[i] : best[i];
            where[i] = larger ? place : where[i];
          }
          place++;
        }
    Row row{tile_.n, d, h, w.lo, w.size(), block.c0, block.lanes, box_.block};
    load_row(plan_.dy->load, scratch_, row, dy_.data());
    place = 0;
    for (const Tap &td : layout.axis[0].classes[0])
      for (const Tap &th : layout.axis[1].classes[0])
        for (const Tap &tw : layout.axis[2].classes[0]) {
          const int64_t at_d = d * plan_.window.stride[0] + td.offset, at_h = h * plan_.window.stride[1] + th.offset;
          const int64_t to = (at_d - tile_.at[0].lo) * tile_.at[1].size() + at_h - tile_.at[1].lo;
          if (inside(0, at_d) && inside(1, at_h)) add_tap(w, tw.offset, place, dx_.data() + to * row_floats());
          place++;
        }
  }

  bool inside(int a, int64_t at) const { return at >= tile_.at[a].lo && at < tile_.at[a].hi; }

  // dx[w*stride + offset] += dy[w] where `place` is the largest.
  void add_tap(Range w, int64_t offset, int32_t place, float *dx) {
    const int64_t stride = plan_.window.stride[2], block = box_.block;
    const int64_t from = std::max(w.lo, ceil_div(tile_.at[2].lo - offset, stride));
    const int64_t to = std::min(w.hi, ceil_div(tile_.at[2].hi - offset, stride));
    for (int64_t x = from; x < to; x++) {
      float *out = dx + (x * stride + offset - tile_.at[2].lo) * block;
      const float *dy = dy_.data() + (x - w.lo) * block;
      const int32_t *where = where_.data() + (x - w.lo) * block;
      HM_INDEPENDENT
      for (int64_t l = 0; l < block; l++) out[l] += where[l] == place ? dy[l] : 0.0f;
    }
  }

  const Plan &plan_;
  const hm_view &box_;
  const hm_program &epilogue_;
  InputRing ring_;
  Buffer dx_, dy_, best_;
  std::vector<int32_t> where_;
  RowScratch scratch_;
  Tile tile_{};
};

// The windows that touch `box`: dy and, of those windows, x must be stored.
int check_stored(const Plan &plan, const hm_source &x, const hm_source &dy, const hm_view &box, const char *kernel) {
  hm_view windows = box;
  for (int a = 0; a < 3; a++) {
    int i = HM_D + a;
    Range hit = plan.scatter[a].reads({box.start[i], box.start[i] + box.size[i]}, plan.outputs[a]);
    windows.start[i] = hit.lo;
    windows.size[i] = hit.size();
  }
  return check_covers(dy.box, windows, kernel, "dy") || check_reads(plan.gather, &x, 1, windows, kernel, "x");
}

int max_pool_grad(const hm_window *window, const hm_source *x, const hm_source *dy, const hm_view *out_box,
                  const hm_program *epilogue) {
  const char *kernel = "hm_max_pool_grad";
  if (check_window(window, kernel) || check_sources(x, 1, kernel, "x") || check_sources(dy, 1, kernel, "dy") ||
      check_out_box(out_box, kernel, "out_box"))
    return 1;
  if (!epilogue) return fail("%s: epilogue is null", kernel);
  if (check_program(*epilogue, *out_box, kernel) || check_channels(*x, *out_box, kernel, "x") ||
      check_channels(*dy, *out_box, kernel, "dy"))
    return 1;
  Plan plan;
  plan.window = *window;
  plan.dy = dy;
  for (int a = 0; a < 3; a++) {
    int64_t stride = window->stride[a], extent = std::max<int64_t>(1, out_box->global[HM_D + a]);
    plan.gather[a] = gather_axis(*window, a);
    plan.scatter[a] = scatter_axis(*window, a);
    plan.outputs[a] = dy->box.global[HM_D + a];
    plan.tile[a] = ceil_div(std::min(tile_size[a], extent), stride) * stride;
    plan.windows[a] = ceil_div(plan.tile[a] + plan.gather[a].span(), stride) + 1;
  }
  if (check_stored(plan, *x, *dy, *out_box, kernel)) return 1;
  std::vector<Tile> tiles;
  if (is_empty(*out_box)) return TileSums(*epilogue, *out_box, tiles).finish(), 0;
  for (const Block &b : blocks_like(*out_box, *x)) plan.blocks.push_back(layout_of(plan.gather, plan.windows, {b}, -INFINITY));
  tiles = tiles_of(*out_box, plan.tile);
  TileSums sums(*epilogue, *out_box, tiles);
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < thread_count(); i++) workers.emplace_back(new Worker(plan, *out_box, *epilogue));
  int64_t blocks = int64_t(plan.blocks.size());
  parallel_for(int64_t(tiles.size()) * blocks, [&](int64_t item, int thread) {
    int64_t t = item / blocks;
    workers[size_t(thread)]->run(tiles[size_t(t)], plan.blocks[size_t(item % blocks)], sums.of(t));
  });
  sums.finish();
  return 0;
}

} // namespace
} // namespace hm::conv

int hm_max_pool_grad(const hm_window *window, const hm_source *x, const hm_source *dy, const hm_view *out_box,
                     const hm_program *epilogue) {
  return hm::guarded("hm_max_pool_grad", [&] { return hm::conv::max_pool_grad(window, x, dy, out_box, epilogue); });
}
