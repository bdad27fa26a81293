// Winograd convolutions: see winograd.h. A work item is a tile of the output, walked in pairs of planes. The ring (conv_input.h)
// loads the input planes that a pair needs. Then chunk by chunk of its 2x2x2 groups, small enough for the L1 and L2 caches: for
// each frequency a along d, the input transform of all input channels, their products with the weights (winograd_micro.h), and
// the output transform, which adds to the chunk's output rows. The epilogue takes the finished rows.
#include "winograd/winograd.h"
#include "conv/tiled_job.h"
#include "winograd/winograd_micro.h"
#include "winograd/winograd_plan.h"
#include "winograd/winograd_transform.h"
#include <algorithm>

namespace hm::conv {
namespace {

class Worker {
public:
  Worker(const WinogradPlan &plan, const hm_view &out_box, const hm_program &epilogue)
      : plan_(plan), ring_(plan.input.floats, plan.input.row_floats), rows_(plan.out, out_box, epilogue, plan.tile[2]) {
    int64_t most = most_tiles(plan);
    v_ = Buffer(4 * int64_t(plan.channels.size()) * most * 64);
    m_ = Buffer(4 * plan.group_blocks * most * 32);
    sums_ = Buffer(plan.chunk_blocks * most * 8 * 16);
  }

  // Output blocks [first, last) of a tile.
  void run(const Tile &tile, int64_t first, int64_t last, double *partial) {
    tile_ = tile;
    first_ = first, last_ = last;
    Tile whole = tile;
    for (Range &r : whole.at) r = even(r);
    ring_.start(plan_.input, whole);
    const Range &h = whole.at[1], &w = whole.at[2];
    int64_t rows = h.size() / 2, cols = w.size() / 2;
    int64_t col_parts = ceil_div(cols, plan_.chunk_tiles), most_cols = ceil_div(cols, col_parts);
    int64_t row_parts = ceil_div(rows, std::max<int64_t>(1, plan_.chunk_tiles / most_cols));
    for (int64_t d = whole.at[0].lo; d < whole.at[0].hi; d += 2) {
      ring_.advance(d);
      for (int64_t i = 0; i < row_parts; i++)
        for (int64_t j = 0; j < col_parts; j++) {
          if (d + 2 < whole.at[0].hi) ring_.prefetch(d + 1, row_parts * col_parts);
          compute(d, {rows * i / row_parts, rows * (i + 1) / row_parts}, {cols * j / col_parts, cols * (j + 1) / col_parts});
          for (int64_t b = first; b < last; b++) emit(d, b, partial);
        }
    }
  }

private:
  // Groups of a chunk at most.
  static int64_t most_tiles(const WinogradPlan &plan) {
    return std::min(plan.chunk_tiles, plan.tile[1] * plan.tile[2] / 4);
  }

  // Chunk: rows and columns of groups, counted from the tile's first.
  void compute(int64_t d, Range rows, Range cols) {
    chunk_rows_ = rows, chunk_cols_ = cols;
    int64_t tiles = rows.size() * cols.size(), v_block = tiles * 64, n = int64_t(plan_.channels.size()), v_step = n * v_block;
    for (int a = 0; a < 4; a++) {
      for (int64_t i = 0; i < n; i++) transform_block(a, d, i, v_block, v_step);
      for (int64_t b = first_; b < last_; b += plan_.group_blocks) {
        int count = int(std::min<int64_t>(plan_.group_blocks, last_ - b));
        multiply(a, b, count, tiles, v_block, v_step);
        for (int i = 0; i < count; i++) join(a, b + i, m_.data() + i * tiles * 32, count * tiles * 32);
      }
    }
  }

  void transform_block(int a, int64_t d, int64_t i, int64_t v_block, int64_t v_step) {
    const Block &block = plan_.input.blocks[size_t(i)];
    const Axis *axis = plan_.input.axis;
    const float *planes[4];
    float *to = v_.data() + i * v_block;
    for (int64_t r = chunk_rows_.lo; r < chunk_rows_.hi; r++, to += chunk_cols_.size() * 64) {
      for (int64_t p = 0; p < 4; p++)
        planes[p] = ring_.data() + ring_.at(block, d, axis[0].low + p, axis[1].low, axis[2].low) + 2 * r * block.row +
                    2 * chunk_cols_.lo * block.step;
      winograd_input(a, planes, block.row, block.width, chunk_cols_.size(), {to, v_step, 16, 64});
    }
  }

  // Products of frequencies (a, 0..3, 0..3) for `count` blocks of output channels, into m_: [b][block][tile][2][16].
  void multiply(int a, int64_t block, int count, int64_t tiles, int64_t v_block, int64_t v_step) {
    WinogradCall call;
    call.channels = plan_.channels.data();
    call.n_blocks = int64_t(plan_.channels.size());
    call.v_block = v_block;
    call.out_block = tiles * 32;
    call.frequency = plan_.in_channels * count * 16;
    const float *weight = plan_.weight.data() + block * plan_.weight_floats() + a * 16 * call.frequency;
    int64_t pieces = ceil_div(tiles, winograd_tiles(count));
    for (int b = 0; b < 4; b++, weight += 4 * call.frequency)
      for (int64_t p = 0; p < pieces; p++) {
        int64_t from = tiles * p / pieces, to = tiles * (p + 1) / pieces;
        winograd_micro(int(to - from), count)(call, v_.data() + b * v_step + from * 64, weight,
                                              m_.data() + b * count * tiles * 32 + from * 32);
      }
  }

  // Rows of the chunk, [block][plane][row][position][16].
  float *sums(int64_t block, int64_t plane, int64_t row) const {
    return sums_.data() + (((block - first_) * 2 + plane) * 2 * chunk_rows_.size() + row) * chunk_cols_.size() * 32;
  }

  void join(int a, int64_t block, const float *m, int64_t m_step) {
    for (int64_t r = 0; r < chunk_rows_.size(); r++, m += chunk_cols_.size() * 32) {
      float *const rows[2][2] = {{sums(block, 0, 2 * r), sums(block, 0, 2 * r + 1)},
                                 {sums(block, 1, 2 * r), sums(block, 1, 2 * r + 1)}};
      winograd_output(a, m, m_step, chunk_cols_.size(), rows);
    }
  }

  // Stores those rows and positions of the chunk that lie in the tile.
  void emit(int64_t d, int64_t block, double *partial) {
    const Range &in_d = tile_.at[0], &in_h = tile_.at[1], &in_w = tile_.at[2];
    int64_t h0 = even(in_h).lo + 2 * chunk_rows_.lo, w0 = even(in_w).lo + 2 * chunk_cols_.lo;
    int64_t lo = std::max(w0, in_w.lo), hi = std::min(w0 + 2 * chunk_cols_.size(), in_w.hi);
    for (int64_t p = std::max<int64_t>(0, in_d.lo - d); p < std::min<int64_t>(2, in_d.hi - d); p++)
      for (int64_t y = std::max<int64_t>(0, in_h.lo - h0); y < std::min(2 * chunk_rows_.size(), in_h.hi - h0); y++)
        rows_.store(tile_.n, d + p, h0 + y, lo, hi - lo, block, sums(block, p, y) + (lo - w0) * 16, partial);
  }

  const WinogradPlan &plan_;
  InputRing ring_;
  RowStore rows_;
  Buffer v_;    // [b][input block][tile][c][16]
  Buffer m_;    // [b][output block][tile][2][16]
  Buffer sums_;
  Tile tile_{};
  int64_t first_ = 0, last_ = 0;
  Range chunk_rows_{}, chunk_cols_{};
};

} // namespace

std::unique_ptr<ConvJob> winograd_job(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &weight,
                                      const hm_view &out_box, const hm_program &epilogue) {
  return std::make_unique<TiledJob<WinogradPlan, Worker>>(winograd_plan(axis, sources, n_sources, weight, out_box), out_box, epilogue);
}

} // namespace hm::conv
