// Tile sizes, groups of runs and packed weights of a convolution: see conv_plan.h.
#include "conv/conv_plan.h"
#include "conv/conv_micro.h"
#include "runtime/threads.h"
#include "runtime/view.h"
#include <algorithm>

namespace hm::conv {
namespace {

constexpr int64_t ring_budget = 96 << 10;          // floats: 384 KiB of the L2 cache
constexpr int64_t group_weight_budget = 5 << 10;   // floats: 20 KiB of the L1 cache
constexpr int64_t chunk_weight_budget = 128 << 10; // floats: 512 KiB of the L2 cache
constexpr double load_work = 16;                   // what loading a vector costs, in multiply-adds of vectors
constexpr double row_work = 300;                   // what a row loaded or stored costs beside its positions
constexpr int64_t least_positions = 12;            // of a row of a tile, where the volume has as many
constexpr int64_t few_threads = 8;                 // that should find enough work items

int64_t channels_of(const Block &block) { return block.planar ? block.lanes : (block.lanes + 3) / 4 * 4; }

// Taps along w of one class, as runs that read successive positions of one phase, none longer than the inner kernel takes.
std::vector<std::vector<Tap>> runs_along_w(const Axis &axis, int64_t r) {
  std::vector<Tap> taps = axis.classes[size_t(r)];
  auto phase = [&](const Tap &tap) { return floor_mod(tap.offset, axis.in_step); };
  std::sort(taps.begin(), taps.end(), [&](const Tap &a, const Tap &b) {
    return phase(a) != phase(b) ? phase(a) < phase(b) : a.offset < b.offset;
  });
  std::vector<std::vector<Tap>> runs;
  for (size_t from = 0, to; from < taps.size(); from = to) {
    for (to = from + 1; to < taps.size() && taps[to].offset == taps[to - 1].offset + axis.in_step;) to++;
    int64_t n = int64_t(to - from), parts = ceil_div(n, micro_run());
    auto first = taps.begin() + int64_t(from);
    for (int64_t p = 0; p < parts; p++) runs.emplace_back(first + n * p / parts, first + n * (p + 1) / parts);
  }
  return runs;
}

// Groups of the runs of one class: alike, and of bounded weights.
std::vector<RunGroup> groups_of(const Axis axis[3], const int64_t r[3], const std::vector<Block> &blocks, int group_blocks,
                                int64_t &weight_floats) {
  std::vector<RunGroup> groups;
  for (auto &w : runs_along_w(axis[2], r[2]))
    for (size_t from = 0, to; from < blocks.size(); from = to) {
      const Block &b = blocks[from];
      RunGroup all{{}, int(w.size()), channels_of(b), b.planar, b.channel, b.row, b.step, 0};
      for (to = from; to < blocks.size(); to++) {
        if (blocks[to].planar != b.planar || channels_of(blocks[to]) != all.channels || blocks[to].row != b.row) break;
        for (auto &d : axis[0].classes[size_t(r[0])])
          for (auto &h : axis[1].classes[size_t(r[1])]) {
            all.runs.push_back({int(to), d, h, {}});
            std::copy(w.begin(), w.end(), all.runs.back().w);
          }
      }
      int64_t run_floats = all.channels * all.taps * 16, n = int64_t(all.runs.size());
      int64_t parts = ceil_div(n, std::max<int64_t>(1, group_weight_budget / (run_floats * group_blocks)));
      for (int64_t p = 0; p < parts; p++) {
        RunGroup group = all;
        group.runs.assign(all.runs.begin() + n * p / parts, all.runs.begin() + n * (p + 1) / parts);
        group.weight = weight_floats;
        weight_floats += int64_t(group.runs.size()) * run_floats;
        groups.push_back(std::move(group));
      }
    }
  return groups;
}

// Packs one group of runs for the output blocks [first, first + count).
template <class S> void pack(const ConvPlan &plan, const RunGroup &group, const hm_view &weight, int64_t first, int64_t count,
                               float *to) {
  const S *data = static_cast<const S *>(weight.data);
  int64_t c_step = weight.stride[HM_C];
  for (const Run &run : group.runs) {
    const Block &block = plan.input.blocks[size_t(run.block)];
    for (int64_t c = 0; c < group.channels; c++)
      for (int t = 0; t < group.taps; t++)
        for (int64_t b = first; b < first + count; b++, to += 16) {
          Range o = plan.out.of(b);
          int64_t n = c < block.lanes ? o.size() : 0;
          const S *from = n ? data + offset_of(weight, block.k0 + c, run.d.k, run.h.k, run.w[t].k, plan.out.c0 + o.lo) : nullptr;
          if (c_step == 1) __builtin_prefetch(from + 4 * weight.stride[HM_N]); // each comes from another place of a large tensor
          if (c_step == 1 && n == 16)
            for (int64_t i = 0; i < 16; i++) to[i] = from_stored<float>(from[i]);
          else
            for (int64_t i = 0; i < n; i++) to[i] = from_stored<float>(from[i * c_step]);
          std::fill(to + n, to + 16, 0.0f);
        }
  }
}

void pack_weights(ConvPlan &plan, const hm_view &weight) {
  plan.weight = Buffer(plan.out.blocks * plan.weight_floats);
  std::vector<const RunGroup *> groups;
  for (auto &of_class : plan.classes)
    for (auto &group : of_class) groups.push_back(&group);
  int64_t n = int64_t(groups.size());
  parallel_for(ceil_div(plan.out.blocks, plan.group_blocks) * n, [&](int64_t item, int) {
    const RunGroup &group = *groups[size_t(item % n)];
    int64_t first = item / n * plan.group_blocks, count = std::min<int64_t>(plan.group_blocks, plan.out.blocks - first);
    float *to = plan.weight.data() + first * plan.weight_floats + count * group.weight;
    with_dtype(weight.dtype, [&](auto s) { pack<decltype(s)>(plan, group, weight, first, count, to); });
  });
}

} // namespace

void choose_tile(const Axis axis[3], int64_t input_width, int64_t other_width, double work, int64_t chunks,
                 const int64_t out_global[5], int64_t tile[3]) {
  const int64_t parts_of[] = {1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096};
  std::vector<int64_t> sizes[3];
  for (int a = 0; a < 3; a++) {
    int64_t extent = std::max<int64_t>(1, out_global[HM_D + a]), step = axis[a].out_step;
    for (int64_t parts : parts_of) {
      int64_t size = ceil_div(ceil_div(extent, parts), step) * step;
      if (a < 2 && size > 32 * step && parts < 4096) continue; // planes and rows of a tile
      if (a == 2 && parts > 1 && size < least_positions * step) break;
      if (sizes[a].empty() || size < sizes[a].back()) sizes[a].push_back(size);
    }
  }
  double best = 0;
  bool best_fits = false, any = false;
  for (int64_t d : sizes[0])
    for (int64_t h : sizes[1])
      for (int64_t w : sizes[2]) {
        int64_t size[3] = {d, h, w};
        double outputs = 1, loaded = 1, items = double(chunks * std::max<int64_t>(1, out_global[HM_N]));
        int64_t read[3];
        for (int a = 0; a < 3; a++) {
          read[a] = axis[a].in_step * (size[a] / axis[a].out_step - 1) + axis[a].span();
          outputs *= double(size[a]);
          loaded *= double(read[a]);
          items *= double(ceil_div(std::max<int64_t>(1, out_global[HM_D + a]), size[a]));
        }
        double floats = double(axis[0].span()) * double(read[1]) * double(read[2]) * double(input_width) +
                        double(h) * double(w) * double(other_width);
        bool fits = floats <= double(ring_budget);
        double idle = double(ceil_div(int64_t(items), few_threads) * few_threads) / items;
        double rows = double(d) * double(h) + double(read[0]) * double(read[1]) * double(input_width) / 16; // stored and loaded
        double work_all = outputs * work + loaded * double(input_width) / 16 * load_work + rows * row_work;
        double time = work_all / outputs * idle;
        if (!fits) time = floats;
        if (any && (fits != best_fits ? best_fits : time >= best)) continue;
        any = true;
        best = time;
        best_fits = fits;
        std::copy(size, size + 3, tile);
      }
}

ConvPlan conv_plan(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &weight,
                   const hm_view &out_box) {
  ConvPlan plan(out_box);
  plan.group_blocks = plan.out.blocks > 1 && micro_positions(2) ? 2 : 1;
  std::vector<Block> blocks =
      blocks_of(sources, n_sources, weight.start[HM_N], weight.start[HM_N] + weight.size[HM_N], true);
  int64_t input_width = 0;
  double work = 0;
  for (auto &b : blocks) {
    input_width += b.planar ? b.lanes : b.width;
    work += double(channels_of(b));
  }
  for (int a = 0; a < 3; a++) {
    size_t taps = 0;
    for (auto &of_class : axis[a].classes) taps += of_class.size();
    work *= double(taps) / double(axis[a].out_step);
  }
  int64_t width = plan.group_blocks * 16;
  plan.chunk_blocks = plan.group_blocks * std::max<int64_t>(1, int64_t(chunk_weight_budget / (work * double(width) + 1)));
  plan.chunk_blocks = std::min(plan.chunk_blocks, ceil_div(plan.out.blocks, plan.group_blocks) * plan.group_blocks);
  choose_tile(axis, input_width, width, work * double(plan.chunk_blocks), ceil_div(plan.out.blocks, plan.chunk_blocks),
              out_box.global, plan.tile);
  plan.input = layout_of(axis, plan.tile, std::move(blocks), 0.0f);
  plan.weight_floats = 0;
  int64_t r[3];
  for (r[0] = 0; r[0] < axis[0].out_step; r[0]++)
    for (r[1] = 0; r[1] < axis[1].out_step; r[1]++)
      for (r[2] = 0; r[2] < axis[2].out_step; r[2]++)
        plan.classes.push_back(groups_of(axis, r, plan.input.blocks, plan.group_blocks, plan.weight_floats));
  pack_weights(plan, weight);
  return plan;
}

} // namespace hm::conv
