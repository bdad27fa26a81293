// exp, log, tanh, erf, sigmoid, cos of float32 without branches, for loops that the compiler vectorises; a few units in the last
// place. Polynomials and reductions are those of the Cephes library (expf, logf, tanhf, cosf; S. Moshier). For double
// the same names call libm: programs that are `wide` want accuracy before speed.
#pragma once
#include "runtime/vec.h"
#include <cmath>
#include <limits>

namespace hm {

// e^x = 2^n e^r, n = round(x / ln 2), |r| <= ln(2) / 2. 2^n is applied in two factors, so that subnormal results come out right.
HM_INLINE float exp_of(float x) {
  const float magic = 12582912.0f; // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  float y = x < 89.0f ? x : 89.0f; // above: infinity, by the multiplication at the end
  y = y > -104.0f ? y : -104.0f;   // below: zero
  float shifted = y * 1.44269504088896341f + magic;
  int32_t n = int32_t(bits_of(shifted) - bits_of(magic));
  float nf = shifted - magic;
  float r = y - nf * 0.693359375f;
  r = r + nf * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  int32_t half = n >> 1;
  float e = p * float_of(uint32_t(half + 127) << 23) * float_of(uint32_t(n - half + 127) << 23);
  return x != x ? x : e;
}
HM_INLINE double exp_of(double x) { return std::exp(x); }

// log x = e ln 2 + log(m), m in [sqrt(1/2), sqrt(2)).
HM_INLINE float log_of(float x) {
  bool tiny = x < 1.17549435e-38f;
  float y = x * 8388608.0f; // 2^23: makes subnormal numbers normal
  y = tiny ? y : x;
  uint32_t u = bits_of(y) - 0x3f3504f3u; // relative to sqrt(1/2)
  float e = float(int32_t(u) >> 23);
  e = e - (tiny ? 23.0f : 0.0f);
  float m = float_of((u & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
  float z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float r = p * m * z + e * -2.12194440e-4f - 0.5f * z;
  r = m + r + e * 0.693359375f;
  const float infinity = std::numeric_limits<float>::infinity();
  r = x == infinity ? infinity : r;
  r = x == 0.0f ? -infinity : r;
  r = x < 0.0f ? std::numeric_limits<float>::quiet_NaN() : r;
  return x != x ? x : r;
}
HM_INLINE double log_of(double x) { return std::log(x); }

HM_INLINE float tanh_of(float x) {
  float a = x < 0 ? -x : x, z = x * x;
  float small = -5.70498872745e-3f;
  small = small * z + 2.06390887954e-2f;
  small = small * z - 5.37397155531e-2f;
  small = small * z + 1.33314422036e-1f;
  small = small * z - 3.33332819422e-1f;
  small = small * z * x + x;
  float large = 1.0f - 2.0f / (exp_of(2.0f * a) + 1.0f);
  large = x < 0 ? -large : large;
  return a < 0.625f ? small : large;
}
HM_INLINE double tanh_of(double x) { return std::tanh(x); }

// Polynomials through Chebyshev's nodes: of erf(x) / x in x^2 below 1; of log(1 - erf(x)) from 1 to 4, where float32 has come to 1.
HM_INLINE float erf_of(float x) {
  float a = x < 0 ? -x : x, z = x * x;
  float small = 7.8758750533e-5f;
  small = small * z - 8.0168642839e-4f;
  small = small * z + 5.1890874230e-3f;
  small = small * z - 2.6854212010e-2f;
  small = small * z + 1.1283594715e-1f;
  small = small * z - 3.7612626667e-1f;
  small = small * z + 1.1283791658f;
  small = small * x;
  float b = a > 4.0f ? 4.0f : a;
  float p = 1.6371514135e-6f;
  p = p * b - 4.6058042677e-5f;
  p = p * b + 5.9680562564e-4f;
  p = p * b - 4.7595962936e-3f;
  p = p * b + 2.6421136008e-2f;
  p = p * b - 1.1008008296e-1f;
  p = p * b - 6.3182605155e-1f;
  p = p * b - 1.1302334348f;
  p = p * b + 3.2013805192e-4f;
  float large = 1.0f - exp_of(p);
  large = x < 0 ? -large : large;
  return a < 1.0f ? small : large;
}
HM_INLINE double erf_of(double x) { return std::erf(x); }

HM_INLINE float sigmoid_of(float x) { return 1.0f / (1.0f + exp_of(-x)); }
HM_INLINE double sigmoid_of(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// cos(2 pi u), u in [0, 1): the nearest multiple of 1/4 is taken off exactly, then sine or cosine of |t| <= pi / 4.
HM_INLINE float cos_turns(float u) {
  int32_t quadrant = int32_t(u * 4.0f + 0.5f);
  float t = (u - float(quadrant) * 0.25f) * 6.28318530717958648f;
  float z = t * t;
  float s = -1.9515295891e-4f;
  s = s * z + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  s = s * z * t + t;
  float c = 2.443315711809948e-5f;
  c = c * z - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  c = c * (z * z) - 0.5f * z + 1.0f;
  float r = (quadrant & 1) ? s : c;                // cos, -sin, -cos, sin, cos
  return ((quadrant + 1) & 2) ? -r : r;
}
HM_INLINE double cos_turns(double u) { return std::cos(u * 6.28318530717958647692); }

} // namespace hm
