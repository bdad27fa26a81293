// hm_fill_normal: normal numbers for initial weights.
#include "rows/normal.h"
#include "runtime/checked.h"
#include "runtime/threads.h"
#include "runtime/view.h"
#include <algorithm>
#include <cmath>

namespace hm {
namespace {

constexpr int64_t together = 4096;

// Numbers whose indices share their upper 32 bits.
void fill(double *out, int count, uint32_t a, uint32_t b, uint32_t angle, uint32_t lower, double deviation) {
  HM_INDEPENDENT
  for (int i = 0; i < count; i++) {
    const uint32_t radius_bits = random_bits(a, b, lower + uint32_t(i)), angle_bits = random_bits(a, angle, lower + uint32_t(i));
    const double radius = std::sqrt(-2 * log_of_draw((radius_bits >> 8) + 1));
    out[i] = deviation * (radius * cos_of_draw(angle_bits >> 8));
  }
}

} // namespace
} // namespace hm

using namespace hm;

int hm_fill_normal(double *out, int64_t count, uint32_t key0, uint32_t key1, int64_t first, double deviation) {
  return guarded("hm_fill_normal", [&] {
    using ll = long long;
    if (count < 0 || count > most_positions || first < 0 || first > most_coordinates)
      return fail("hm_fill_normal: expected up to 2^44 numbers from an index up to 2^54, got %lld from %lld", ll(count), ll(first));
    if (count > 0 && !out) return fail("hm_fill_normal: out is null");
    const uint32_t b = random_b(key1, 0), angle = random_b(key1 ^ second_draw, 0);
    parallel_for((count + together - 1) / together, [&](int64_t piece, int) {
      const int64_t end = std::min((piece + 1) * together, count);
      for (int64_t from = piece * together, to; from < end; from = to) {
        const uint64_t index = uint64_t(first + from);
        to = std::min(end, from + int64_t((uint64_t(1) << 32) - uint32_t(index)));
        fill(out + from, int(to - from), random_a(key0, uint32_t(index >> 32)), b, angle, uint32_t(index), deviation);
      }
    });
    return 0;
  });
}
