// Convolutions by F(4x4, 3x3): see plane.h. A work item is a tile of the output, walked plane by plane. The ring (conv_input.h) loads the
// input plane. Then chunk by chunk of its tiles of 4x4 outputs, small enough for the L2 cache: the input transform of all input channels,
// their products with the weights (plane_micro.h), and the output transform along h. The epilogue takes the finished rows.
#include "winograd/plane.h"
#include "conv/tiled_job.h"
#include "winograd/plane_micro.h"
#include "winograd/plane_plan.h"
#include <algorithm>

namespace hm::conv {
namespace {

class Worker {
public:
  Worker(const PlanePlan &plan, const hm_view &out_box, const hm_program &epilogue)
      : plan_(plan), ring_(plan.input.floats, plan.input.row_floats), rows_(plan.out, out_box, epilogue, plan.tile[2]) {
    int64_t most = std::min(plan.chunk_tiles, plan.tile[1] * plan.tile[2] / 16);
    v_ = Buffer(int64_t(plan.channels.size()) * most * 36 * 16);
    m_ = Buffer(6 * plan.group_blocks * most * 64);
    sums_ = Buffer(plan.group_blocks * most * 16 * 16);
  }

  // Output blocks [first, last) of a tile.
  void run(const Tile &tile, int64_t first, int64_t last, double *partial) {
    tile_ = tile;
    Tile whole = whole_tiles(tile);
    ring_.start(plan_.input, whole);
    const Range &h = whole.at[1], &w = whole.at[2];
    int64_t rows = h.size() / 4, cols = w.size() / 4;
    int64_t col_parts = ceil_div(cols, plan_.chunk_tiles), most_cols = ceil_div(cols, col_parts);
    int64_t row_parts = ceil_div(rows, std::max<int64_t>(1, plan_.chunk_tiles / most_cols));
    for (int64_t d = tile.at[0].lo; d < tile.at[0].hi; d++) {
      ring_.advance(d);
      for (int64_t i = 0; i < row_parts; i++)
        for (int64_t j = 0; j < col_parts; j++) {
          if (d + 1 < tile.at[0].hi) ring_.prefetch(d, row_parts * col_parts);
          rows_of_ = {rows * i / row_parts, rows * (i + 1) / row_parts};
          cols_ = {cols * j / col_parts, cols * (j + 1) / col_parts};
          compute(d, first, last, partial);
        }
    }
  }

private:
  int64_t tiles() const { return rows_of_.size() * cols_.size(); }

  void compute(int64_t d, int64_t first, int64_t last, double *partial) {
    int64_t n = int64_t(plan_.channels.size()), v_block = tiles() * 96, v_step = n * v_block, m_step = tiles() * 64;
    for (int64_t i = 0; i < n; i++) transform(d, i, {v_.data() + i * v_block, v_step, 16, 96});
    for (int64_t o = first; o < last; o += plan_.group_blocks) {
      int count = int(std::min<int64_t>(plan_.group_blocks, last - o));
      multiply(o, count, v_block, v_step);
      for (int i = 0; i < count; i++) {
        join(m_.data() + i * m_step, count * m_step, i);
        emit(d, o + i, sums(i, 0), partial);
      }
    }
  }

  // Frequencies of one input block: v_ is [b][input block][tile][c][16].
  void transform(int64_t d, int64_t i, PlaneFrequencies v) {
    const Block &b = plan_.input.blocks[size_t(i)];
    const Axis *axis = plan_.input.axis;
    const float *from = ring_.data() + ring_.at(b, d, axis[0].low, axis[1].low, axis[2].low) + 4 * rows_of_.lo * b.row + 4 * cols_.lo * b.step;
    for (int64_t r = 0; r < rows_of_.size(); r++, from += 4 * b.row, v.at += cols_.size() * v.tile_step)
      plane_input(from, b.row, b.width, cols_.size(), v);
  }

  // Products of `count` output blocks, transformed along w: m_ is [b][output block][tile][4][16].
  void multiply(int64_t block, int count, int64_t v_block, int64_t v_step) {
    PlaneCall call;
    call.channels = plan_.channels.data();
    call.n_blocks = int64_t(plan_.channels.size());
    call.v_block = v_block;
    call.out_block = tiles() * 64;
    call.frequency = plan_.in_channels * count * 16;
    const float *weight = plan_.weight.data() + block * plan_.weight_floats();
    int64_t pieces = ceil_div(tiles(), plane_tiles(count));
    for (int b = 0; b < 6; b++, weight += 6 * call.frequency)
      for (int64_t p = 0; p < pieces; p++) {
        int64_t from = tiles() * p / pieces, to = tiles() * (p + 1) / pieces;
        plane_micro(int(to - from), count)(call, v_.data() + b * v_step + from * 96, weight, m_.data() + b * count * call.out_block + from * 64);
      }
  }

  // A row of the chunk: sums_ is [output block][row][position][16].
  float *sums(int64_t i, int64_t row) const { return sums_.data() + (i * 4 * rows_of_.size() + row) * cols_.size() * 64; }

  void join(const float *m, int64_t m_step, int64_t i) {
    for (int64_t r = 0; r < rows_of_.size(); r++, m += cols_.size() * 64) {
      float *const rows[4] = {sums(i, 4 * r), sums(i, 4 * r + 1), sums(i, 4 * r + 2), sums(i, 4 * r + 3)};
      plane_output(m, m_step, cols_.size() * 64, rows);
    }
  }

  // Stores those rows and positions of the chunk that lie in the tile.
  void emit(int64_t d, int64_t block, const float *sums, double *partial) {
    const Range &in_h = tile_.at[1], &in_w = tile_.at[2];
    int64_t h0 = whole_tiles(in_h).lo + 4 * rows_of_.lo, w0 = whole_tiles(in_w).lo + 4 * cols_.lo, width = 4 * cols_.size();
    int64_t lo = std::max(w0, in_w.lo), hi = std::min(w0 + width, in_w.hi);
    for (int64_t y = std::max<int64_t>(0, in_h.lo - h0); y < std::min(4 * rows_of_.size(), in_h.hi - h0); y++)
      rows_.store(tile_.n, d, h0 + y, lo, hi - lo, block, sums + (y * width + lo - w0) * 16, partial);
  }

  const PlanePlan &plan_;
  InputRing ring_;
  RowStore rows_;
  Buffer v_, m_, sums_;
  Tile tile_{};
  Range rows_of_{}, cols_{}; // tiles of the chunk, counted from the first of the work item
};

} // namespace

std::unique_ptr<ConvJob> plane_job(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &weight,
                                   const hm_view &out_box, const hm_program &epilogue) {
  return std::make_unique<TiledJob<PlanePlan, Worker>>(plane_plan(axis, sources, n_sources, weight, out_box), out_box, epilogue);
}

} // namespace hm::conv
