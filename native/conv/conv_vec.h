// One register of floats, for the micro-kernels: they keep a known number of accumulators in registers, so they need the
// width that the target has (16 lanes with AVX-512, 8 with AVX2, 4 otherwise).
#pragma once
#include "runtime/vec.h"

// Unrolls the next loop completely. Without it GCC keeps arrays of accumulators in memory, at half the speed; clang unrolls
// loops of known length by itself.
#if defined(__GNUC__) && !defined(__clang__)
#define HM_UNROLL _Pragma("GCC unroll 32")
#else
#define HM_UNROLL _Pragma("unroll")
#endif

namespace hm::conv {

#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX2__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif
constexpr int parts = 16 / lanes; // registers for 16 channels

typedef float reg __attribute__((vector_size(lanes * 4)));

HM_INLINE reg load(const float *p) {
  reg v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
HM_INLINE reg broadcast(float x) { return x - reg{}; } // x + 0 would be an addition: it makes -0 to 0
HM_INLINE void store(float *p, reg v) { std::memcpy(p, &v, sizeof v); }

} // namespace hm::conv
