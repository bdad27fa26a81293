// Reading and writing an operand's part of a row. A register holds count * block values, lane fastest, and room up to
// the next multiple of 16 (what lies there is never used).
#pragma once
#include "runtime/view.h"
#include <algorithm>

namespace hm {

constexpr int chunk_values = 1024; // values of a register: 4 KiB of float32
constexpr int pattern = 16;        // values of a register that is the same at every position

// A register's values. step 16: all of them; step 0: 16 values that repeat (a scalar, or a channel vector whose block divides 16).
template <class T> struct Reg {
  const T *p;
  int step;
};

// Where an operand's part of a row lies.
struct Place {
  int64_t first;    // element of position w0, lane 0
  int64_t w_stride; // elements from one position to the next; 0: the operand lacks w
  bool has_c;
  bool side_by_side; // the row's lanes are neighbours in memory
  bool whole_block;  // and so are all `block` lanes: those beyond row.lanes exist
};

HM_INLINE Place locate(const hm_operand &o, const Row &row) {
  const hm_view &v = o.view;
  Place at{0, 0, o.present[HM_C] != 0, true, row.lanes == row.block};
  if (o.present[HM_N]) at.first += (row.n - v.start[HM_N]) * v.stride[HM_N];
  if (o.present[HM_D]) at.first += (row.d - v.start[HM_D]) * v.stride[HM_D];
  if (o.present[HM_H]) at.first += (row.h - v.start[HM_H]) * v.stride[HM_H];
  if (o.present[HM_W]) {
    at.w_stride = v.stride[HM_W];
    at.first += (row.w0 - v.start[HM_W]) * at.w_stride;
  }
  if (!at.has_c) return at;
  int64_t rel = row.c0 - v.start[HM_C];
  if (v.block == 1) {
    at.first += rel * v.stride[HM_C];
    at.side_by_side = v.stride[HM_C] == 1 || row.lanes == 1;
  } else {
    int64_t q = rel / v.block, lane = rel - q * v.block;
    at.first += q * v.stride[HM_C] + lane;
    at.side_by_side = lane + row.lanes <= v.block || v.stride[HM_C] == v.block;
    at.whole_block |= lane + row.block <= v.block;
  }
  at.whole_block &= at.side_by_side;
  return at;
}

template <class T, class S> HM_INLINE void convert(T *out, const S *in, int64_t n) {
  HM_INDEPENDENT
  for (int64_t i = 0; i < n; i++) out[i] = from_stored<T>(in[i]);
}
template <> HM_INLINE void convert(float *out, const float *in, int64_t n) { std::memcpy(out, in, size_t(n) * 4); }

// Values of one position: lanes, then zeros up to block.
template <class T, class S> HM_INLINE void load_lanes(T *out, const S *in, const hm_view &v, const Row &row, const Place &at) {
  for (int l = 0; l < row.block; l++) out[l] = 0;
  if (at.side_by_side)
    for (int l = 0; l < row.lanes; l++) out[l] = from_stored<T>(in[l]);
  else
    for (int l = 0; l < row.lanes; l++)
      out[l] = from_stored<T>(in[channel_offset(v, row.c0 + l) - channel_offset(v, row.c0)]);
}

// The first `block` of n values, again and again.
template <class T> void repeat_block(T *__restrict out, int64_t block, int64_t n) {
  int64_t done = block;
  if (block < 16) { // the first without calls
    T first[16];
    for (int64_t l = 0; l < block; l++) first[l] = out[l];
    for (; done + block <= n && done < 16 * block; done += block)
      for (int64_t l = 0; l < block; l++) out[done + l] = first[l];
  }
  while (done < n) {
    const int64_t more = std::min(done, n - done);
    std::memcpy(out + done, out, size_t(more) * sizeof(T));
    done += more;
  }
}

// `block` copies of each of `count` values.
template <int B, class T> HM_INLINE void spread_fixed(T *__restrict out, const T *__restrict in, int64_t count) {
  for (int l = 0; l < B; l++) {
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) out[i * B + l] = in[i];
  }
}
template <class T> void spread(T *__restrict out, const T *__restrict in, int64_t block, int64_t count) {
  switch (block) {
  case 2: return spread_fixed<2>(out, in, count);
  case 3: return spread_fixed<3>(out, in, count);
  case 4: return spread_fixed<4>(out, in, count);
  default:
    for (int64_t i = 0; i < count; i++)
      for (int64_t l = 0; l < block; l++) out[i * block + l] = in[i];
  }
}

// The operand lacks w: one position's values, repeated.
template <class T, class S> int load_repeated(T *out, const S *in, const hm_view &v, const Row &row, const Place &at) {
  if (!at.has_c) {
    for (int i = 0; i < pattern; i++) out[i] = from_stored<T>(*in);
    return 0;
  }
  load_lanes(out, in, v, row, at);
  bool repeats = pattern % row.block == 0;
  int64_t n = repeats ? pattern : row.count * row.block;
  repeat_block(out, row.block, n);
  return repeats ? 0 : pattern;
}

// Lanes lie apart (channels outside, another block or another alignment): one lane after the other.
template <class T, class S> void load_gathered(T *out, const S *in, const hm_view &v, const Row &row, const Place &at) {
  int64_t base = channel_offset(v, row.c0);
  for (int l = 0; l < row.block; l++) {
    if (l >= row.lanes) {
      for (int64_t i = 0; i < row.count; i++) out[i * row.block + l] = 0;
      continue;
    }
    const S *p = in + (channel_offset(v, row.c0 + l) - base);
    for (int64_t i = 0; i < row.count; i++) out[i * row.block + l] = from_stored<T>(p[i * at.w_stride]);
  }
}

// Loads the row into `out` and returns the register's step.
template <class T, class S> int load_as(T *out, const S *data, const hm_operand &o, const Row &row) {
  const Place at = locate(o, row);
  const S *in = data + at.first;
  if (!o.present[HM_W]) return load_repeated(out, in, o.view, row, at);
  const int64_t count = row.count, block = row.block;
  if (!at.has_c) { // one value a position
    alignas(64) T once[chunk_values];
    T *values = block == 1 ? out : once;
    if (at.w_stride == 1) convert(values, in, count);
    else
      for (int64_t i = 0; i < count; i++) values[i] = from_stored<T>(in[i * at.w_stride]);
    if (block > 1) spread(out, once, block, count);
  } else if (at.whole_block && at.w_stride == block) {
    convert(out, in, count * block);
  } else if (at.whole_block && block == 16) {
    for (int64_t i = 0; i < count; i++) convert(out + i * 16, in + i * at.w_stride, 16);
  } else if (at.side_by_side && block > 1) {
    for (int64_t i = 0; i < count; i++) load_lanes(out + i * block, in + i * at.w_stride, o.view, row, at);
  } else {
    load_gathered(out, in, o.view, row, at);
  }
  return pattern;
}

template <class T> HM_INLINE int load_operand(T *out, const hm_operand &o, const Row &row) {
  int step = pattern;
  with_dtype(o.view.dtype, [&](auto s) { step = load_as<T>(out, (const decltype(s) *)o.view.data, o, row); });
  return step;
}

// Stores row.lanes values a position. The row with the last stored channel also writes the zeros that pad its block.
template <class T, class S> void store_as(S *data, const hm_operand &o, const Row &row, Reg<T> value) {
  const Place at = locate(o, row);
  const hm_view &v = o.view;
  S *out = data + at.first;
  const int64_t count = row.count, block = row.block, base = at.has_c ? channel_offset(v, row.c0) : 0;
  const int lanes = row.lanes;
  // A repeated value is read from its 16 (where block does not divide 16, only scalars are repeated).
  auto at_position = [&](int64_t i) { return value.step ? value.p + i * block : value.p; };
  auto lane_of = [&](int l) { return value.step ? l : l % pattern; };
  if (!at.has_c && lanes > 1) { // all lanes are the same
    for (int64_t i = 0; i < count; i++) out[i * at.w_stride] = Stored<S>::from(*at_position(i));
  } else if (value.step && at.side_by_side && lanes == block && at.w_stride == block) {
    HM_INDEPENDENT
    for (int64_t i = 0; i < count * block; i++) out[i] = Stored<S>::from(value.p[i]);
  } else if (value.step && at.side_by_side && lanes == 16) {
    for (int64_t i = 0; i < count; i++) {
      HM_INDEPENDENT
      for (int l = 0; l < 16; l++) out[i * at.w_stride + l] = Stored<S>::from(value.p[i * 16 + l]);
    }
  } else if (at.side_by_side) {
    for (int64_t i = 0; i < count; i++)
      for (int l = 0; l < lanes; l++) out[i * at.w_stride + l] = Stored<S>::from(at_position(i)[lane_of(l)]);
  } else {
    for (int l = 0; l < lanes; l++) {
      S *q = out + (channel_offset(v, row.c0 + l) - base);
      for (int64_t i = 0; i < count; i++) q[i * at.w_stride] = Stored<S>::from(at_position(i)[lane_of(l)]);
    }
  }
  int64_t last = v.start[HM_C] + v.size[HM_C] - 1, odd = v.size[HM_C] % v.block;
  if (!at.has_c || odd == 0 || row.c0 + lanes - 1 != last) return;
  S *q = out + (channel_offset(v, last) - base) + 1;
  for (int64_t i = 0; i < count; i++)
    for (int64_t l = 0; l < v.block - odd; l++) q[i * at.w_stride + l] = Stored<S>::from(T(0));
}

// False for a row of channels that an operand of some blocks does not take.
HM_INLINE bool takes_row(const hm_operand &o, const Row &row) {
  const int64_t c = row.c0 - o.view.start[HM_C];
  return o.present[HM_C] != HM_SOME_BLOCKS || (c >= 0 && c < o.view.size[HM_C]);
}

template <class T> HM_INLINE void store_operand(const hm_operand &o, const Row &row, Reg<T> value) {
  if (!takes_row(o, row)) return;
  with_dtype(o.view.dtype, [&](auto s) { store_as<T>((decltype(s) *)o.view.data, o, row, value); });
}

} // namespace hm
