// Element types and short vectors. Plain GCC/clang vector types: no intrinsics, so the same text serves AVX-512, AVX2, the
// x86-64 baseline and arm64. f32x16 holds one position of a 16-channel block; arithmetic on it uses whatever registers
// the target has.
#pragma once
#include "halomesh.h"
#include <cstdint>
#include <cstring>

#if defined(__clang__)
#define HM_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)") // the iterations of the next loop do not depend on each other
#elif defined(__GNUC__)
#define HM_INDEPENDENT _Pragma("GCC ivdep")
#else
#define HM_INDEPENDENT
#endif
#define HM_INLINE inline __attribute__((always_inline))

#if defined(__GNUC__) && !defined(__clang__)
// Without this GCC turns selections ("x > 0 ? x : y") into branches, lest a value not chosen raise a flag; no flag is ever read.
#pragma GCC optimize("no-trapping-math")
#pragma GCC diagnostic ignored "-Wpsabi" // every function that takes or returns a vector is inlined
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

typedef float f32x16 __attribute__((vector_size(64)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef uint16_t u16x16 __attribute__((vector_size(32)));

HM_INLINE f32x16 splat(float x) { return f32x16{} + x; }

HM_INLINE f32x16 load16(const float *p) {
  f32x16 v;
  std::memcpy(&v, p, 64);
  return v;
}

HM_INLINE void store16(float *p, f32x16 v) { std::memcpy(p, &v, 64); }

#if defined(__AVX512F__)
HM_INLINE f32x16 load16(const bf16 *p) {
  u16x16 h;
  std::memcpy(&h, p, 32);
  u32x16 u = __builtin_convertvector(h, u32x16) << 16;
  f32x16 v;
  std::memcpy(&v, &u, 64);
  return v;
}
HM_INLINE void store16(bf16 *p, f32x16 v) {
  u32x16 u;
  std::memcpy(&u, &v, 64);
  u32x16 rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  rounded = (u & 0x7fffffffu) > 0x7f800000u ? (u >> 16) | 0x40u : rounded;
  u16x16 h = __builtin_convertvector(rounded, u16x16);
  std::memcpy(p, &h, 32);
}
#else // narrower registers: a loop over lanes vectorises better than a conversion of a vector wider than a register
HM_INLINE f32x16 load16(const bf16 *p) {
  alignas(64) float lane[16];
  for (int i = 0; i < 16; i++) lane[i] = to_float(p[i]);
  return load16(lane);
}
HM_INLINE void store16(bf16 *p, f32x16 v) {
  alignas(64) float lane[16];
  store16(lane, v);
  for (int i = 0; i < 16; i++) p[i] = to_bf16(lane[i]);
}
#endif

HM_INLINE float sum16(f32x16 v) { // pairwise
  float s[16];
  store16(s, v);
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; i++) s[i] += s[i + width];
  return s[0];
}

} // namespace hm
