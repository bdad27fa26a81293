// Normal numbers in float64, the same bits as those of src/core/random.ts: no product may be contracted with a sum, so what includes
// this does so before all else. The method is said in src/core/random/box-muller.ts, the twin of this file.
#pragma once
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif
#include "rows/random.h"

#ifdef __cplusplus
extern "C"
#endif
// out[i] = deviation times the normal number of step 0 and index first + i: the same bits on every instruction set.
HM_API int hm_fill_normal(double *out, int64_t count, uint32_t key0, uint32_t key1, int64_t first, double deviation);

namespace hm {

HM_INLINE uint64_t bits_of(double x) {
  uint64_t u;
  std::memcpy(&u, &x, 8);
  return u;
}
HM_INLINE double double_of(uint64_t u) {
  double x;
  std::memcpy(&x, &u, 8);
  return x;
}

// log(n / 2^24), n from 1 to 2^24.
HM_INLINE double log_of_draw(uint32_t n) {
  constexpr double high = 6.931471803691238e-1, low = 1.9082149292705877e-10;
  const uint64_t bits = bits_of(double(int32_t(n)) * 0x1p-24);
  const int32_t head = int32_t(bits >> 32) & 0xfffff, above = (head + 0x95f64) >> 20;
  const double e = int32_t(bits >> 52) - 1023 + above;
  const double f = double_of((bits & 0xfffffffffffffu) | uint64_t(1023 - above) << 52) - 1;
  const double s = f / (2 + f), z = s * s, w = z * z;
  const double even = w * (3.999999999940942e-1 + w * (2.2222198432149784e-1 + w * 1.5313837699209373e-1));
  const double odd =
      z * (6.666666666666735e-1 +
           w * (2.857142874366239e-1 + w * (1.818357216161805e-1 + w * 1.4798198605116586e-1)));
  const double r = odd + even, half = 0.5 * f * f, small = f * f * (0.5 - 3.333333333333333e-1 * f);
  const bool tiny = ((head + 2) & 0xfffff) < 3, outer = head < 0x6147a || head > 0x6b851;
  const double plain = s * (f - r) - e * low, halved = half - (s * (half + r) + e * low);
  return e * high - ((tiny ? small - e * low : outer ? plain : halved) - f);
}

// cos(2 pi k / 2^24), k from 0 to 2^24 - 1.
HM_INLINE double cos_of_draw(uint32_t k) {
  const int32_t quarter = int32_t(k + 0x1fffffu) >> 22;
  const bool right = int32_t(k) == quarter << 22;
  const double angle = 2 * 3.14159265358979323846 * (double(int32_t(k)) * 0x1p-24);
  const double rough = angle - quarter * 1.5707963267341256, correction = quarter * 6.077100506506192e-11;
  const double x = rough - correction, rest = rough - x - correction, z = x * x, cube = z * x;
  const double p =
      8.33333333332249e-3 +
      z * (-1.984126982985795e-4 +
           z * (2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10)));
  const double sine = x - (z * (0.5 * rest - cube * p) - rest - cube * -1.6666666666666632e-1);
  const double q =
      z * (4.16666666666666e-2 +
           z * (-1.388888888887411e-3 +
                z * (2.480158728947673e-5 +
                     z * (-2.7557314351390663e-7 +
                          z * (2.087572321298175e-9 + z * -1.1359647557788195e-11)))));
  const uint64_t size = bits_of(x) & 0x7fffffffffffffffu;
  const double quartered = double_of((size & 0xffffffff00000000u) - (uint64_t(0x00200000) << 32));
  const double cut = double_of(size) < 0x1.33333p-2 ? 0 : double_of(size) >= 0.78125 + 0x1p-21 ? 0.28125 : quartered;
  const double cosine = 1 - cut - (0.5 * z - cut - (z * q - x * rest));
  const double odd = right ? (quarter == 1 ? -6.123233995736766e-17 : -1.8369701987210297e-16) : sine;
  const double value = quarter & 1 ? odd : cosine;
  return quarter == 1 || quarter == 2 ? -value : value;
}

} // namespace hm
