// Convolution and its transpose.
//   hm_conv            y[p][o] = sum over k, i of x[p*stride - pad + dilation*k][i] * weight[k][i][o]
//   hm_conv_transpose  y[p][o] = sum over k, i, q with p = q*stride - pad + dilation*k of x[q][i] * weight[k][i][o]
// Both are one loop (see conv_axis.h). A work item is a tile of the output and a chunk of its channels. For each plane of the
// tile the ring (conv_input.h) loads what is missing, then for each group of runs the inner kernel (conv_micro.h) adds to
// the tile's rows, and the epilogue (store_row) takes the finished rows. An output sums its terms in the same order wherever
// tile borders and row ends lie. hm_conv_begin does the tiles that read no margin, hm_conv_end the others: tile sums are combined
// at the end in tile order, so the result has the bits of hm_conv.
#include "conv/conv_check.h"
#include "conv/conv_micro.h"
#include "conv/conv_plan.h"
#include "conv/tiled_job.h"
#include "runtime/view.h"
#include "winograd/plane.h"
#include "winograd/plane_transform.h"
#include "winograd/winograd.h"
#include <algorithm>
#include <memory>

namespace hm::conv {
namespace {

class Worker {
public:
  Worker(const ConvPlan &plan, const hm_view &out_box, const hm_program &epilogue)
      : plan_(plan), ring_(plan.input.floats, plan.input.row_floats),
        sums_(plan.group_blocks * plan.tile[1] * plan.tile[2] * 16), rows_(plan.out, out_box, epilogue, plan.tile[2]) {
    size_t most = 0;
    for (auto &of_class : plan.classes)
      for (auto &group : of_class) most = std::max(most, group.runs.size());
    runs_.resize(most);
  }

  // Output blocks [first, last) of a tile.
  void run(const Tile &tile, int64_t first, int64_t last, double *partial) {
    tile_ = tile;
    ring_.start(plan_.input, tile);
    for (int64_t d = tile.at[0].lo; d < tile.at[0].hi; d++) {
      ring_.advance(d);
      for (int64_t b = first; b < last; b += plan_.group_blocks) {
        int count = int(std::min<int64_t>(plan_.group_blocks, last - b));
        compute(d, b, count);
        for (int i = 0; i < count; i++) emit(d, b + i, sums_.data() + i * block_floats(), partial);
      }
    }
  }

private:
  int64_t row_floats() const { return tile_.at[2].size() * 16; }
  int64_t block_floats() const { return tile_.at[1].size() * row_floats(); }

  void compute(int64_t d, int64_t block, int count) {
    const Axis *axis = plan_.input.axis;
    int64_t rd = floor_mod(d, axis[0].out_step);
    for (int64_t rh = 0; rh < axis[1].out_step; rh++)
      for (int64_t rw = 0; rw < axis[2].out_step; rw++) {
        Range h = axis[1].steps(tile_.at[1], rh), w = axis[2].steps(tile_.at[2], rw);
        if (h.size() <= 0 || w.size() <= 0) continue;
        auto &groups = plan_.groups(rd, rh, rw);
        for (const RunGroup &group : groups) add_group(d, block, count, group, &group == groups.data(), rh, h, rw, w);
        if (groups.empty()) clear(count, rh, h, rw, w);
      }
  }

  // Position in sums_ of output (step h, step w) of class (rh, rw).
  float *at(int64_t rh, int64_t h, int64_t rw, int64_t w) const {
    const Axis *axis = plan_.input.axis;
    return sums_.data() + (axis[1].out_step * h + rh - tile_.at[1].lo) * row_floats() +
           (axis[2].out_step * w + rw - tile_.at[2].lo) * 16;
  }

  void add_group(int64_t d, int64_t block, int count, const RunGroup &group, bool first, int64_t rh, Range h, int64_t rw, Range w) {
    const Axis *axis = plan_.input.axis;
    for (size_t i = 0; i < group.runs.size(); i++) {
      const Run &run = group.runs[i];
      runs_[i] = ring_.at(plan_.input.blocks[size_t(run.block)], d, run.d.offset, run.h.offset, run.w[0].offset);
    }
    MicroCall call;
    call.runs = runs_.data();
    call.n_runs = int64_t(group.runs.size());
    call.channels = group.channels;
    call.channel_step = group.channel_step;
    call.weight = plan_.weight.data() + block * plan_.weight_floats + count * group.weight;
    call.out_step = axis[2].out_step * 16;
    call.out_block = block_floats();
    call.first = first;
    int64_t h0 = axis[1].steps(tile_.at[1]).lo, w0 = axis[2].steps(tile_.at[2]).lo;
    int64_t calls = tile_.at[1].size();
    int64_t pieces = ceil_div(w.size(), micro_positions(count));
    for (int64_t y = h.lo; y < h.hi; y++) {
      if (d + 1 < tile_.at[0].hi) ring_.prefetch(d, calls);
      const float *in = ring_.data() + (y - h0) * axis[1].in_step * group.row - w0 * group.step;
      for (int64_t p = 0; p < pieces; p++) {
        int64_t from = w.lo + w.size() * p / pieces, to = w.lo + w.size() * (p + 1) / pieces;
        micro_kernel(int(to - from), count, group.taps, group.planar)(call, in + from * group.step, at(rh, y, rw, from));
      }
    }
  }

  void clear(int count, int64_t rh, Range h, int64_t rw, Range w) {
    for (int i = 0; i < count; i++)
      for (int64_t y = h.lo; y < h.hi; y++)
        for (int64_t x = w.lo; x < w.hi; x++) std::fill_n(at(rh, y, rw, x) + i * block_floats(), 16, 0.0f);
  }

  void emit(int64_t d, int64_t block, const float *sums, double *partial) {
    Range w = tile_.at[2];
    for (int64_t h = tile_.at[1].lo; h < tile_.at[1].hi; h++, sums += row_floats())
      rows_.store(tile_.n, d, h, w.lo, w.size(), block, sums, partial);
  }

  const ConvPlan &plan_;
  InputRing ring_;
  Buffer sums_; // [block][row][position][16] of one plane of the tile
  RowStore rows_;
  std::vector<int64_t> runs_;
  Tile tile_{};
};

// A box without positions: sums over it are zero.
class EmptyJob final : public ConvJob {
public:
  EmptyJob(const hm_view &out_box, const hm_program &epilogue) : sums_(epilogue, out_box, tiles_) {}
  const std::vector<Tile> &tiles() const override { return tiles_; }
  void run(const std::vector<int64_t> &) override {}
  void finish() override { sums_.finish(); }

private:
  std::vector<Tile> tiles_;
  TileSums sums_;
};

// Null after a failed check.
std::unique_ptr<ConvJob> make_job(const char *kernel, bool scatter, const hm_window *window, const hm_source *sources,
                                  int32_t n_sources, const hm_view *weight, const hm_view *out_box, const hm_program *epilogue,
                                  int32_t algorithm) {
  if (algorithm < HM_CONV_AUTO || algorithm > HM_CONV_WINOGRAD)
    return fail("%s: no algorithm %d", kernel, int(algorithm)), nullptr;
  if (check_window(window, kernel) || check_sources(sources, n_sources, kernel, "sources") ||
      check_out_box(out_box, kernel, "out_box"))
    return nullptr;
  if (!epilogue) return fail("%s: epilogue is null", kernel), nullptr;
  if (check_program(*epilogue, *out_box, kernel)) return nullptr;
  if (check_weight(weight, *window, sources, n_sources, *out_box, kernel, "weight") ||
      check_range(*weight, HM_C, out_box->start[HM_C], out_box->size[HM_C], kernel, "weight"))
    return nullptr;
  if (check_in_channels(sources, n_sources, *weight, kernel)) return nullptr;
  Axis axis[3];
  for (int a = 0; a < 3; a++) axis[a] = scatter ? scatter_axis(*window, a) : gather_axis(*window, a);
  const bool plane = wants_plane(algorithm, axis, weight->global[HM_N], *out_box);
  if (check_reads(axis, sources, n_sources, *out_box, kernel, "sources", plane ? plane_tile : 1)) return nullptr;
  if (is_empty(*out_box)) return std::make_unique<EmptyJob>(*out_box, *epilogue);
  if (plane) return plane_job(axis, sources, n_sources, *weight, *out_box, *epilogue);
  if (wants_winograd(algorithm, axis, weight->global[HM_N], *out_box))
    return winograd_job(axis, sources, n_sources, *weight, *out_box, *epilogue);
  return std::make_unique<TiledJob<ConvPlan, Worker>>(conv_plan(axis, sources, n_sources, *weight, *out_box), *out_box, *epilogue);
}

// Numbers of the tiles that lie within [start, start + size) along d, h, w, or of the others.
std::vector<int64_t> tiles_within(const ConvJob &job, const int64_t start[3], const int64_t size[3], bool within) {
  std::vector<int64_t> list;
  for (size_t t = 0; t < job.tiles().size(); t++) {
    bool inside = true;
    for (int a = 0; a < 3; a++) {
      const Range &at = job.tiles()[t].at[a];
      inside &= at.lo >= start[a] && at.hi <= clamped_sum(start[a], size[a]);
    }
    if (inside == within) list.push_back(int64_t(t));
  }
  return list;
}

int run(const char *kernel, bool scatter, const hm_window *window, const hm_source *sources, int32_t n_sources,
        const hm_view *weight, const hm_view *out_box, const hm_program *epilogue, int32_t algorithm) {
  std::unique_ptr<ConvJob> job = make_job(kernel, scatter, window, sources, n_sources, weight, out_box, epilogue, algorithm);
  if (!job) return 1;
  const int64_t nothing[3] = {};
  job->run(tiles_within(*job, nothing, nothing, false));
  job->finish();
  return 0;
}

// A convolution in two parts.
struct Begun {
  std::unique_ptr<ConvJob> job;
  std::vector<int64_t> rest;
};

} // namespace
} // namespace hm::conv

using namespace hm;

int hm_conv(const hm_window *window, const hm_source *sources, int32_t n_sources, const hm_view *weight,
            const hm_view *out_box, const hm_program *epilogue, int32_t algorithm) {
  return guarded("hm_conv", [&] {
    return conv::run("hm_conv", false, window, sources, n_sources, weight, out_box, epilogue, algorithm);
  });
}

int hm_conv_transpose(const hm_window *window, const hm_source *sources, int32_t n_sources, const hm_view *weight,
                      const hm_view *out_box, const hm_program *epilogue, int32_t algorithm) {
  return guarded("hm_conv_transpose", [&] {
    return conv::run("hm_conv_transpose", true, window, sources, n_sources, weight, out_box, epilogue, algorithm);
  });
}

int hm_conv_begin(int32_t transposed, const hm_window *window, const hm_source *sources, int32_t n_sources, const hm_view *weight,
                  const hm_view *out_box, const hm_program *epilogue, int32_t algorithm, const int64_t ready_start[3],
                  const int64_t ready_size[3], void **begun) {
  return guarded("hm_conv_begin", [&] {
    if (!ready_start || !ready_size || !begun) return fail("hm_conv_begin: an argument is null");
    *begun = nullptr;
    std::unique_ptr<conv::ConvJob> job = conv::make_job("hm_conv_begin", transposed != 0, window, sources, n_sources, weight,
                                                        out_box, epilogue, algorithm);
    if (!job) return 1;
    job->run(conv::tiles_within(*job, ready_start, ready_size, true));
    std::vector<int64_t> rest = conv::tiles_within(*job, ready_start, ready_size, false);
    *begun = new conv::Begun{std::move(job), std::move(rest)};
    return 0;
  });
}

int hm_conv_end(void **begun) {
  return guarded("hm_conv_end", [&] {
    if (!begun || !*begun) return fail("hm_conv_end: nothing has begun");
    std::unique_ptr<conv::Begun> held(static_cast<conv::Begun *>(*begun));
    *begun = nullptr;
    held->job->run(held->rest);
    held->job->finish();
    return 0;
  });
}
