// Chunks of channels, tiles and groups of tiles of a weight gradient: see conv_grad_plan.h.
#include "conv/conv_grad_plan.h"
#include "conv/conv_plan.h"
#include <algorithm>

namespace hm::conv {
namespace {

constexpr int64_t chunk_budget = 32 << 10; // doubles of a chunk's sums: 256 KiB of the L2 cache
constexpr int64_t most_blocks = 8;         // of a chunk
constexpr int64_t work_items = 32;         // wanted: so many groups of tiles that all chunks together have as many

std::vector<GradPlace> places_of(const Axis axis[3]) {
  std::vector<GradPlace> places;
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

} // namespace

GradPlan grad_plan(const Axis axis[3], const std::vector<Block> &x, const std::vector<Block> &dy, const hm_view &box,
                   const int64_t cell[3]) {
  GradPlan plan;
  plan.places = places_of(axis);
  int64_t taps = int64_t(plan.places.size()), most = 1;
  while (most < most_blocks && (most + 1) * (most + 1) * taps * 256 <= chunk_budget) most++;
  auto x_runs = runs_of(x, most), dy_runs = runs_of(dy, most);
  int64_t n_chunks = int64_t(x_runs.size() * dy_runs.size());
  plan.groups = std::max<int64_t>(1, work_items / n_chunks);
  int64_t x_width = 0, dy_width = int64_t(dy_runs[0].size()) * 16;
  for (const Block &b : x_runs[0]) x_width += b.planar ? b.lanes : b.width;
  choose_tile(axis, x_width, dy_width, double(taps * x_width * dy_width / 16), n_chunks, box.global, plan.tile);
  for (int a = 1; a < 3; a++) // whole cells
    if (cell[a] <= plan.tile[a] * 2) plan.tile[a] = std::max<int64_t>(1, (plan.tile[a] + cell[a] / 2) / cell[a]) * cell[a];
  plan.tiles = tiles_of(box, plan.tile);
  plan.groups = std::min(plan.groups, int64_t(plan.tiles.size()));
  std::copy(cell, cell + 3, plan.cell);
  for (auto &x_run : x_runs)
    for (auto &dy_run : dy_runs) {
      GradChunk chunk;
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

} // namespace hm::conv
