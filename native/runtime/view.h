// Stored boxes: addresses, element types and the checks that every entry makes.
#pragma once
#include "runtime/checked.h"
#include "rows/rows.h"
#include "runtime/vec.h"
#include <exception>
#include <new>

namespace hm {

extern const char *const dim_names[HM_DIMS]; // "n", "d", "h", "w", "c"
const char *dtype_name(int32_t dtype);
int64_t dtype_size(int32_t dtype); // bytes; 0: no such dtype

// Elements from view.data to channel c (global coordinate) of the first position.
HM_INLINE int64_t channel_offset(const hm_view &v, int64_t c) {
  int64_t rel = c - v.start[HM_C];
  if (v.block == 1) return rel * v.stride[HM_C];
  return rel / v.block * v.stride[HM_C] + rel % v.block;
}

// Elements from view.data to a global coordinate.
HM_INLINE int64_t offset_of(const hm_view &v, int64_t n, int64_t d, int64_t h, int64_t w, int64_t c) {
  return (n - v.start[HM_N]) * v.stride[HM_N] + (d - v.start[HM_D]) * v.stride[HM_D] +
         (h - v.start[HM_H]) * v.stride[HM_H] + (w - v.start[HM_W]) * v.stride[HM_W] + channel_offset(v, c);
}

// Checks; 0 or fail(). `what` names the argument, e.g. "out_box".
// Start, size and global extents of a box: none absurd.
int check_extents(const hm_view *box, const char *kernel, const char *what);
int check_box(const hm_view *box, const char *kernel, const char *what);   // and the block of a loop box
// `box` lies inside its global extents.
int check_inside(const hm_view &box, const char *kernel, const char *what);
int check_view(const hm_view *view, const char *kernel, const char *what); // and data, dtype of a stored one
// The dimensions of `view` that are present (null: all of them) lie in memory: strides, the address.
int check_memory(const hm_view &view, const int32_t present[5], const char *kernel, const char *what);
// `view` stores [start, start + size) of dimension `dim`.
int check_range(const hm_view &view, int dim, int64_t start, int64_t size, const char *kernel, const char *what);
// `view` stores all of `box` (start, size).
int check_covers(const hm_view &view, const hm_view &box, const char *kernel, const char *what);

// Calls f(S{}) with the C++ type of a dtype.
template <class F> HM_INLINE void with_dtype(int32_t dtype, F &&f) {
  switch (dtype) {
  case HM_F32: f(float{}); break;
  case HM_BF16: f(bf16{}); break;
  case HM_F64: f(double{}); break;
  case HM_U8: f(uint8_t{}); break;
  default: f(int32_t{}); break;
  }
}

// Conversions between stored elements (S) and registers (T: float or double). Integers saturate and take 0 for NaN.
template <class T, class S> HM_INLINE T from_stored(S x) { return T(x); }
template <> HM_INLINE float from_stored<float, bf16>(bf16 x) { return to_float(x); }
template <> HM_INLINE double from_stored<double, bf16>(bf16 x) { return to_float(x); }

template <class S> struct Stored {
  template <class T> static HM_INLINE S from(T x) { return S(x); }
};
template <> struct Stored<bf16> {
  template <class T> static HM_INLINE bf16 from(T x) { return to_bf16(float(x)); }
};
template <> struct Stored<uint8_t> {
  template <class T> static HM_INLINE uint8_t from(T x) { return uint8_t(int32_t(x > 0 ? (x < 255 ? x : T(255)) : T(0))); }
};
template <> struct Stored<int32_t> {
  template <class T> static HM_INLINE int32_t from(T x) {
    constexpr double low = -2147483648.0, high = 2147483647.0;
    double y = double(x);
    return int32_t(y > low ? (y < high ? y : high) : (y == y ? low : 0.0));
  }
};

int fail_bad_label(const char *kernel); // rows_lanes.h

// Runs an entry's body; what it throws (most likely: no memory) becomes an error text, and so does a bad label.
template <class F> int guarded(const char *kernel, F &&body) {
  try {
    const int rc = body();
    return fail_bad_label(kernel) | rc;
  } catch (const std::bad_alloc &) {
    return fail("%s: no memory is left for its working space", kernel);
  } catch (const std::exception &e) {
    return fail("%s: %s", kernel, e.what());
  } catch (...) {
    return fail("%s: unknown exception", kernel);
  }
}

} // namespace hm
