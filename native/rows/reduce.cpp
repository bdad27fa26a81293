// hm_reduce: sum, maximum or minimum over the dimensions that dst lacks.
//
//   dst[kept] = op over all others of src[n, d, h, w, c]
//
// Sums that keep only n and c are a row program (rows_run.cpp). Everything else goes by tasks: one n, one d, one h where kept, one
// piece of w where kept, one channel block where kept. A task has float64 accumulators for the w and c that it keeps; tasks
// that differ only in dimensions not kept are combined in rising order, so nothing depends on the number of threads.
#include "rows/rows_ops.h"
#include "runtime/threads.h"
#include "rows/tiles.h"

namespace hm {
namespace {

enum { sum = 0, maximum = 1, minimum = 2 };
constexpr int64_t w_piece = 64;
constexpr int64_t many_results = 4096; // from here on results alone keep the threads busy: no partial ones

HM_INLINE double combine(int kind, double a, double x) {
  if (kind == sum) return a + x;
  if (kind == maximum) return ((x > a) | (x != x)) ? x : a;
  return ((x < a) | (x != x)) ? x : a;
}

double neutral(int kind) { return kind == sum ? 0 : kind == maximum ? -INFINITY : INFINITY; }

// src as an operand with all dimensions, and rows of its own block.
int row_block(const hm_view &src, const hm_view &box) {
  if (src.block > 1) return src.block;
  return int(std::min<int64_t>(16, std::max<int64_t>(1, box.size[HM_C])));
}

int sum_by_rows(const hm_view &src, const hm_view &box, const hm_view &dst, const int32_t present[5]) {
  hm_operand operands[2] = {};
  operands[0].view = src, operands[1].view = dst;
  for (int i = 0; i < HM_DIMS; i++) operands[0].present[i] = 1, operands[1].present[i] = present[i];
  hm_instr in[2] = {};
  in[0].op = HM_LOAD, in[1].op = HM_SUM, in[1].operand = 1;
  hm_program p = {};
  p.instr = in, p.operands = operands, p.n_instr = p.n_operands = 2, p.n_registers = 1, p.input = p.result = -1;
  p.wide = src.dtype == HM_F64 || src.dtype == HM_I32;
  hm_view rows = box;
  rows.block = row_block(src, box);
  return hm_rows(&p, &rows);
}

struct Ranges { // a task's part of the box, per dimension
  int64_t start[HM_DIMS], size[HM_DIMS];
};

// Rows whose block divides 16: value i belongs to lane i % block, so 16 running results keep lanes apart.
template <int kind> void fold(const double *x, int64_t n, int block, bool keep_c, double *acc) {
  double lane[16];
  for (int l = 0; l < 16; l++) lane[l] = kind == sum ? 0 : x[l % block];
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int l = 0; l < 16; l++) lane[l] = combine(kind, lane[l], x[i + l]);
  for (int64_t l = 0; i + l < n; l++) lane[l] = combine(kind, lane[l], x[i + l]);
  for (int l = 0; l < 16; l++) acc[keep_c ? l % block : 0] = combine(kind, acc[keep_c ? l % block : 0], lane[l]);
}

// Accumulates a part of the box into acc[w kept ? w : 0][c kept ? c : 0]. The part is one channel block where c is kept.
template <int kind>
void accumulate(const hm_operand &src, const hm_view &box, int block, const Ranges &part, bool keep_w, bool keep_c,
                double *acc) {
  alignas(64) double row_values[w_piece * 64 + pattern];
  const int64_t c_end = part.start[HM_C] + part.size[HM_C], w_end = part.start[HM_W] + part.size[HM_W];
  Row row{0, 0, 0, 0, 0, 0, 0, block};
  for (row.n = part.start[HM_N]; row.n < part.start[HM_N] + part.size[HM_N]; row.n++)
    for (row.d = part.start[HM_D]; row.d < part.start[HM_D] + part.size[HM_D]; row.d++)
      for (row.h = part.start[HM_H]; row.h < part.start[HM_H] + part.size[HM_H]; row.h++)
        for (row.c0 = part.start[HM_C]; row.c0 < c_end; row.c0 += block) {
          // Blocks begin at the box's first channel, as rows do.
          row.lanes = int(std::min<int64_t>(block - (row.c0 - box.start[HM_C]) % block, c_end - row.c0));
          for (row.w0 = part.start[HM_W]; row.w0 < w_end; row.w0 += row.count) {
            row.count = std::min(w_piece, w_end - row.w0);
            const int step = load_operand(row_values, src, row);
            if (!keep_w && row.lanes == block && pattern % block == 0) {
              fold<kind>(row_values, row.count * block, block, keep_c, acc);
              continue;
            }
            for (int64_t i = 0; i < row.count; i++) {
              const double *x = step ? row_values + i * block : row_values;
              double *a = acc + (keep_w ? (row.w0 - part.start[HM_W] + i) * (keep_c ? block : 1) : 0);
              for (int l = 0; l < row.lanes; l++) a[keep_c ? l : 0] = combine(kind, a[keep_c ? l : 0], x[l]);
            }
          }
        }
}

int reduce(int kind, const hm_view &src, const hm_view &box, const hm_view &dst, const int32_t present[5]) {
  const int block = row_block(src, box);
  const bool keep_w = present[HM_W], keep_c = present[HM_C];
  const int64_t *start = box.start, *size = box.size;
  hm_operand from{};
  from.view = src;
  int64_t results = 1;
  for (int i = 0; i < HM_DIMS; i++) from.present[i] = 1, results *= present[i] ? size[i] : 1;

  // How often each dimension is cut into tasks; n and d are cut though not kept, where the results are few.
  const int64_t blocks = (size[HM_C] + block - 1) / block;
  const Cuts ws(start[HM_W], size[HM_W], w_piece);
  const bool few = results < many_results;
  const int64_t cut[HM_DIMS] = {present[HM_N] || few ? size[HM_N] : 1, present[HM_D] || few ? size[HM_D] : 1,
                                present[HM_H] ? size[HM_H] : 1, keep_w ? ws.count : 1, keep_c ? blocks : 1};
  const int64_t slot = (keep_w ? w_piece : 1) * (keep_c ? block : 1);
  auto part_of = [&](const int64_t at[HM_DIMS]) {
    Ranges part;
    for (int i = 0; i < HM_DIMS; i++) {
      bool one = cut[i] == size[i] && i < HM_W;
      part.start[i] = start[i] + (one ? at[i] : 0), part.size[i] = one ? 1 : size[i];
    }
    if (keep_w) part.start[HM_W] = ws.from(at[HM_W]), part.size[HM_W] = ws.to(at[HM_W]) - ws.from(at[HM_W]);
    if (keep_c) part.start[HM_C] += at[HM_C] * block, part.size[HM_C] = std::min<int64_t>(block, size[HM_C] - at[HM_C] * block);
    return part;
  };
  auto split = [&](int64_t t, int64_t at[HM_DIMS]) { // task number to its place in each dimension
    for (int i = HM_DIMS - 1; i >= 0; i--) at[i] = t % cut[i], t /= cut[i];
  };
  const int64_t tasks = cut[0] * cut[1] * cut[2] * cut[3] * cut[4];
  std::vector<double> partial(size_t(tasks * slot), neutral(kind));
  parallel_for(tasks, [&](int64_t t, int) {
    int64_t at[HM_DIMS];
    split(t, at);
    const auto run = kind == sum ? accumulate<sum> : kind == maximum ? accumulate<maximum> : accumulate<minimum>;
    run(from, box, block, part_of(at), keep_w, keep_c, partial.data() + t * slot);
  });
  for (int64_t t = 0; t < tasks; t++) { // into the first task of the same result
    int64_t at[HM_DIMS], first = 0;
    split(t, at);
    for (int i = 0; i < HM_DIMS; i++) first = first * cut[i] + (present[i] ? at[i] : 0);
    for (int64_t k = 0; first != t && k < slot; k++)
      partial[size_t(first * slot + k)] = combine(kind, partial[size_t(first * slot + k)], partial[size_t(t * slot + k)]);
  }
  hm_operand to{};
  to.view = dst;
  for (int i = 0; i < HM_DIMS; i++) to.present[i] = present[i];
  for (int64_t t = 0; t < tasks; t++) {
    int64_t at[HM_DIMS];
    split(t, at);
    bool is_first = true;
    for (int i = 0; i < HM_DIMS; i++) is_first &= present[i] || at[i] == 0;
    if (!is_first) continue;
    const Ranges part = part_of(at);
    const int lanes = keep_c ? int(part.size[HM_C]) : 1;
    const Row row{part.start[0], part.start[1], part.start[2], part.start[3], keep_w ? part.size[HM_W] : 1,
                  keep_c ? part.start[HM_C] : 0, lanes, keep_c ? block : 1};
    store_operand(to, row, Reg<double>{partial.data() + t * slot, pattern});
  }
  return 0;
}

} // namespace
} // namespace hm

using namespace hm;

int hm_reduce(int32_t kind, const hm_view *src, const hm_view *box, const hm_view *dst, const int32_t dst_present[5]) {
  return guarded("hm_reduce", [&] {
    if (kind < sum || kind > minimum) return fail("hm_reduce: kind %d is not 0 (sum), 1 (max) or 2 (min)", int(kind));
    if (check_view(src, "hm_reduce", "src")) return 1;
    if (!dst || !box || !dst_present) return fail("hm_reduce: %s is null", !dst ? "dst" : box ? "dst_present" : "box");
    if (!dtype_size(dst->dtype)) return fail("hm_reduce: dst: dtype %d is unknown", int(dst->dtype));
    if (check_extents(box, "hm_reduce", "box")) return 1;
    bool nc_only = true;
    for (int i = 0; i < HM_DIMS; i++) {
      if (dst_present[i] && check_range(*dst, i, box->start[i], box->size[i], "hm_reduce", "dst")) return 1;
      if (dst_present[i] && i != HM_N && i != HM_C && box->size[i] > 1) nc_only = false;
    }
    if (check_covers(*src, *box, "hm_reduce", "src") || check_memory(*dst, dst_present, "hm_reduce", "dst")) return 1;
    if (kind == sum && nc_only) return sum_by_rows(*src, *box, *dst, dst_present);
    return reduce(kind, *src, *box, *dst, dst_present);
  });
}
