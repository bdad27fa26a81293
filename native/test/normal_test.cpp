// Normal numbers: the logarithm and the cosine of every draw have the bits of src/core/random/box-muller.ts, and hm_fill_normal puts
// them together at any place, over the carry of the index.
#include "rows/normal.h"
#include "tensor.h"
#include <cmath>
#include <cstring>
#include <vector>

using namespace test;

namespace {

// As hashOf in src/core/random/box-muller.test.ts.
template <class F> uint32_t hash_of(F &&number) {
  int32_t hash = int32_t(0x811c9dc5u);
  for (uint32_t n = 0; n < 1u << 24; n++) {
    const uint64_t bits = hm::bits_of(number(n));
    hash = int32_t((uint32_t(hash) ^ uint32_t(bits)) * 0x01000193u);
    const uint32_t shifted = uint32_t(hash) >> 15;
    hash = int32_t(((uint32_t(hash) ^ uint32_t(bits >> 32)) * 0x01000193u) ^ shifted);
  }
  return uint32_t(hash);
}

double drawn(uint32_t key0, uint32_t key1, uint64_t index) {
  const uint32_t a = hm::random_a(key0, uint32_t(index >> 32));
  const uint32_t radius = hm::random_bits(a, hm::random_b(key1, 0), uint32_t(index)) >> 8;
  const uint32_t angle = hm::random_bits(a, hm::random_b(key1 ^ hm::second_draw, 0), uint32_t(index)) >> 8;
  return std::sqrt(-2 * hm::log_of_draw(radius + 1)) * hm::cos_of_draw(angle);
}

void test_fill() {
  for (int64_t first : {int64_t(0), int64_t(12345), (int64_t(1) << 32) - 3, (int64_t(1) << 40) + (int64_t(1) << 32) - 5000})
    for (int64_t count : {0, 1, 9, 4096, 10007}) {
      std::vector<double> out(size_t(count) + 1, 7);
      check(hm_fill_normal(out.data(), count, 7, 0xdeadbeefu, first, 0.3) == 0, hm_error());
      for (int64_t i = 0; i < count; i++)
        check(out[size_t(i)] == 0.3 * drawn(7, 0xdeadbeefu, uint64_t(first + i)), "a normal number");
      check(out[size_t(count)] == 7, "nothing beyond the end");
    }
  double one = 0;
  check(hm_fill_normal(&one, -1, 0, 0, 0, 1) == 1 && std::strstr(hm_error(), "-1"), "a negative count");
  check(hm_fill_normal(&one, INT64_MAX, 0, 0, 0, 1) == 1, "an absurd count");
  check(hm_fill_normal(&one, 1, 0, 0, -1, 1) == 1, "a negative index");
  check(hm_fill_normal(nullptr, 1, 0, 0, 0, 1) == 1 && std::strstr(hm_error(), "null"), "no memory");
}

} // namespace

int main() {
  check(hash_of([](uint32_t n) { return hm::log_of_draw(n + 1); }) == 3658125230u, "logarithms of draws");
  check(hash_of([](uint32_t n) { return hm::cos_of_draw(n); }) == 2562025156u, "cosines of draws");
  test_fill();
  return report("normal");
}
