// Tile sizes and transformed weights of F(4x4, 3x3): see plane_plan.h.
#include "winograd/plane_plan.h"
#include "conv/conv_plan.h"
#include "runtime/threads.h"
#include "runtime/view.h"
#include "winograd/plane_micro.h"
#include "winograd/winograd_plan.h"
#include <algorithm>

namespace hm::conv {
namespace {

constexpr int64_t values_budget = 48; // tiles x input blocks that are transformed at a time; each takes 2.25 KiB
constexpr int64_t least_tiles = 24;   // but so many tiles, or weights are read too often
constexpr double transform_work = 16; // of a vector of input or output, in multiply-adds of vectors a position

// The transform of three taps that lie `g_step` vectors of 16 apart, to six.
void transform(const double *g, double *u, int64_t g_step, int64_t u_step) {
  for (int i = 0; i < 16; i++) {
    double g0 = g[i], g1 = g[g_step * 16 + i], g2 = g[2 * g_step * 16 + i];
    u[i] = g0 / 4;
    u[u_step * 16 + i] = -(g0 + g1 + g2) / 6;
    u[2 * u_step * 16 + i] = -(g0 - g1 + g2) / 6;
    u[3 * u_step * 16 + i] = (g0 + 2 * g1 + 4 * g2) / 24;
    u[4 * u_step * 16 + i] = (g0 - 2 * g1 + 4 * g2) / 24;
    u[5 * u_step * 16 + i] = g2;
  }
}

// One channel of input and one block of output channels. taps[axis][i]: kernel index of the tap with the i-th lowest offset.
struct Packer {
  const PlanePlan &plan;
  const hm_view &weight;
  int64_t taps[3][3];

  template <class S> void pack(const Block &block, int64_t channel, int64_t k, int64_t group, int count) const {
    const S *data = static_cast<const S *>(weight.data);
    const int together = plane_together();
    const int64_t c_step = weight.stride[HM_C];
    alignas(64) double g[9 * 16], gw[18 * 16], u[36 * 16];
    for (int b = 0; b < count; b++) {
      Range o = plan.out.of(group + b);
      for (int i = 0; i < 9; i++) {
        const S *from = data + offset_of(weight, block.k0 + k, taps[0][0], taps[1][i / 3], taps[2][i % 3], plan.out.c0 + o.lo);
        for (int64_t l = 0; l < 16; l++) g[i * 16 + l] = l < o.size() ? double(from_stored<float>(from[l * c_step])) : 0.0;
      }
      for (int i = 0; i < 3; i++) transform(g + i * 3 * 16, gw + i * 6 * 16, 1, 1);
      for (int c = 0; c < 6; c++) transform(gw + c * 16, u + c * 16, 6, 6);
      float *to = plan.weight.data() + group * plan.weight_floats();
      for (int f = 0; f < 36; f++) { // [f / together][channel][f % together][block][16]
        float *at = to + (((f / together) * plan.in_channels + channel) * together + f % together) * count * 16 + b * 16;
        for (int l = 0; l < 16; l++) at[l] = float(u[f * 16 + l]);
      }
    }
  }
};

void pack_weights(PlanePlan &plan, const Axis axis[3], const hm_view &weight) {
  plan.weight = Buffer(plan.out.blocks * plan.weight_floats());
  Packer packer{plan, weight, {}};
  for (int a = 0; a < 3; a++)
    for (int i = 0; i < axis[a].span(); i++) packer.taps[a][i] = tap_at(axis[a], i);
  int64_t n = int64_t(plan.input.blocks.size());
  parallel_for(ceil_div(plan.out.blocks, plan.group_blocks) * n, [&](int64_t item, int) {
    int64_t group = item / n * plan.group_blocks, channel = 0;
    int count = int(std::min<int64_t>(plan.group_blocks, plan.out.blocks - group));
    const Block &block = plan.input.blocks[size_t(item % n)];
    for (int64_t i = 0; i < item % n; i++) channel += plan.channels[size_t(i)];
    for (int64_t k = 0; k < block.lanes; k++)
      with_dtype(weight.dtype, [&](auto s) { packer.pack<decltype(s)>(block, channel + k, k, group, count); });
  });
}

} // namespace

PlanePlan plane_plan(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &weight, const hm_view &out_box) {
  PlanePlan plan(out_box);
  plan.group_blocks = plan.out.blocks > 1 && plane_tiles(2) ? 2 : 1;
  plan.chunk_blocks = plan.out.blocks;
  std::vector<Block> blocks =
      blocks_of(sources, n_sources, weight.start[HM_N], weight.start[HM_N] + weight.size[HM_N], false);
  int64_t width = 0;
  for (const Block &b : blocks) {
    plan.channels.push_back(b.lanes);
    plan.in_channels += b.lanes;
    width += b.width;
  }
  int64_t n = int64_t(blocks.size());
  plan.chunk_tiles = std::max(least_tiles, values_budget / std::max<int64_t>(1, n));
  double work = double(plan.in_channels * plan.out.blocks) * 2.25 + transform_work * double(n + plan.out.blocks);
  choose_tile(axis, width, 0, work, 1, out_box.global, plan.tile);
  for (int a = 1; a < 3; a++) plan.tile[a] = ceil_div(plan.tile[a], plane_tile) * plane_tile;
  plan.input = layout_of(axis, plan.tile, std::move(blocks), 0.0f);
  pack_weights(plan, axis, weight);
  return plan;
}

} // namespace hm::conv
