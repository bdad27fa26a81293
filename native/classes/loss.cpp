// Sums over voxels that class losses are made of, and their gradients, straight from logits and labels.
//
//   p = softmax(logits) over classes, t[k] = (k == label)
//   cross_entropy       sum of weights[label] * -log p[label]       d/dlogit[k] = g * weights[label] * (p[k] - t[k])
//   class_sums of cls   sum of p t, sum of p, sum of t              d/dlogit[k] = (g_pt t + g_p) * p * ((k == cls) - p[k])
//
// Each position's term is float32; tiles add them in float64, and tiles are combined in their order.
#include "classes/classes.h"

namespace hm {
namespace {

constexpr int64_t tile_w = 4096, P = class_positions;
using ll = long long;

// A view over n, or one value: the sums, or the gradients of the sums.
struct PerCase {
  const hm_view *view;
  bool per_case;
  int64_t at(int64_t n) const { return per_case ? (n - view->start[HM_N]) * view->stride[HM_N] : 0; }
  double get(int64_t n) const {
    double x = 0;
    with_dtype(view->dtype, [&](auto s) { x = from_stored<double>(((const decltype(s) *)view->data)[at(n)]); });
    return x;
  }
  void set(int64_t n, double x) const {
    with_dtype(view->dtype, [&](auto s) { ((decltype(s) *)view->data)[at(n)] = Stored<decltype(s)>::from(x); });
  }
  int check(const hm_view &box, const char *kernel, const char *what) const {
    if (check_view(view, kernel, what)) return 1;
    if (!view->data) return fail("%s: %s: data is null", kernel, what);
    for (int i = 0; i < HM_DIMS; i++)
      if (view->size[i] < 1) return fail("%s: %s: dimension %s has no positions", kernel, what, dim_names[i]);
    return per_case ? check_range(*view, HM_N, box.start[HM_N], box.size[HM_N], kernel, what) : 0;
  }
};

PerCase sums_of(const hm_view *view) { return {view, view && view->global[HM_N] != 1}; }

// Adds up tiles in their order: values[tile * sums + k] into `to[k]`.
void finish(const Tiles &tiles, const std::vector<double> &values, const std::vector<PerCase> &to) {
  const int64_t cases = tiles.box.size[HM_N], n0 = tiles.box.start[HM_N], sums = int64_t(to.size());
  for (int64_t k = 0; k < sums; k++) {
    std::vector<double> total(size_t(to[size_t(k)].per_case ? cases : 1));
    for (int64_t t = 0; t < tiles.count; t++)
      total[size_t(to[size_t(k)].per_case ? tiles[t].n - n0 : 0)] += values[size_t(t * sums + k)];
    for (size_t n = 0; n < total.size(); n++) to[size_t(k)].set(n0 + int64_t(n), total[n]);
  }
}

int check_epilogue(const hm_program *epilogue, const hm_view &all, const char *kernel) {
  if (!epilogue) return fail("%s: the epilogue is null", kernel);
  return check_program(*epilogue, all, kernel);
}

double sum_double(const float *x, int64_t n) { // eight running sums, so that additions overlap
  double s[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int l = 0; l < 8; l++) s[l] += double(x[i + l]);
  for (; i < n; i++) s[i % 8] += double(x[i]);
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

std::vector<float> weights_of(const double *weights, int64_t classes) {
  std::vector<float> w(static_cast<size_t>(classes));
  for (int64_t k = 0; k < classes; k++) w[size_t(k)] = weights ? float(weights[k]) : 1.0f;
  return w;
}

// The gradients share everything but their formula: formula(n, softmax [class][position] in place, labels, count).
template <class Formula>
int gradient(const hm_source &logits, const hm_view &labels, const hm_view &all, const hm_program &epilogue, const char *kernel,
             Formula formula) {
  const int64_t classes = all.size[HM_C], slot = sum_count(epilogue) * classes;
  const Tiles tiles(all, tile_w);
  std::vector<double> partials(size_t(tiles.count * slot));
  std::vector<BadLabel> bad(static_cast<size_t>(tiles.count));
  for_pieces(tiles, classes, all.block, [&](int64_t t, const Row &at, ClassScratch &s) {
    load_labels(labels, s, at, classes, bad[size_t(t)]);
    load_classes(logits, s, at);
    softmax_of(s, classes, at.count, -1);
    formula(at.n, s, at.count);
    store_classes(epilogue, s, at, all, s.softmax.data(), slot ? partials.data() + t * slot : nullptr);
  });
  if (fail_label(bad, classes, kernel)) return 1;
  if (slot) finish_sums(epilogue, all, partials.data(), tiles.cases().data(), tiles.count, classes);
  return 0;
}

} // namespace
} // namespace hm

using namespace hm;

int hm_cross_entropy(const hm_source *logits, const hm_view *labels, const double *weights, const hm_view *box,
                     const hm_view *sum, int32_t per_case) {
  const char *kernel = "hm_cross_entropy";
  return guarded(kernel, [&] {
    hm_view all;
    const PerCase total{sum, per_case != 0};
    if (check_classes(logits, box, kernel, &all) || check_labels(labels, all, kernel) || total.check(all, kernel, "sum")) return 1;
    const int64_t classes = all.size[HM_C];
    const std::vector<float> w = weights_of(weights, classes);
    const Tiles tiles(all, tile_w);
    std::vector<double> sums(static_cast<size_t>(tiles.count));
    std::vector<BadLabel> bad(static_cast<size_t>(tiles.count));
    for_pieces(tiles, classes, all.block, [&](int64_t t, const Row &at, ClassScratch &s) {
      load_labels(*labels, s, at, classes, bad[size_t(t)]);
      load_classes(*logits, s, at);
      softmax_of(s, classes, at.count, 0);
      float term[P];
      const float *z = s.logits.data(), *top = s.top.data(), *log_sum = s.log_sum.data(), *weight = w.data();
      const int32_t *label = s.labels.data();
      HM_INDEPENDENT
      for (int64_t i = 0; i < at.count; i++)
        term[i] = weight[label[i]] * (log_sum[i] + (top[i] - z[label[i] * P + i]));
      sums[size_t(t)] += sum_double(term, at.count);
    });
    if (fail_label(bad, classes, kernel)) return 1;
    finish(tiles, sums, {total});
    return 0;
  });
}

int hm_cross_entropy_grad(const hm_source *logits, const hm_view *labels, const double *weights, const hm_view *g,
                          int32_t per_case, const hm_view *box, const hm_program *epilogue) {
  const char *kernel = "hm_cross_entropy_grad";
  return guarded(kernel, [&] {
    hm_view all;
    const PerCase scale{g, per_case != 0};
    if (check_classes(logits, box, kernel, &all) || check_labels(labels, all, kernel) || scale.check(all, kernel, "g") ||
        check_epilogue(epilogue, all, kernel))
      return 1;
    const int64_t classes = all.size[HM_C];
    const std::vector<float> w = weights_of(weights, classes);
    return gradient(*logits, *labels, all, *epilogue, kernel, [&](int64_t n, ClassScratch &s, int64_t count) {
      const float g_n = float(scale.get(n)), *weight = w.data();
      const int32_t *label = s.labels.data();
      float *factor = s.top.data();
      HM_INDEPENDENT
      for (int64_t i = 0; i < count; i++) factor[i] = g_n * weight[label[i]];
      for (int64_t k = 0; k < classes; k++) {
        float *p = s.softmax.data() + k * P;
        HM_INDEPENDENT
        for (int64_t i = 0; i < count; i++) p[i] = factor[i] * (p[i] - (label[i] == k ? 1.0f : 0.0f));
      }
    });
  });
}

int hm_class_sums(const hm_source *logits, const hm_view *labels, int32_t cls, const hm_view *box, const hm_view *pt,
                  const hm_view *p, const hm_view *t) {
  const char *kernel = "hm_class_sums";
  return guarded(kernel, [&] {
    hm_view all;
    const std::vector<PerCase> to{sums_of(pt), sums_of(p), sums_of(t)};
    if (check_classes(logits, box, kernel, &all) || check_labels(labels, all, kernel) || to[0].check(all, kernel, "pt") ||
        to[1].check(all, kernel, "p") || to[2].check(all, kernel, "t"))
      return 1;
    const int64_t classes = all.size[HM_C];
    if (cls < 0 || cls >= classes) return fail("%s: class %d is not one of 0..%lld", kernel, int(cls), ll(classes - 1));
    const Tiles tiles(all, tile_w);
    std::vector<double> sums(size_t(tiles.count * 3));
    std::vector<BadLabel> bad(static_cast<size_t>(tiles.count));
    for_pieces(tiles, classes, all.block, [&](int64_t tile, const Row &at, ClassScratch &s) {
      load_labels(*labels, s, at, classes, bad[size_t(tile)]);
      load_classes(*logits, s, at);
      softmax_of(s, classes, at.count, cls);
      float both[P], hit[P];
      const float *soft = s.softmax.data() + cls * P;
      const int32_t *label = s.labels.data();
      HM_INDEPENDENT
      for (int64_t i = 0; i < at.count; i++) hit[i] = label[i] == cls ? 1.0f : 0.0f, both[i] = soft[i] * hit[i];
      double *to_tile = sums.data() + tile * 3;
      to_tile[0] += sum_double(both, at.count);
      to_tile[1] += sum_double(soft, at.count);
      to_tile[2] += sum_double(hit, at.count);
    });
    if (fail_label(bad, classes, kernel)) return 1;
    finish(tiles, sums, to);
    return 0;
  });
}

int hm_class_sums_grad(const hm_source *logits, const hm_view *labels, int32_t cls, const hm_view *g_pt, const hm_view *g_p,
                       const hm_view *box, const hm_program *epilogue) {
  const char *kernel = "hm_class_sums_grad";
  return guarded(kernel, [&] {
    hm_view all;
    const PerCase both = sums_of(g_pt), alone = sums_of(g_p);
    if (check_classes(logits, box, kernel, &all) || check_labels(labels, all, kernel) || both.check(all, kernel, "g_pt") ||
        alone.check(all, kernel, "g_p") || check_epilogue(epilogue, all, kernel))
      return 1;
    const int64_t classes = all.size[HM_C];
    if (cls < 0 || cls >= classes) return fail("%s: class %d is not one of 0..%lld", kernel, int(cls), ll(classes - 1));
    return gradient(*logits, *labels, all, *epilogue, kernel, [&](int64_t n, ClassScratch &s, int64_t count) {
      const float g_both = float(both.get(n)), g_alone = float(alone.get(n));
      const int32_t *label = s.labels.data();
      float *factor = s.top.data(), *soft = s.softmax.data() + cls * P;
      HM_INDEPENDENT
      for (int64_t i = 0; i < count; i++) factor[i] = ((label[i] == cls ? g_both : 0.0f) + g_alone) * soft[i];
      for (int64_t k = 0; k < classes; k++) {
        float *q = s.softmax.data() + k * P;
        const float own = k == cls ? 1.0f : 0.0f;
        HM_INDEPENDENT
        for (int64_t i = 0; i < count; i++) q[i] = factor[i] * (own - q[i]);
      }
    });
  });
}
