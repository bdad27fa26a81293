// Loading, softmax and storing of all classes of a position; see classes.h.
#include "classes/classes.h"

namespace hm {
namespace {
using ll = long long;
constexpr int64_t P = class_positions, most_classes = 1 << 16;
} // namespace

int check_classes(const hm_source *x, const hm_view *box, const char *kernel, hm_view *all) {
  if (!x) return fail("%s: the source is null", kernel);
  if (check_box(box, kernel, "box") || check_box(&x->box, kernel, "box of the source")) return 1;
  *all = *box;
  all->block = x->box.block;
  all->start[HM_C] = x->box.start[HM_C], all->size[HM_C] = x->box.size[HM_C], all->global[HM_C] = x->box.global[HM_C];
  if (x->box.start[HM_C] != 0 || x->box.size[HM_C] != x->box.global[HM_C])
    return fail("%s: all classes must be stored: [0, %lld) expected, [%lld, %lld) found", kernel, ll(x->box.global[HM_C]),
                ll(x->box.start[HM_C]), ll(clamped_sum(x->box.start[HM_C], x->box.size[HM_C])));
  if (x->box.size[HM_C] < 1) return fail("%s: there are no classes", kernel);
  if (x->box.size[HM_C] > most_classes)
    return fail("%s: expected at most %lld classes, got %lld", kernel, ll(most_classes), ll(x->box.size[HM_C]));
  if (check_box(all, kernel, "box")) return 1;
  if (check_covers(x->box, *all, kernel, "source")) return 1;
  if (x->load.result < 0) return fail("%s: the source's program has no result", kernel);
  return check_program(x->load, *all, kernel);
}

int check_labels(const hm_view *labels, const hm_view &box, const char *kernel) {
  if (check_view(labels, kernel, "labels")) return 1;
  if (labels->dtype != HM_U8 && labels->dtype != HM_I32 && labels->dtype != HM_F32)
    return fail("%s: labels: expected u8, i32 or f32, got %s", kernel, dtype_name(labels->dtype));
  if (labels->size[HM_C] != 1) return fail("%s: labels: expected one value a position, got %lld", kernel, ll(labels->size[HM_C]));
  for (int i = 0; i < HM_C; i++)
    if (check_range(*labels, i, box.start[i], box.size[i], kernel, "labels")) return 1;
  return 0;
}

void load_classes(const hm_source &x, ClassScratch &s, const Row &at) {
  const int64_t classes = x.box.size[HM_C];
  const int block = x.box.block;
  Row row = at;
  row.block = block;
  for (int64_t c = 0; c < classes; c += block) {
    row.c0 = c, row.lanes = int(std::min<int64_t>(block, classes - c));
    load_row(x.load, s.rows, row, s.row.data());
    const float *from = s.row.data();
    for (int l = 0; l < row.lanes; l++) {
      float *to = s.logits.data() + (c + l) * P;
      for (int64_t i = 0; i < row.count; i++) to[i] = from[i * block + l];
    }
  }
}

void softmax_of(ClassScratch &s, int64_t classes, int64_t count, int one_class) {
  float *__restrict top = s.top.data(), *__restrict sum = s.log_sum.data();
  for (int64_t i = 0; i < count; i++) top[i] = s.logits[size_t(i)], sum[i] = 0;
  for (int64_t k = 1; k < classes; k++) {
    const float *z = s.logits.data() + k * P;
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) top[i] = ((z[i] > top[i]) | (z[i] != z[i])) ? z[i] : top[i];
  }
  for (int64_t k = 0; k < classes; k++) {
    const float *z = s.logits.data() + k * P;
    float *e = s.softmax.data() + k * P;
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) e[i] = exp_of(z[i] - top[i]);
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) sum[i] += e[i];
  }
  for (int64_t k = 0; k < classes; k++) {
    if (one_class >= 0 && k != one_class) continue;
    float *e = s.softmax.data() + k * P;
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) e[i] = e[i] / sum[i];
  }
  HM_INDEPENDENT
  for (int64_t i = 0; i < count; i++) sum[i] = log_of(sum[i]);
}

void load_labels(const hm_view &labels, ClassScratch &s, const Row &at, int64_t classes, BadLabel &bad) {
  const int64_t first = offset_of(labels, at.n, at.d, at.h, at.w0, labels.start[HM_C]), step = labels.stride[HM_W];
  int32_t wrong = 0;
  with_dtype(labels.dtype, [&](auto type) {
    using S = decltype(type);
    const S *p = (const S *)labels.data + first;
    for (int64_t i = 0; i < at.count; i++) {
      const double value = from_stored<double>(p[i * step]);
      const bool ok = value >= 0 && value < double(classes);
      s.labels[size_t(i)] = ok ? int32_t(value) : 0;
      wrong |= !ok || double(s.labels[size_t(i)]) != value;
    }
    for (int64_t i = 0; wrong && !bad.found && i < at.count; i++) {
      const double value = from_stored<double>(p[i * step]);
      if (!(value >= 0 && value < double(classes) && value == std::floor(value)))
        bad = {true, at.n, at.d, at.h, at.w0 + i, value};
    }
  });
}

int fail_label(const std::vector<BadLabel> &bad, int64_t classes, const char *kernel) {
  for (const BadLabel &b : bad)
    if (b.found)
      return fail("%s: label %g at (n %lld, d %lld, h %lld, w %lld): expected a whole number from 0 to %lld", kernel, b.value,
                  ll(b.n), ll(b.d), ll(b.h), ll(b.w), ll(classes - 1));
  return 0;
}

void store_classes(const hm_program &epilogue, ClassScratch &s, const Row &at, const hm_view &all, const float *values,
                   double *partial) {
  const int64_t classes = all.size[HM_C];
  const int block = all.block;
  Row row = at;
  row.block = block;
  for (int64_t c = 0; c < classes; c += block) {
    row.c0 = c, row.lanes = int(std::min<int64_t>(block, classes - c));
    float *to = s.row.data();
    for (int l = 0; l < block; l++) {
      const float *from = values + (c + l) * P;
      for (int64_t i = 0; i < row.count; i++) to[i * block + l] = l < row.lanes ? from[i] : 0;
    }
    store_row(epilogue, s.rows, row, to, partial, 0, classes);
  }
}

void for_pieces(const Tiles &tiles, int64_t classes, int block, const PieceBody &body) {
  parallel_for(tiles.count, [&](int64_t t, int) {
    static thread_local ClassScratch s;
    s.reserve(classes, block);
    const Tile tile = tiles[t];
    const Cuts ws(tile.w0, tile.w1 - tile.w0, P);
    for (int64_t h = tile.h0; h < tile.h1; h++)
      for (int64_t w = 0; w < ws.count; w++)
        body(t, Row{tile.n, tile.d, h, ws.from(w), ws.to(w) - ws.from(w), 0, 1, 1}, s);
  });
}

} // namespace hm
