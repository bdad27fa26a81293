// hm_rows: a row program run alone, over a whole box; and the end of every sum.
//
// Tiles (tiles.h) run on the threads; each has its own partial sums, combined in their order.
#include "rows/rows_lanes.h"
#include "rows/rows_ops.h"
#include "runtime/threads.h"
#include "rows/tiles.h"
#include <algorithm>

namespace hm {
namespace {

constexpr int64_t tile_values = 65536;   // of one row of a tile: its w reaches over tile_values / block positions
constexpr int64_t inline_values = 32768; // below this many values a call stays on its thread

bool has_op(const hm_program &p, bool (*is)(int)) {
  for (int i = 0; i < p.n_instr; i++)
    if (is(p.instr[i].op)) return true;
  return false;
}

// A program over plain tensors only (block 1 everywhere) may see their dimensions in any order. Those that lie one inside the
// other in every operand become one, the innermost the row: a plain tensor becomes one long row, whatever its shape.
bool flatten(const hm_program &p, const hm_view &box, std::vector<hm_operand> &operands, hm_view &flat) {
  if (has_op(p, [](int op) { return op == HM_SUM || op == HM_UNIFORM || op == HM_NORMAL || op == HM_BERNOULLI ||
                                reads_lanes(op); })) return false;
  const hm_operand *guide = nullptr; // the first stored operand: its strides order the dimensions
  for (int i = 0; i < p.n_instr; i++) {
    if (p.instr[i].op != HM_LOAD && p.instr[i].op != HM_STORE) continue;
    const hm_operand &o = p.operands[p.instr[i].operand];
    if (o.present[HM_C] && (o.view.block != 1 || o.present[HM_C] == HM_SOME_BLOCKS)) return false;
    if (p.instr[i].op == HM_STORE && !guide) guide = &o;
  }
  if (!guide) return false;

  int order[HM_DIMS], dims = 0;
  for (int i = 0; i < HM_DIMS; i++)
    if (box.size[i] > 1) order[dims++] = i;
  std::stable_sort(order, order + dims, [&](int a, int b) { return guide->view.stride[a] > guide->view.stride[b]; });
  auto stride = [&](const hm_operand &o, int i) { return o.present[i] ? o.view.stride[i] : 0; };
  auto joins = [&](int outer, int inner, int64_t extent) {
    for (int i = 0; i < p.n_instr; i++) {
      if (p.instr[i].op != HM_LOAD && p.instr[i].op != HM_STORE) continue;
      const hm_operand &o = p.operands[p.instr[i].operand];
      int64_t whole;
      if (!times(stride(o, inner), extent, &whole) || stride(o, outer) != whole) return false;
    }
    return true;
  };
  int inner[HM_DIMS], merged = 0; // merged dimensions, innermost first: their innermost member and extent
  int64_t extent[HM_DIMS];
  for (int k = dims - 1; k >= 0; k--) {
    if (merged && joins(order[k], inner[merged - 1], extent[merged - 1])) extent[merged - 1] *= box.size[order[k]];
    else inner[merged] = order[k], extent[merged++] = box.size[order[k]];
  }
  if (merged > 4) return false;

  flat = box;
  flat.block = 1;
  const int place[4] = {HM_W, HM_H, HM_D, HM_N};
  for (int i = 0; i < HM_DIMS; i++) flat.start[i] = 0, flat.size[i] = 1;
  for (int m = 0; m < merged; m++) flat.size[place[m]] = extent[m];
  operands.assign(p.operands, p.operands + p.n_operands);
  for (hm_operand &o : operands) {
    const hm_operand was = o;
    int64_t first = 0;
    for (int i = 0; i < HM_DIMS; i++) first += stride(was, i) * (box.start[i] - was.view.start[i]);
    if (o.view.data) o.view.data = (char *)o.view.data + first * dtype_size(o.view.dtype);
    o.view.block = 1;
    for (int i = 0; i < HM_DIMS; i++) o.present[i] = 0, o.view.start[i] = 0, o.view.stride[i] = 0, o.view.size[i] = flat.size[i];
    for (int m = 0; m < merged; m++) {
      o.view.stride[place[m]] = stride(was, inner[m]);
      o.present[place[m]] = o.view.stride[place[m]] != 0;
    }
  }
  return true;
}

void run_tiles(const hm_program &p, const hm_view &box) {
  const int64_t block = box.block, c_origin = box.start[HM_C], channels = box.size[HM_C];
  const Tiles tiles(box, tile_values / block);
  const int64_t slot = sum_count(p) * channels;
  std::vector<double> partials(size_t(tiles.count * slot));
  auto run = [&](int64_t t, int) {
    static thread_local RowScratch scratch; // memory only: a small call must not allocate
    const Tile tile = tiles[t];
    Row row{tile.n, tile.d, 0, tile.w0, tile.w1 - tile.w0, 0, 0, int(block)};
    for (int64_t c = 0; c < channels; c += block) {
      row.c0 = c_origin + c;
      row.lanes = int(std::min(block, channels - c));
      for (row.h = tile.h0; row.h < tile.h1; row.h++)
        store_row(p, scratch, row, nullptr, slot ? partials.data() + t * slot : nullptr, c_origin, channels);
    }
  };
  if (volume(box) > inline_values) parallel_for(tiles.count, run);
  else
    for (int64_t t = 0; t < tiles.count; t++) run(t, 0);
  if (slot) finish_sums(p, box, partials.data(), tiles.cases().data(), tiles.count, channels);
}

} // namespace

void finish_sums(const hm_program &p, const hm_view &box, const double *partials, const int64_t *tile_n, int64_t tiles,
                 int64_t channels) {
  const int sums = sum_count(p);
  int sum = -1;
  for (int i = 0; i < p.n_instr; i++) {
    if (p.instr[i].op != HM_SUM) continue;
    sum++;
    const hm_operand &o = p.operands[p.instr[i].operand];
    const bool has_n = o.present[HM_N], has_c = o.present[HM_C];
    const int64_t cases = has_n ? box.size[HM_N] : 1, values = has_c ? channels : 1;
    std::vector<double> total(size_t(cases * values));
    for (int64_t t = 0; t < tiles; t++) {
      double *to = total.data() + (has_n ? tile_n[t] - box.start[HM_N] : 0) * values;
      const double *from = partials + (t * sums + sum) * channels;
      for (int64_t c = 0; c < channels; c++) to[has_c ? c : 0] += from[c];
    }
    const hm_view &v = o.view;
    int64_t base = 0; // a d, h or w that the sum keeps has one position
    for (int k = HM_D; k <= HM_W; k++) base += o.present[k] ? (box.start[k] - v.start[k]) * v.stride[k] : 0;
    with_dtype(v.dtype, [&](auto s) {
      using S = decltype(s);
      for (int64_t n = 0; n < cases; n++)
        for (int64_t c = 0; c < values; c++) {
          int64_t at = base + (has_n ? (box.start[HM_N] + n - v.start[HM_N]) * v.stride[HM_N] : 0) +
                       (has_c ? channel_offset(v, box.start[HM_C] + c) : 0);
          ((S *)v.data)[at] = Stored<S>::from(total[size_t(n * values + c)]);
        }
    });
  }
}

} // namespace hm

using namespace hm;

int hm_rows(const hm_program *program, const hm_view *box) {
  return guarded("hm_rows", [&] {
    if (!program) return fail("hm_rows: program is null");
    if (check_box(box, "hm_rows", "box") || check_program(*program, *box, "hm_rows")) return 1;
    if (program->input >= 0) return fail("hm_rows: the program expects a kernel's result in register %d", int(program->input));
    hm_program p = *program;
    hm_view flat;
    std::vector<hm_operand> operands;
    if (flatten(p, *box, operands, flat)) {
      p.operands = operands.data();
      run_tiles(p, flat);
    } else {
      run_tiles(p, *box);
    }
    return 0;
  });
}
