// Counter-based random numbers: a draw depends on two keys, the step and the element's global index, on nothing else. So it is
// the same on any mesh, any number of threads, and can be drawn again in the backward pass. src/core/random.ts is its twin.
//
//   mix(x)  x ^= x >> 16; x *= 0x21f0aaad; x ^= x >> 15; x *= 0xd35a2d97; x ^= x >> 15          (uint32, wraps around)
//   a = mix(key0 ^ mix(hi32(index) + 0x9e3779b9))      b = mix(key1 ^ mix(step + 0x85ebca6b))
//   bits(key0, key1, step, index) = mix(mix(lo32(index) ^ a) + b)
//   uniform = (bits >> 8) * 2^-24                                                               in [0, 1)
//   normal  = sqrt(-2 log(u1)) cos(2 pi u2),  u1 = ((bits >> 8) + 1) * 2^-24 in (0, 1],  u2 = uniform with key1 ^ 0x6a09e667
#pragma once
#include "runtime/vec.h"

namespace hm {

HM_INLINE uint32_t mix(uint32_t x) {
  x ^= x >> 16;
  x *= 0x21f0aaadu;
  x ^= x >> 15;
  x *= 0xd35a2d97u;
  x ^= x >> 15;
  return x;
}

constexpr uint32_t second_draw = 0x6a09e667u; // key1 of a normal's angle

HM_INLINE uint32_t random_a(uint32_t key0, uint32_t index_hi) { return mix(key0 ^ mix(index_hi + 0x9e3779b9u)); }
HM_INLINE uint32_t random_b(uint32_t key1, uint32_t step) { return mix(key1 ^ mix(step + 0x85ebca6bu)); }
HM_INLINE uint32_t random_bits(uint32_t a, uint32_t b, uint32_t index_lo) { return mix(mix(index_lo ^ a) + b); }

// 24 random bits as a number in [0, 1).
HM_INLINE float unit_float(uint32_t bits) { return float(int32_t(bits >> 8)) * 0x1p-24f; }
HM_INLINE double unit_double(uint32_t bits) { return double(int32_t(bits >> 8)) * 0x1p-24; }

} // namespace hm
