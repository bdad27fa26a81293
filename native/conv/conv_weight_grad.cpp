// Gradient of a convolution with respect to its weights.
//   dweight[k][i][o] = sum over positions p of x[p*stride - pad + dilation*k][i] * dy[p][o]
// A work item is a chunk of channels (some blocks of x, some of dy) and a group of successive tiles. Its thread walks over
// the planes of the tiles: the ring (conv_input.h) holds x, a plane buffer holds dy, and the inner kernel
// (conv_grad_micro.h) adds their outer products, cell by cell in float32, to the item's float64 sums. Cells are given: no
// caller's box begins or ends inside one, so float32 sums do not depend on how a volume is split. The
// groups are few and do not depend on the number of threads; they are combined in order, so neither does the result.
//
// Vectors of the outer product are 16 input channels and scalars are output channels: one load serves all output channels.
// Where x is narrow (planar rows, e.g. the image) it is the other way round.
#include "conv/conv_check.h"
#include "conv/conv_grad_micro.h"
#include "conv/conv_grad_plan.h"
#include "conv/conv_grad_sums.h"
#include "runtime/threads.h"
#include "runtime/view.h"
#include "winograd/plane.h"
#include "winograd/winograd.h"
#include <algorithm>

namespace hm::conv {
namespace {

class Worker {
public:
  explicit Worker(const GradPlan &plan) : plan_(plan) {
    int64_t ring = 0, line = 0, dy = 0, vectors = 0, scalars = 0;
    for (const GradChunk &c : plan.chunks) {
      ring = std::max(ring, c.input.floats);
      line = std::max(line, c.input.row_floats);
      dy = std::max(dy, int64_t(c.dy.size()) * plan.tile[1] * plan.tile[2] * 16);
      vectors = std::max(vectors, c.vectors);
      scalars = std::max(scalars, c.scalars);
    }
    ring_.reset(new InputRing(ring, line));
    dy_ = Buffer(dy);
    row_ = Buffer(plan.tile[2] * 16);
    vector_at_.resize(size_t(vectors));
    scalar_at_.resize(size_t(scalars));
  }

  // Adds the tiles [first, last) to `total`.
  void run(const GradChunk &chunk, int64_t first, int64_t last, double *total) {
    for (int64_t t = first; t < last; t++) {
      const Tile &tile = plan_.tiles[size_t(t)];
      ring_->start(chunk.input, tile);
      for (int64_t d = tile.at[0].lo; d < tile.at[0].hi; d++) {
        ring_->advance(d);
        load_dy(chunk, tile, d);
        add_plane(chunk, tile, d, total);
      }
    }
  }

private:
  void load_dy(const GradChunk &chunk, const Tile &tile, int64_t d) {
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

  void add_plane(const GradChunk &chunk, const Tile &tile, int64_t d, double *total) {
    const InputLayout &input = chunk.input;
    int64_t rows = tile.at[1].size(), count = tile.at[2].size(), dy_floats = rows * count * 16;
    std::vector<int64_t> &x_at = chunk.planar ? scalar_at_ : vector_at_, &dy_at = chunk.planar ? vector_at_ : scalar_at_;
    size_t at = 0;
    for (const Block &b : input.blocks)
      for (const GradPlace &p : plan_.places) {
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
    call.total_v = chunk.scalars * 16;
    call.total_s = 16;
    const float *vec = chunk.planar ? dy_.data() : ring_->data(), *scal = chunk.planar ? ring_->data() : dy_.data();
    int64_t parts = ceil_div(chunk.vectors, grad_vectors());
    for (int64_t p = 0; p < parts; p++) {
      if (d + 1 < tile.at[0].hi) prefetch(chunk, tile, d, p, parts);
      int64_t v = chunk.vectors * p / parts, vectors = chunk.vectors * (p + 1) / parts - v;
      call.vec_at = vector_at_.data() + v;
      // Cell by cell: each one's float32 sums join the total before the next begins.
      for (int64_t h = tile.at[1].lo, h_end; h < tile.at[1].hi; h = h_end) {
        h_end = std::min(tile.at[1].hi, (h / plan_.cell[1] + 1) * plan_.cell[1]);
        for (int64_t w = tile.at[2].lo, w_end; w < tile.at[2].hi; w = w_end) {
          w_end = std::min(tile.at[2].hi, (w / plan_.cell[2] + 1) * plan_.cell[2]);
          int64_t y = h - tile.at[1].lo, x = w - tile.at[2].lo;
          call.rows = h_end - h;
          call.count = w_end - w;
          call.vec = vec + y * call.vec_row + x * 16;
          call.scal = scal + y * call.scal_row + x * call.scal_step;
          if (chunk.planar)
            add_scalars(call, v, vectors, 0, chunk.scalars, false, total);
          else // lanes of dy that are no channels are left out
            for (size_t o = 0; o < chunk.dy.size(); o++)
              add_scalars(call, v, vectors, int64_t(o) * 16, chunk.dy[o].lanes, true, total);
        }
      }
    }
  }

  // Asks the memory for one of `parts` parts of the next plane.
  void prefetch(const GradChunk &chunk, const Tile &tile, int64_t d, int64_t part, int64_t parts) {
    ring_->prefetch(d, parts);
    int64_t rows = tile.at[1].size(), all = rows * int64_t(chunk.dy.size());
    for (int64_t i = all * part / parts; i < all * (part + 1) / parts; i++) {
      const Block &b = chunk.dy[size_t(i / rows)];
      int64_t h = tile.at[1].lo + i % rows;
      prefetch_row(b.source->load, {tile.n, d + 1, h, tile.at[2].lo, tile.at[2].size(), b.c0, b.lanes, b.width});
    }
  }

  void add_scalars(GradCall &call, int64_t v, int64_t vectors, int64_t s, int64_t n, bool contiguous, double *total) {
    int64_t parts = ceil_div(n, grad_scalars(int(vectors)));
    for (int64_t p = 0; p < parts; p++) {
      int64_t from = s + n * p / parts, scalars = s + n * (p + 1) / parts - from;
      call.scal_at = scalar_at_.data() + from;
      call.total = total + v * call.total_v + from * call.total_s;
      grad_micro_kernel(int(vectors), int(scalars), contiguous)(call);
    }
  }

  const GradPlan &plan_;
  std::unique_ptr<InputRing> ring_;
  Buffer dy_, row_; // dy: [block][row][position][16]
  std::vector<int64_t> vector_at_, scalar_at_;
  RowScratch scratch_;
};

// Writes the sums of a chunk to dweight.
template <class S> void write_as(const GradPlan &plan, const GradChunk &chunk, const double *total, const hm_view &dweight) {
  S *data = static_cast<S *>(dweight.data);
  int64_t taps = int64_t(plan.places.size()), first = 0; // (block, tap, channel) of x so far, where planar
  for (size_t b = 0; b < chunk.input.blocks.size(); b++) {
    const Block &x = chunk.input.blocks[b];
    for (int64_t k = 0; k < taps; k++)
      for (int i = 0; i < x.lanes; i++)
        for (size_t o = 0; o < chunk.dy.size(); o++) {
          const Tap *at = plan.places[size_t(k)].at;
          S *to = data + offset_of(dweight, x.k0 + i, at[0].k, at[1].k, at[2].k, chunk.dy[o].k0);
          __builtin_prefetch(to + 4 * dweight.stride[HM_N], 1); // each goes to another place of a large tensor
          const double *from = chunk.planar ? total + (int64_t(o) * chunk.scalars + first + k * x.lanes + i) * 16
                                            : total + ((int64_t(b) * taps + k) * chunk.scalars + int64_t(o) * 16) * 16 + i;
          for (int j = 0; j < chunk.dy[o].lanes; j++) to[j * dweight.stride[HM_C]] = S(from[chunk.planar ? j : j * 16]);
        }
    first += taps * x.lanes;
  }
}

void write(const GradPlan &plan, const GradChunk &chunk, const double *total, const hm_view &dweight) {
  if (dweight.dtype == HM_F64)
    write_as<double>(plan, chunk, total, dweight);
  else
    write_as<float>(plan, chunk, total, dweight);
}

void run(const GradPlan &plan, const hm_view &dweight) {
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<int64_t> sums;
  for (const GradChunk &chunk : plan.chunks) sums.push_back(chunk.sums());
  for (int i = 0; i < thread_count(); i++) workers.emplace_back(new Worker(plan));
  sum_in_groups(
      sums, plan.groups, int64_t(plan.tiles.size()),
      [&](int64_t c, int64_t first, int64_t last, int thread, double *total) {
        workers[size_t(thread)]->run(plan.chunks[size_t(c)], first, last, total);
      },
      [&](int64_t c, const double *total) { write(plan, plan.chunks[size_t(c)], total, dweight); });
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
                const int64_t cell[3], const hm_view *dweight, int32_t algorithm) {
  const char *kernel = "hm_conv_weight_grad";
  if (check_window(window, kernel) || check_sources(x, n_x, kernel, "x") || check_sources(dy, 1, kernel, "dy") ||
      check_extents(box, kernel, "box") || check_weight(dweight, *window, x, n_x, dy->box, kernel, "dweight"))
    return 1;
  for (int a = 0; a < 3; a++)
    if (!cell || cell[a] < 1) return fail("%s: cell: expected three numbers of at least 1", kernel);
  if (algorithm < HM_CONV_AUTO || algorithm > HM_CONV_WINOGRAD) return fail("%s: no algorithm %d", kernel, int(algorithm));
  if (dweight->dtype != HM_F32 && dweight->dtype != HM_F64)
    return fail("%s: dweight: expected dtype f32 or f64, got %s", kernel, dtype_name(dweight->dtype));
  hm_view loops = *box; // its channels are those of dweight
  loops.block = 1;
  loops.start[HM_C] = dweight->start[HM_C];
  loops.size[HM_C] = dweight->size[HM_C];
  loops.global[HM_C] = dweight->global[HM_C];
  if (check_out_box(&loops, kernel, "box")) return 1;
  if (is_empty(*dweight)) return 0;
  if (is_empty(loops)) return clear(*dweight), 0;
  Axis axis[3];
  for (int a = 0; a < 3; a++) axis[a] = gather_axis(*window, a);
  if (check_reads(axis, x, n_x, loops, kernel, "x") || check_covers(dy->box, loops, kernel, "dy")) return 1;
  bool plane = wants_plane_grad(algorithm, axis, cell, dweight->global[HM_N], loops);
  bool winograd = wants_winograd_grad(algorithm, axis, cell, dweight->global[HM_N], loops);
  auto x_blocks = blocks_of(x, n_x, dweight->start[HM_N], dweight->start[HM_N] + dweight->size[HM_N], !plane && !winograd);
  int64_t channels = 0;
  for (auto &b : x_blocks) channels += b.lanes;
  if (channels != dweight->size[HM_N])
    return fail("%s: dweight: dimension n (input channels): stores %lld channels from %lld on, the sources store %lld of them",
                kernel, (long long)dweight->size[HM_N], (long long)dweight->start[HM_N], (long long)channels);
  auto dy_blocks = blocks_of(dy, 1, loops.start[HM_C], loops.start[HM_C] + loops.size[HM_C], false);
  if (plane) return run_plane_grad(axis, x_blocks, dy_blocks, loops, cell, *dweight), 0;
  if (winograd) return run_winograd_grad(axis, x_blocks, dy_blocks, loops, cell, *dweight), 0;
  run(grad_plan(axis, x_blocks, dy_blocks, loops, cell), *dweight);
  return 0;
}

} // namespace
} // namespace hm::conv

int hm_conv_weight_grad(const hm_window *window, const hm_source *x, int32_t n_x, const hm_source *dy, const hm_view *box,
                        const int64_t cell[3], const hm_view *dweight, int32_t algorithm) {
  return hm::guarded("hm_conv_weight_grad",
                     [&] { return hm::conv::weight_grad(window, x, n_x, dy, box, cell, dweight, algorithm); });
}
