// What lets plain loops become vector code on AVX-512, AVX2, the x86-64 baseline and arm64 alike: no intrinsics, but lanes that
// do not depend on each other, selections instead of branches, and bfloat16 as integer arithmetic.
#pragma once
#include "halomesh.h"
#include <cstdint>
#include <cstring>

// The iterations of the next loop do not depend on each other.
#if defined(__clang__)
#define HM_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define HM_INDEPENDENT _Pragma("GCC ivdep")
#else
#define HM_INDEPENDENT
#endif
#define HM_INLINE inline __attribute__((always_inline))

// Without this GCC turns selections ("x > 0 ? x : y") into branches, lest a value not chosen raise a floating-point flag; no
// flag is ever read here. It changes no result.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__NO_TRAPPING_MATH__)
#pragma GCC optimize("no-trapping-math")
#endif

namespace hm {

// A bfloat16: the upper half of a float32.
struct bf16 {
  uint16_t bits;
};

HM_INLINE uint32_t bits_of(float x) {
  uint32_t u;
  std::memcpy(&u, &x, 4);
  return u;
}
HM_INLINE float float_of(uint32_t u) {
  float x;
  std::memcpy(&x, &u, 4);
  return x;
}

HM_INLINE float to_float(bf16 x) { return float_of(uint32_t(x.bits) << 16); }

// Round to nearest, ties to even; NaN stays NaN.
HM_INLINE bf16 to_bf16(float x) {
  uint32_t u = bits_of(x);
  uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  return {uint16_t((u & 0x7fffffffu) > 0x7f800000u ? (u >> 16) | 0x40u : rounded)};
}

} // namespace hm
