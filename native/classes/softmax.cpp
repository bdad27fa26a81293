// hm_softmax and hm_argmax: over all classes at every position of a box.
//
//   softmax  y[k] = exp(x[k] - max) / sum over j of exp(x[j] - max)
//   argmax   y = the first k with the largest x[k]
#include "classes/classes.h"

using namespace hm;

namespace {
constexpr int64_t tile_w = 4096;
} // namespace

int hm_softmax(const hm_source *x, const hm_view *box, const hm_program *epilogue) {
  return guarded("hm_softmax", [&] {
    hm_view all;
    if (check_classes(x, box, "hm_softmax", &all)) return 1;
    if (!epilogue) return fail("hm_softmax: the epilogue is null");
    if (check_program(*epilogue, all, "hm_softmax")) return 1;
    const int64_t classes = all.size[HM_C], slot = sum_count(*epilogue) * classes;
    const Tiles tiles(all, tile_w);
    std::vector<double> partials(size_t(tiles.count * slot));
    for_pieces(tiles, classes, all.block, [&](int64_t t, const Row &at, ClassScratch &s) {
      load_classes(*x, s, at);
      softmax_of(s, classes, at.count, -1);
      store_classes(*epilogue, s, at, all, s.softmax.data(), slot ? partials.data() + t * slot : nullptr);
    });
    if (slot) finish_sums(*epilogue, all, partials.data(), tiles.cases().data(), tiles.count, classes);
    return 0;
  });
}

int hm_argmax(const hm_source *x, const hm_view *box, const hm_view *out) {
  return guarded("hm_argmax", [&] {
    hm_view all;
    if (check_classes(x, box, "hm_argmax", &all) || check_view(out, "hm_argmax", "out")) return 1;
    if (out->dtype != HM_U8) return fail("hm_argmax: out: expected u8, got %s", dtype_name(out->dtype));
    if (out->size[HM_C] != 1) return fail("hm_argmax: out: expected one value a position, got %lld", (long long)out->size[HM_C]);
    const int64_t classes = all.size[HM_C];
    if (classes > 256) return fail("hm_argmax: expected at most 256 classes, got %lld", (long long)classes);
    for (int i = 0; i < HM_C; i++)
      if (check_range(*out, i, all.start[i], all.size[i], "hm_argmax", "out")) return 1;
    for_pieces(Tiles(all, tile_w), classes, all.block, [&](int64_t, const Row &at, ClassScratch &s) {
      load_classes(*x, s, at);
      float *top = s.top.data();
      int32_t *best = s.labels.data();
      for (int64_t i = 0; i < at.count; i++) top[i] = s.logits[size_t(i)], best[i] = 0;
      for (int64_t k = 1; k < classes; k++) {
        const float *z = s.logits.data() + k * class_positions;
        HM_INDEPENDENT
        for (int64_t i = 0; i < at.count; i++) {
          const bool larger = z[i] > top[i];
          top[i] = larger ? z[i] : top[i], best[i] = larger ? int32_t(k) : best[i];
        }
      }
      uint8_t *to = (uint8_t *)out->data + offset_of(*out, at.n, at.d, at.h, at.w0, out->start[HM_C]);
      for (int64_t i = 0; i < at.count; i++) to[i * out->stride[HM_W]] = uint8_t(best[i]);
    });
    return 0;
  });
}
