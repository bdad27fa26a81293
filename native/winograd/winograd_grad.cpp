// Winograd weight gradients: see winograd.h. A work item is a chunk of channels (some blocks of x, some of dy) and a group of
// successive tiles, as in conv_weight_grad.cpp. Its thread walks over pairs of planes of the tiles. Strip by strip of 2x2x2 groups,
// a row of cells of float32 sums, and for each frequency a along d: transforms of x and of dy, then their outer products
// (conv_grad_micro.h, with groups for positions) for each (b, c), cell by cell, into the item's float64 sums.
#include "conv/conv_grad_micro.h"
#include "conv/conv_grad_sums.h"
#include "conv/conv_plan.h"
#include "runtime/view.h"
#include "winograd/winograd.h"
#include "winograd/winograd_plan.h"
#include "winograd/winograd_transform.h"

namespace hm::conv {
namespace {

constexpr int64_t most_pairs = 6;   // blocks of x times blocks of dy in a chunk; each has 128 KiB of sums
constexpr int64_t strip_groups = 64; // in a strip, where its cells are no larger
constexpr int64_t pad = 16;         // floats between frequencies: powers of two apart they would share sets of the L1 cache
constexpr int64_t work_items = 32;  // wanted, as in conv_grad_plan.cpp

struct Chunk {
  InputLayout input;
  std::vector<Block> dy;
  int64_t vectors() const { return int64_t(input.blocks.size()); }
  int64_t scalars() const { return int64_t(dy.size()) * 16; }
  int64_t sums() const { return 64 * vectors() * scalars() * 16; } // [a][b][c][vector][scalar][16]
};

struct Plan {
  int64_t tile[3], cell[3], groups;
  int64_t strip; // groups of 2x2x2 in one
  std::vector<Tile> tiles;
  std::vector<Chunk> chunks;
};

// How many blocks of x and of dy a chunk has: few chunks load few rows again.
void chunk_sizes(int64_t x, int64_t dy, int64_t &of_x, int64_t &of_dy) {
  double best = 0;
  for (int64_t i = 1; i <= std::min(x, most_pairs); i++)
    for (int64_t j = 1; j <= std::min(dy, most_pairs / i); j++) {
      double loads = double(x * ceil_div(dy, j) + dy * ceil_div(x, i));
      if (best && loads >= best) continue;
      best = loads, of_x = i, of_dy = j;
    }
}

Plan plan_of(const Axis axis[3], const std::vector<Block> &x, const std::vector<Block> &dy, const hm_view &box,
             const int64_t cell[3]) {
  Plan plan;
  int64_t of_x = 1, of_dy = 1, n_x = int64_t(x.size()), n_dy = int64_t(dy.size());
  chunk_sizes(n_x, n_dy, of_x, of_dy);
  int64_t n_chunks = ceil_div(n_x, of_x) * ceil_div(n_dy, of_dy);
  Axis steps[3];
  winograd_steps(axis, steps);
  // Products, and transforms and float64 sums beside them.
  double work = 8 * double(of_x * of_dy) * 16 * 1.5 + 16 * double(of_x + of_dy);
  choose_tile(steps, of_x * 16, of_dy * 32, work, n_chunks, box.global, plan.tile);
  plan.cell[0] = 2;
  for (int a = 0; a < 3; a++) { // whole cells
    if (a > 0) plan.cell[a] = cell[a];
    plan.tile[a] = std::max<int64_t>(1, (plan.tile[a] + plan.cell[a] / 2) / plan.cell[a]) * plan.cell[a];
  }
  int64_t of_cell = plan.cell[1] * plan.cell[2] / 4;
  plan.strip = std::max<int64_t>(1, strip_groups / of_cell) * of_cell;
  plan.tiles = tiles_of(box, plan.tile);
  plan.groups = std::max<int64_t>(1, std::min<int64_t>(work_items / n_chunks, int64_t(plan.tiles.size())));
  for (int64_t i = 0; i < n_x; i += of_x)
    for (int64_t j = 0; j < n_dy; j += of_dy) {
      Chunk chunk;
      chunk.input = layout_of(steps, plan.tile, {x.begin() + i, x.begin() + std::min(n_x, i + of_x)}, 0.0f);
      chunk.dy.assign(dy.begin() + j, dy.begin() + std::min(n_dy, j + of_dy));
      plan.chunks.push_back(std::move(chunk));
    }
  return plan;
}

class Worker {
public:
  explicit Worker(const Plan &plan) : plan_(plan) {
    int64_t ring = 0, line = 0, vectors = 0, dy = 0;
    for (const Chunk &c : plan.chunks) {
      ring = std::max(ring, c.input.floats);
      line = std::max(line, c.input.row_floats);
      vectors = std::max(vectors, c.vectors());
      dy = std::max(dy, int64_t(c.dy.size()));
    }
    ring_.reset(new InputRing(ring, line));
    dy_ = Buffer(dy * 2 * plan.tile[1] * plan.tile[2] * 16);
    row_ = Buffer(plan.tile[2] * 16);
    v_ = Buffer(16 * (vectors * plan.strip * 16 + pad));
    y_ = Buffer(16 * (dy * plan.strip * 16 + pad));
  }

  // Adds the tiles [first, last) to `total`.
  void run(const Chunk &chunk, int64_t first, int64_t last, double *total) {
    chunk_ = &chunk;
    for (int64_t t = first; t < last; t++) {
      tile_ = whole_ = plan_.tiles[size_t(t)];
      for (Range &r : whole_.at) r = even(r);
      ring_->start(chunk.input, whole_);
      for (int64_t d = whole_.at[0].lo; d < whole_.at[0].hi; d += 2) {
        ring_->advance(d);
        load_dy(d);
        add_planes(d, total);
      }
    }
  }

private:
  int64_t row_floats() const { return whole_.at[2].size() * 16; }
  float *dy_row(int64_t block, int64_t plane, int64_t row) const {
    return dy_.data() + ((block * 2 + plane) * whole_.at[1].size() + row) * row_floats();
  }

  // The gradients of a pair of planes; zeros outside the box.
  void load_dy(int64_t d) {
    int64_t before = (tile_.at[2].lo - whole_.at[2].lo) * 16, count = tile_.at[2].size();
    for (size_t o = 0; o < chunk_->dy.size(); o++)
      for (int64_t p = 0; p < 2; p++)
        for (int64_t h = whole_.at[1].lo; h < whole_.at[1].hi; h++) {
          float *to = dy_row(int64_t(o), p, h - whole_.at[1].lo);
          bool inside = d + p >= tile_.at[0].lo && d + p < tile_.at[0].hi && h >= tile_.at[1].lo && h < tile_.at[1].hi;
          if (!inside || count * 16 < row_floats()) std::fill_n(to, row_floats(), 0.0f);
          if (!inside) continue;
          const Block &b = chunk_->dy[o];
          Row row{tile_.n, d + p, h, tile_.at[2].lo, count, b.c0, b.lanes, b.width};
          load_row(b.source->load, scratch_, row, b.width == 16 ? to + before : row_.data());
          for (int64_t x = 0; b.width < 16 && x < count; x++) {
            std::copy_n(row_.data() + x * b.width, b.width, to + before + x * 16);
            std::fill_n(to + before + x * 16 + b.width, 16 - b.width, 0.0f);
          }
        }
  }

  void add_planes(int64_t d, double *total) {
    const Range &h = whole_.at[1], &w = whole_.at[2];
    for (int64_t y = h.lo, y_end; y < h.hi; y = y_end) {
      y_end = std::min(h.hi, (y / plan_.cell[1] + 1) * plan_.cell[1]);
      int64_t cells = std::max<int64_t>(1, plan_.strip / (plan_.cell[1] * plan_.cell[2] / 4));
      for (int64_t x = w.lo, x_end; x < w.hi; x = x_end) {
        x_end = std::min(w.hi, (x / plan_.cell[2] + cells) * plan_.cell[2]);
        if (d + 2 < whole_.at[0].hi) prefetch(d, h.size() * w.size(), (y_end - y) * (x_end - x));
        for (int a = 0; a < 4; a++) {
          transform(a, d, {y, y_end}, {x, x_end});
          multiply({y, y_end}, {x, x_end}, total + a * 16 * chunk_->vectors() * chunk_->scalars() * 16);
        }
      }
    }
  }

  // Asks the memory for a part of the next pair of planes.
  void prefetch(int64_t d, int64_t all, int64_t part) { ring_->prefetch(d + 1, ceil_div(all, part)); }

  // Frequencies (a, 0..3, 0..3) of a strip: v_ and y_ are [b][c][block][row][group][16].
  void transform(int a, int64_t d, Range h, Range w) {
    int64_t cols = w.size() / 2, block = h.size() / 2 * cols * 16, v_step = chunk_->vectors() * block + pad;
    int64_t y_step = int64_t(chunk_->dy.size()) * block + pad, h0 = h.lo - whole_.at[1].lo, w0 = w.lo - whole_.at[2].lo;
    const Axis *axis = chunk_->input.axis;
    for (int64_t r = 0; r < h.size() / 2; r++) {
      for (int64_t i = 0; i < chunk_->vectors(); i++) {
        const Block &b = chunk_->input.blocks[size_t(i)];
        const float *planes[4];
        for (int64_t p = 0; p < 4; p++)
          planes[p] = ring_->data() + ring_->at(b, d, axis[0].low + p, axis[1].low, axis[2].low) + (h0 + 2 * r) * b.row + w0 * b.step;
        winograd_input(a, planes, b.row, b.width, cols, {v_.data() + i * block + r * cols * 16, 4 * v_step, v_step, 16});
      }
      for (int64_t o = 0; o < int64_t(chunk_->dy.size()); o++) {
        const float *rows[2][2];
        for (int64_t p = 0; p < 2; p++)
          for (int64_t j = 0; j < 2; j++) rows[p][j] = dy_row(o, p, h0 + 2 * r + j) + w0 * 16;
        winograd_output_grad(a, rows, cols, {y_.data() + o * block + r * cols * 16, 4 * y_step, y_step, 16});
      }
    }
  }

  void multiply(Range h, Range w, double *total) {
    int64_t cols = w.size() / 2, rows = h.size() / 2, block = rows * cols * 16;
    int64_t vectors = chunk_->vectors(), scalars = chunk_->scalars();
    GradCall call;
    call.vec_row = call.scal_row = cols * 16;
    call.scal_step = 16;
    call.rows = rows;
    call.total_v = scalars * 16, call.total_s = 16;
    int64_t v_at[16], parts = ceil_div(vectors, grad_vectors());
    for (int f = 0; f < 16; f++, total += vectors * scalars * 16)
      for (int64_t p = 0; p < parts; p++) {
        int64_t v = vectors * p / parts, n = vectors * (p + 1) / parts - v, s_parts = ceil_div(16, grad_scalars(int(n)));
        for (int64_t i = 0; i < n; i++) v_at[i] = (v + i) * block;
        for (int64_t o = 0; o < scalars / 16; o++)
          for (int64_t q = 0; q < s_parts; q++) {
            int64_t s = 16 * q / s_parts, n_s = 16 * (q + 1) / s_parts - s, s_at = o * block + s;
            GradMicro micro = grad_micro_kernel(int(n), int(n_s), true);
            call.vec_at = v_at, call.scal_at = &s_at;
            call.total = total + v * call.total_v + (o * 16 + s) * 16;
            for (int64_t x = w.lo, x_end; x < w.hi; x = x_end) { // cells
              x_end = std::min(w.hi, (x / plan_.cell[2] + 1) * plan_.cell[2]);
              int64_t from = (x - w.lo) / 2 * 16;
              call.count = (x_end - x) / 2;
              call.vec = v_.data() + f * (vectors * block + pad) + from;
              call.scal = y_.data() + f * (scalars / 16 * block + pad) + from;
              micro(call);
            }
          }
      }
  }

  const Plan &plan_;
  std::unique_ptr<InputRing> ring_;
  Buffer dy_, row_, v_, y_; // dy: [block][plane][row][position][16]
  RowScratch scratch_;
  const Chunk *chunk_ = nullptr;
  Tile tile_{}, whole_{}; // whole_: from even to even coordinates
};

// The transpose of the weight transform, of vectors of 16 that lie `step` vectors apart.
void to_taps(double *u, int64_t step) {
  for (int i = 0; i < 16; i++) {
    double u0 = u[i], u1 = u[step * 16 + i], u2 = u[2 * step * 16 + i], u3 = u[3 * step * 16 + i];
    u[i] = u0 + 0.5 * (u1 + u2);
    u[step * 16 + i] = 0.5 * (u1 - u2);
    u[2 * step * 16 + i] = 0.5 * (u1 + u2) + u3;
  }
}

template <class S> void write_as(const Chunk &chunk, const Axis axis[3], const double *total, const hm_view &dweight) {
  S *data = static_cast<S *>(dweight.data);
  int64_t pairs = chunk.vectors() * chunk.scalars();
  alignas(64) double u[64 * 16];
  for (int64_t v = 0; v < chunk.vectors(); v++)
    for (int64_t s = 0; s < chunk.scalars(); s++) {
      const Block &x = chunk.input.blocks[size_t(v)], &dy = chunk.dy[size_t(s / 16)];
      if (s % 16 >= dy.lanes) continue;
      for (int f = 0; f < 64; f++) std::copy_n(total + (f * pairs + v * chunk.scalars() + s) * 16, 16, u + f * 16);
      for (int i = 0; i < 16; i++) to_taps(u + i * 16, 16);
      for (int d = 0; d < 3; d++)
        for (int c = 0; c < 4; c++) to_taps(u + (d * 16 + c) * 16, 4);
      for (int d = 0; d < 3; d++)
        for (int h = 0; h < 3; h++) to_taps(u + (d * 16 + h * 4) * 16, 1);
      for (int k = 0; k < 27; k++) {
        int d = k / 9, h = k / 3 % 3, w = k % 3;
        const double *from = u + (d * 16 + h * 4 + w) * 16;
        S *to = data + offset_of(dweight, x.k0, tap_at(axis[0], d), tap_at(axis[1], h), tap_at(axis[2], w), dy.k0 + s % 16);
        for (int i = 0; i < x.lanes; i++) to[i * dweight.stride[HM_N]] = S(from[i]);
      }
    }
}

} // namespace

void run_winograd_grad(const Axis axis[3], const std::vector<Block> &x, const std::vector<Block> &dy, const hm_view &box,
                       const int64_t cell[3], const hm_view &dweight) {
  Plan plan = plan_of(axis, x, dy, box, cell);
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<int64_t> sums;
  for (const Chunk &chunk : plan.chunks) sums.push_back(chunk.sums());
  for (int i = 0; i < thread_count(); i++) workers.emplace_back(new Worker(plan));
  sum_in_groups(
      sums, plan.groups, int64_t(plan.tiles.size()),
      [&](int64_t c, int64_t first, int64_t last, int thread, double *total) {
        workers[size_t(thread)]->run(plan.chunks[size_t(c)], first, last, total);
      },
      [&](int64_t c, const double *total) {
        const Chunk &chunk = plan.chunks[size_t(c)];
        dweight.dtype == HM_F64 ? write_as<double>(chunk, axis, total, dweight) : write_as<float>(chunk, axis, total, dweight);
      });
}

} // namespace hm::conv
