// Arithmetic on what callers claim: numbers of any size, so sums and products may not fit in 64 bits. Checks go through these
// before an address is formed; what passes them is small enough for the plain arithmetic of the kernels.
#pragma once
#include <cstdint>

namespace hm {

// Extents and positions of a box at most. Products of one of them with the number of instructions of a program, or with the bytes
// of an element, still fit.
constexpr int64_t most_positions = int64_t(1) << 44;
// Global coordinates at most: those of random draws go up to 2^53.
constexpr int64_t most_coordinates = int64_t(1) << 54;
// Bytes at most: what a process can address (x86-64, ARM).
constexpr int64_t most_bytes = int64_t(1) << 48;

// False where the result does not fit.
inline bool plus(int64_t a, int64_t b, int64_t *sum) { return !__builtin_add_overflow(a, b, sum); }
inline bool minus(int64_t a, int64_t b, int64_t *difference) { return !__builtin_sub_overflow(a, b, difference); }
inline bool times(int64_t a, int64_t b, int64_t *product) { return !__builtin_mul_overflow(a, b, product); }

// a + b; the largest or smallest number where it does not fit. For messages and comparisons.
inline int64_t clamped_sum(int64_t a, int64_t b) {
  int64_t sum;
  return plus(a, b, &sum) ? sum : b > 0 ? INT64_MAX : INT64_MIN;
}

// [start, start + size), of at least one position, lies in [from, from + extent).
inline bool lies_in(int64_t start, int64_t size, int64_t from, int64_t extent) {
  int64_t end, limit;
  return plus(start, size, &end) && plus(from, extent, &limit) && start >= from && end <= limit;
}

// How far a nest of loops reaches from its first element: lowest and highest offset. False where that is beyond all memory.
struct Reach {
  int64_t low = 0, high = 0;

  bool add(int64_t extent, int64_t stride) {
    int64_t far;
    if (extent < 2) return true;
    return times(extent - 1, stride, &far) && plus(far < 0 ? low : high, far, far < 0 ? &low : &high) && low > -most_bytes &&
           high < most_bytes;
  }

  // All of it lies in the address space, from `data` on, in elements of `size` bytes.
  bool fits(const void *data, int64_t size) const {
    int64_t first, last;
    return uint64_t(uintptr_t(data)) <= uint64_t(INT64_MAX) && times(low, size, &first) && times(high + 1, size, &last) &&
           plus(int64_t(uintptr_t(data)), first, &first) && first >= 0 && plus(int64_t(uintptr_t(data)), last, &last) &&
           uint64_t(last) <= uint64_t(UINTPTR_MAX);
  }
};

} // namespace hm
