// Gradient of a convolution with respect to its weights.
//   dweight[k][i][o] = sum over positions p of x[p*stride - pad + dilation*k][i] * dy[p][o]
// A work item is a chunk of channels (some blocks of x, some of dy) and a group of successive tiles. Its thread walks over
// the planes of the tiles: the ring (conv_input.h) holds x, a plane buffer holds dy, and the inner kernel
// (conv_grad_micro.h) adds their outer products to float32 sums, which go to the item's float64 sums every few planes. The
// groups are few and do not depend on the number of threads; they are combined in order, so neither does the result.
//
// Vectors of the outer product are 16 input channels and scalars are output channels: one load serves all output channels.
// Where x is narrow (planar rows, e.g. the image) it is the other way round.
#include "conv_check.h"
#include "conv_grad_micro.h"
#include "conv_plan.h"
#include "threads.h"
#include "view.h"
#include <algorithm>

namespace hm::conv {
namespace {

constexpr int64_t chunk_budget = 32 << 10;  // floats of a chunk's sums: 128 KiB of the L2 cache
constexpr int64_t most_blocks = 8;          // of a chunk
constexpr int64_t work_items = 32;          // wanted, while the sums stay small
constexpr int64_t flush_positions = FP;   // summed in float32
constexpr int64_t resident_positions = RP; // of x and dy rows that stay in the L1 cache while all taps pass

struct Place { // of a tap in the kernel
  Tap at[3];
};

struct Chunk {
  InputLayout input;
  std::vector<Block> dy;
  bool planar;         // the scalars are x
  int64_t vectors;     // (block of x, tap), or blocks of dy where planar
  int64_t scalars;     // 16 for each block of dy, or (block of x, tap, channel) where planar
  int64_t sums() const { return vectors * scalars * 16; } // [vector][scalar][16]
};

struct Plan {
  int64_t tile[3], block_rows, flush, groups;
  std::vector<Place> places;
  std::vector<Chunk> chunks;
  std::vector<Tile> tiles;
};

std::vector<Place> places_of(const Axis axis[3]) {
  std::vector<Place> places;
  for (auto &d : axis[0].classes[0])
    for (auto &h : axis[1].classes[0])
      for (auto &w : axis[2].classes[0]) places.push_back({{d, h, w}});
  return places;
}

// Runs of at most `most` blocks whose rows are alike.
std::vector<std::vector<Block>> runs_of(const std::vector<Block> &blocks, int64_t most) {
  std::vector<std::vector<Block>> runs;
  for (const Block &b : blocks) {
    const Block *last = runs.empty() ? nullptr : &runs.back().back();
    bool alike = last && last->planar == b.planar && (b.planar ? last->lanes == b.lanes : last->width == b.width);
    if (!alike || int64_t(runs.back().size()) == most) runs.emplace_back();
    runs.back().push_back(b);
  }
  return runs;
}

Plan plan_of(const Axis axis[3], const std::vector<Block> &x, const std::vector<Block> &dy, const hm_view &box) {
  Plan plan;
  plan.places = places_of(axis);
  int64_t taps = int64_t(plan.places.size()), most = 1;
  while (most < most_blocks && (most + 1) * (most + 1) * taps * 256 <= chunk_budget) most++;
  auto x_runs = runs_of(x, most), dy_runs = runs_of(dy, most);
  int64_t n_chunks = int64_t(x_runs.size() * dy_runs.size());
  plan.groups = std::max<int64_t>(1, work_items / n_chunks);
  int64_t x_width = 0, dy_width = int64_t(dy_runs[0].size()) * 16;
  for (const Block &b : x_runs[0]) x_width += b.planar ? b.lanes : b.width;
  choose_tile(axis, x_width, dy_width, double(taps * x_width * dy_width / 16), n_chunks, box.global, plan.tile);
  plan.tiles = tiles_of(box, plan.tile);
  plan.groups = std::min(plan.groups, int64_t(plan.tiles.size()));
  plan.flush = std::max<int64_t>(1, flush_positions / (plan.tile[1] * plan.tile[2]));
  plan.block_rows = std::max<int64_t>(1, resident_positions / plan.tile[2]);
  for (auto &x_run : x_runs)
    for (auto &dy_run : dy_runs) {
      Chunk chunk;
      chunk.planar = x_run[0].planar;
      chunk.dy = dy_run;
      int64_t lanes = 0;
      for (auto &b : x_run) lanes += b.lanes;
      chunk.vectors = chunk.planar ? int64_t(dy_run.size()) : int64_t(x_run.size()) * taps;
      chunk.scalars = chunk.planar ? lanes * taps : int64_t(dy_run.size()) * 16;
      chunk.input = layout_of(axis, plan.tile, x_run, 0.0f);
      plan.chunks.push_back(std::move(chunk));
    }
  return plan;
}

class Worker {
public:
  explicit Worker(const Plan &plan) : plan_(plan) {
    int64_t ring = 0, line = 0, dy = 0, sums = 0, vectors = 0, scalars = 0;
    for (const Chunk &c : plan.chunks) {
      ring = std::max(ring, c.input.floats);
      line = std::max(line, c.input.row_floats);
      dy = std::max(dy, int64_t(c.dy.size()) * plan.tile[1] * plan.tile[2] * 16);
      sums = std::max(sums, c.sums());
      vectors = std::max(vectors, c.vectors);
      scalars = std::max(scalars, c.scalars);
    }
    ring_.reset(new InputRing(ring, line));
    dy_ = Buffer(dy);
    row_ = Buffer(plan.tile[2] * 16);
    sums_ = Buffer(sums);
    vector_at_.resize(size_t(vectors));
    scalar_at_.resize(size_t(scalars));
  }

  // Adds the tiles [first, last) to `total`.
  void run(const Chunk &chunk, int64_t first, int64_t last, double *total) {
    for (int64_t t = first; t < last; t++) {
      const Tile &tile = plan_.tiles[size_t(t)];
      ring_->start(chunk.input, tile);
      std::fill_n(sums_.data(), chunk.sums(), 0.0f);
      for (int64_t d = tile.at[0].lo; d < tile.at[0].hi; d++) {
        ring_->advance(d);
        load_dy(chunk, tile, d);
        add_plane(chunk, tile, d);
        if (d + 1 < tile.at[0].hi && floor_mod(d + 1, plan_.flush) != 0) continue;
        for (int64_t i = 0; i < chunk.sums(); i++) total[i] += double(sums_.data()[i]);
        std::fill_n(sums_.data(), chunk.sums(), 0.0f);
      }
    }
  }

private:
  void load_dy(const Chunk &chunk, const Tile &tile, int64_t d) {
    int64_t count = tile.at[2].size();
    float *to = dy_.data();
    for (const Block &b : chunk.dy)
      for (int64_t h = tile.at[1].lo; h < tile.at[1].hi; h++, to += count * 16) {
        Row row{tile.n, d, h, tile.at[2].lo, count, b.c0, b.lanes, b.width};
        load_row(b.source->load, scratch_, row, b.width == 16 ? to : row_.data());
        if (b.width == 16) continue;
        for (int64_t x = 0; x < count; x++) {
          std::copy_n(row_.data() + x * b.width, b.width, to + x * 16);
          std::fill(to + x * 16 + b.width, to + x * 16 + 16, 0.0f);
        }
      }
  }

  void add_plane(const Chunk &chunk, const Tile &tile, int64_t d) {
    const InputLayout &input = chunk.input;
    int64_t rows = tile.at[1].size(), count = tile.at[2].size(), dy_floats = rows * count * 16;
    std::vector<int64_t> &x_at = chunk.planar ? scalar_at_ : vector_at_, &dy_at = chunk.planar ? vector_at_ : scalar_at_;
    size_t at = 0;
    for (const Block &b : input.blocks)
      for (const Place &p : plan_.places) {
        int64_t from = ring_->at(b, d, p.at[0].offset, p.at[1].offset, p.at[2].offset);
        for (int c = 0; c < (chunk.planar ? b.lanes : 1); c++) x_at[at++] = from + c * b.channel;
      }
    at = 0;
    for (size_t o = 0; o < chunk.dy.size(); o++)
      for (int c = 0; c < (chunk.planar ? 1 : 16); c++) dy_at[at++] = int64_t(o) * dy_floats + c;

    int64_t x_row = input.blocks[0].row * input.axis[1].in_step;
    GradCall call;
    call.vec_row = chunk.planar ? count * 16 : x_row;
    call.scal_row = chunk.planar ? x_row : count * 16;
    call.scal_step = chunk.planar ? 1 : 16;
    call.count = count;
    call.sum_v = chunk.scalars * 16;
    call.sum_s = 16;
    for (int64_t y = 0; y < rows; y += plan_.block_rows) {
      call.rows = std::min(plan_.block_rows, rows - y);
      if (d + 1 < tile.at[0].hi) {
        ring_->prefetch(d, ceil_div(rows, plan_.block_rows));
        for (const Block &b : chunk.dy)
          for (int64_t h = y; h < y + call.rows; h++)
            prefetch_row(b.source->load, {tile.n, d + 1, tile.at[1].lo + h, tile.at[2].lo, count, b.c0, b.lanes, b.width});
      }
      call.vec = (chunk.planar ? dy_.data() : ring_->data()) + y * call.vec_row;
      call.scal = (chunk.planar ? ring_->data() : dy_.data()) + y * call.scal_row;
      add_products(chunk, call);
    }
  }

  // Every vector times every scalar; lanes of dy that are no channels are left out.
  void add_products(const Chunk &chunk, GradCall &call) {
    int64_t parts = ceil_div(chunk.vectors, grad_vectors());
    for (int64_t p = 0; p < parts; p++) {
      int64_t v = chunk.vectors * p / parts, vectors = chunk.vectors * (p + 1) / parts - v;
      call.vec_at = vector_at_.data() + v;
      if (chunk.planar)
        add_scalars(call, v, vectors, 0, chunk.scalars, false);
      else
        for (size_t o = 0; o < chunk.dy.size(); o++) add_scalars(call, v, vectors, int64_t(o) * 16, chunk.dy[o].lanes, true);
    }
  }

  void add_scalars(GradCall &call, int64_t v, int64_t vectors, int64_t s, int64_t n, bool contiguous) {
    int64_t parts = ceil_div(n, grad_scalars());
    for (int64_t p = 0; p < parts; p++) {
      int64_t from = s + n * p / parts, scalars = s + n * (p + 1) / parts - from;
      call.scal_at = scalar_at_.data() + from;
      call.sum = sums_.data() + v * call.sum_v + from * call.sum_s;
      grad_micro_kernel(int(vectors), int(scalars), contiguous)(call);
    }
  }

  const Plan &plan_;
  std::unique_ptr<InputRing> ring_;
  Buffer dy_, row_, sums_; // dy: [block][row][position][16]
  std::vector<int64_t> vector_at_, scalar_at_;
  RowScratch scratch_;
};

// Writes the sums of a chunk to dweight.
template <class S> void write_as(const Plan &plan, const Chunk &chunk, const double *total, const hm_view &dweight) {
  S *data = static_cast<S *>(dweight.data);
  int64_t taps = int64_t(plan.places.size()), first = 0; // (block, tap, channel) of x so far, where planar
  for (size_t b = 0; b < chunk.input.blocks.size(); b++) {
    const Block &x = chunk.input.blocks[b];
    for (int64_t k = 0; k < taps; k++)
      for (int i = 0; i < x.lanes; i++)
        for (size_t o = 0; o < chunk.dy.size(); o++)
          for (int j = 0; j < chunk.dy[o].lanes; j++) {
            const Tap *at = plan.places[size_t(k)].at;
            int64_t from = chunk.planar
                               ? (int64_t(o) * chunk.scalars + first + k * x.lanes + i) * 16 + j
                               : ((int64_t(b) * taps + k) * chunk.scalars + int64_t(o) * 16 + j) * 16 + i;
            data[offset_of(dweight, x.k0 + i, at[0].k, at[1].k, at[2].k, chunk.dy[o].k0 + j)] = S(total[from]);
          }
    first += taps * x.lanes;
  }
}

void write(const Plan &plan, const Chunk &chunk, const double *total, const hm_view &dweight) {
  if (dweight.dtype == HM_F64)
    write_as<double>(plan, chunk, total, dweight);
  else
    write_as<float>(plan, chunk, total, dweight);
}

void run(const Plan &plan, const hm_view &dweight) {
  std::vector<std::unique_ptr<Worker>> workers;
  int64_t most = 0, all = 0;
  for (const Chunk &chunk : plan.chunks) {
    most = std::max(most, chunk.sums());
    all += chunk.sums() * plan.groups;
  }
  for (int i = 0; i < thread_count(); i++) workers.emplace_back(new Worker(plan));
  // A chunk of one group is done when its item is: sums for each thread. Else sums for each item.
  bool single = plan.groups == 1;
  std::vector<double> totals(size_t(single ? most * thread_count() : all));
  std::vector<double *> total_of; // [chunk][group]
  double *next = totals.data();
  for (const Chunk &chunk : plan.chunks)
    for (int64_t g = 0; g < plan.groups; g++, next += single ? 0 : chunk.sums()) total_of.push_back(next);
  parallel_for(int64_t(total_of.size()), [&](int64_t item, int thread) {
    const Chunk &chunk = plan.chunks[size_t(item / plan.groups)];
    int64_t g = item % plan.groups, tiles = int64_t(plan.tiles.size());
    double *total = total_of[size_t(item)] + (single ? thread * most : 0);
    std::fill_n(total, chunk.sums(), 0.0);
    workers[size_t(thread)]->run(chunk, tiles * g / plan.groups, tiles * (g + 1) / plan.groups, total);
    if (single) write(plan, chunk, total, dweight);
  });
  if (single) return;
  parallel_for(int64_t(plan.chunks.size()), [&](int64_t c, int) {
    const Chunk &chunk = plan.chunks[size_t(c)];
    double *const *of_group = &total_of[size_t(c * plan.groups)];
    for (int64_t g = 1; g < plan.groups; g++)
      for (int64_t i = 0; i < chunk.sums(); i++) of_group[0][i] += of_group[g][i];
    write(plan, chunk, of_group[0], dweight);
  });
}

void clear(const hm_view &dweight) {
  std::vector<int64_t> at(dweight.start, dweight.start + HM_DIMS);
  for (int i = HM_DIMS - 1; i >= 0;) {
    int64_t offset = offset_of(dweight, at[0], at[1], at[2], at[3], at[4]);
    if (dweight.dtype == HM_F64)
      static_cast<double *>(dweight.data)[offset] = 0;
    else
      static_cast<float *>(dweight.data)[offset] = 0;
    for (i = HM_DIMS - 1; i >= 0 && ++at[size_t(i)] == dweight.start[i] + dweight.size[i]; i--) at[size_t(i)] = dweight.start[i];
  }
}

int weight_grad(const hm_window *window, const hm_source *x, int32_t n_x, const hm_source *dy, const hm_view *box,
                const hm_view *dweight) {
  const char *kernel = "hm_conv_weight_grad";
  if (check_window(window, kernel) || check_sources(x, n_x, kernel, "x") || check_sources(dy, 1, kernel, "dy") ||
      check_box(box, kernel, "box") || check_weight(dweight, *window, x, n_x, dy->box, kernel, "dweight"))
    return 1;
  if (dweight->dtype != HM_F32 && dweight->dtype != HM_F64)
    return fail("%s: dweight: expected dtype f32 or f64, got %s", kernel, dtype_name(dweight->dtype));
  hm_view loops = *box;
  loops.start[HM_C] = dweight->start[HM_C];
  loops.size[HM_C] = dweight->size[HM_C];
  if (is_empty(*dweight)) return 0;
  if (is_empty(loops)) return clear(*dweight), 0;
  Axis axis[3];
  for (int a = 0; a < 3; a++) axis[a] = gather_axis(*window, a);
  if (check_reads(axis, x, n_x, loops, kernel, "x") || check_covers(dy->box, loops, kernel, "dy")) return 1;
  auto x_blocks = blocks_of(x, n_x, dweight->start[HM_N], dweight->start[HM_N] + dweight->size[HM_N], true);
  int64_t channels = 0;
  for (auto &b : x_blocks) channels += b.lanes;
  if (channels != dweight->size[HM_N])
    return fail("%s: dweight: dimension n (input channels): stores %lld channels from %lld on, the sources store %lld of them",
                kernel, (long long)dweight->size[HM_N], (long long)dweight->start[HM_N], (long long)channels);
  auto dy_blocks = blocks_of(dy, 1, loops.start[HM_C], loops.start[HM_C] + loops.size[HM_C], false);
  run(plan_of(axis, x_blocks, dy_blocks, loops), *dweight);
  return 0;
}

} // namespace
} // namespace hm::conv

int hm_conv_weight_grad(const hm_window *window, const hm_source *x, int32_t n_x, const hm_source *dy, const hm_view *box,
                        const hm_view *dweight) {
  return hm::guarded("hm_conv_weight_grad", [&] { return hm::conv::weight_grad(window, x, n_x, dy, box, dweight); });
}
