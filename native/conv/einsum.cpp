// hm_einsum: sums of products over a nest of loops.
//
//   out[loops 0 .. n_out-1] = sum over the other loops of the product of the inputs
//
// Sums are held in float64. One output loop, along which every operand steps by 0 or 1, is taken `lanes` at a time in
// registers (the columns of a matrix product); where there is none, results are computed one by one.
#include "runtime/threads.h"
#include "runtime/view.h"
#include <algorithm>
#include <cstdio>
#include <vector>

namespace hm {
namespace {

#if defined(__AVX512F__)
constexpr int register_bytes = 64;
#elif defined(__AVX__)
constexpr int register_bytes = 32;
#else
constexpr int register_bytes = 16;
#endif
constexpr int64_t most_blocked = 1 << 24;
constexpr int max_loops = 10, max_inputs = 8, per_register = register_bytes / 8, lanes = 8 * per_register;
typedef double Doubles __attribute__((vector_size(register_bytes)));
typedef float Floats __attribute__((vector_size(register_bytes / 2), aligned(4), may_alias)); // anywhere in memory
using ll = long long;

struct Operand {
  const hm_einsum_operand *o;
  std::vector<int64_t> blocked; // offsets along the blocked loop
  int64_t offset(int loop, int64_t i) const { return loop == o->blocked_loop ? blocked[size_t(i)] : i * o->stride[loop]; }
};

struct Einsum {
  int n_loops, n_out, n_inputs;
  const int64_t *extent;
  std::vector<Operand> in;
  Operand out;
  int vector_loop = -1;
  bool all_f32 = true;

  // The operand steps by `stride` from each of `count` values of the loop to the next.
  static bool steps(const Operand &x, int loop, int64_t from, int64_t count, int64_t stride) {
    for (int64_t i = 1; i < count; i++)
      if (x.offset(loop, from + i) - x.offset(loop, from) != i * stride) return false;
    return true;
  }

  // Sums for `count` neighbours along the vector loop (or one result), at the output position `at`; strides per input.
  template <bool vector> void results(const int64_t *at, int64_t count, const int64_t *stride, double *acc) const {
    int64_t x[max_loops] = {};
    std::copy(at, at + n_out, x);
    const int inner = n_loops - 1;
    do {
      int64_t base[max_inputs];
      for (int i = 0; i < n_inputs; i++) {
        base[i] = 0;
        for (int k = 0; k < (n_loops > n_out ? inner : n_loops); k++) base[i] += in[size_t(i)].offset(k, x[k]);
      }
      const int64_t length = n_loops > n_out ? extent[inner] : 1;
      for (int64_t r = 0; r < length; r++) {
        double product[lanes];
        for (int l = 0; l < (vector ? lanes : 1); l++) product[l] = 1;
        for (int i = 0; i < n_inputs; i++) {
          const int64_t from = base[i] + (n_loops > n_out ? in[size_t(i)].offset(inner, r) : 0);
          multiply<vector>(product, in[size_t(i)], from, count, stride ? stride[i] : 0);
        }
        for (int l = 0; l < (vector ? lanes : 1); l++) acc[l] += product[l];
      }
    } while (next(x));
  }

  template <bool vector>
  HM_INLINE void multiply(double *product, const Operand &x, int64_t from, int64_t count, int64_t stride) const {
    with_dtype(x.o->dtype, [&](auto s) {
      const auto *p = (const decltype(s) *)x.o->data + from;
      if (!vector || stride == 0) {
        const double f = from_stored<double>(*p);
        for (int l = 0; l < (vector ? lanes : 1); l++) product[l] *= f;
      } else if (count == lanes) {
        for (int l = 0; l < lanes; l++) product[l] *= from_stored<double>(p[l]);
      } else {
        for (int l = 0; l < count; l++) product[l] *= from_stored<double>(p[l]);
      }
    });
  }

  // Moves on in the summed loops but the innermost; false after the last.
  bool next(int64_t *x) const {
    for (int k = n_loops - 2; k >= n_out; k--) {
      if (++x[k] < extent[k]) return true;
      x[k] = 0;
    }
    return false;
  }

  // A matrix product of two float32 operands: b steps along the vector loop, a does not.
  void columns(const int64_t *at, const Operand &a, const Operand &b, double *acc) const {
    const int inner = n_loops - 1;
    int64_t x[max_loops] = {};
    Doubles s0{}, s1{}, s2{}, s3{}, s4{}, s5{}, s6{}, s7{};
    std::copy(at, at + n_out, x);
    do {
      int64_t from_a = 0, from_b = 0;
      for (int k = 0; k < inner; k++) from_a += a.offset(k, x[k]), from_b += b.offset(k, x[k]);
      for (int64_t r = 0; r < extent[inner]; r++) {
        const double f = ((const float *)a.o->data)[from_a + a.offset(inner, r)];
        const float *p = (const float *)b.o->data + from_b + b.offset(inner, r);
        auto part = [&](int i) { return f * __builtin_convertvector(*(const Floats *)(p + i * per_register), Doubles); };
        s0 += part(0), s1 += part(1), s2 += part(2), s3 += part(3);
        s4 += part(4), s5 += part(5), s6 += part(6), s7 += part(7);
      }
    } while (next(x));
    const Doubles s[8] = {s0, s1, s2, s3, s4, s5, s6, s7};
    std::memcpy(acc, s, sizeof s);
  }

  // One result from two float32 operands that both step by 1 along the innermost summed loop.
  double dot(const int64_t *at) const {
    const int inner = n_loops - 1;
    int64_t x[max_loops] = {};
    double s[8] = {}, tail = 0;
    std::copy(at, at + n_out, x);
    do {
      int64_t from[2] = {};
      for (int k = 0; k < inner; k++) from[0] += in[0].offset(k, x[k]), from[1] += in[1].offset(k, x[k]);
      const float *p = (const float *)in[0].o->data + from[0], *q = (const float *)in[1].o->data + from[1];
      int64_t r = 0;
      for (; r + 8 <= extent[inner]; r += 8)
        for (int l = 0; l < 8; l++) s[l] += double(p[r + l]) * double(q[r + l]);
      for (; r < extent[inner]; r++) tail += double(p[r]) * double(q[r]);
    } while (next(x));
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])) + tail;
  }

  bool is_dot() const {
    const int inner = n_loops - 1;
    if (n_inputs != 2 || !all_f32 || n_loops == n_out) return false;
    for (const Operand &x : in)
      if (x.o->blocked_loop == inner || x.o->stride[inner] != 1) return false;
    return true;
  }

  void store(const int64_t *at, int64_t count, const double *acc) const {
    int64_t to = 0;
    for (int k = 0; k < n_out; k++) to += out.offset(k, at[k]);
    with_dtype(out.o->dtype, [&](auto s) {
      using S = decltype(s);
      for (int64_t l = 0; l < count; l++) ((S *)out.o->data)[to + l] = Stored<S>::from(acc[l]);
    });
  }

  // All results with the same place in the output loops but the vector one: a line of outputs.
  void line(int64_t index) const {
    int64_t at[max_loops] = {}, stride[max_inputs];
    for (int k = n_out - 1; k >= 0; k--)
      if (k != vector_loop) at[k] = index % extent[k], index /= extent[k];
    const int64_t length = vector_loop < 0 ? 1 : extent[vector_loop];
    for (int64_t v = 0; v < length;) {
      int64_t count = std::min<int64_t>(lanes, length - v);
      double acc[lanes] = {};
      if (vector_loop >= 0) at[vector_loop] = v;
      bool together = vector_loop >= 0 && steps(out, vector_loop, v, count, 1);
      for (int i = 0; together && i < n_inputs; i++) {
        stride[i] = steps(in[size_t(i)], vector_loop, v, count, 0) ? 0 : 1;
        together = stride[i] == 0 || steps(in[size_t(i)], vector_loop, v, count, 1);
      }
      if (!together) {
        count = 1;
        if (is_dot()) acc[0] = dot(at);
        else results<false>(at, 1, nullptr, acc);
      } else if (count == lanes && n_inputs == 2 && all_f32 && n_loops > n_out && stride[0] + stride[1] == 1) {
        columns(at, in[stride[0] ? 1 : 0], in[stride[0] ? 0 : 1], acc);
      } else {
        results<true>(at, count, stride, acc);
      }
      store(at, count, acc);
      v += count;
    }
  }
};

int check_operand(const hm_einsum_operand &o, const char *what, int n_loops, const int64_t *extent, int used) {
  if (!dtype_size(o.dtype)) return fail("hm_einsum: %s: dtype %d is unknown", what, int(o.dtype));
  if (!o.data) return fail("hm_einsum: %s: data is null", what);
  if (o.blocked_loop >= n_loops) return fail("hm_einsum: %s: blocked loop %d of %d", what, int(o.blocked_loop), n_loops);
  if (o.blocked_loop >= 0 && o.block < 1) return fail("hm_einsum: %s: a block of %lld", what, ll(o.block));
  if (o.blocked_loop >= 0 && extent[o.blocked_loop] > most_blocked)
    return fail("hm_einsum: %s: its blocked loop has extent %lld, above %lld", what, ll(extent[o.blocked_loop]), ll(most_blocked));
  Reach reach;
  for (int k = 0; k < used; k++) {
    const bool blocked = k == o.blocked_loop;
    const int64_t stride = blocked ? o.block_stride : o.stride[k], whole = blocked ? (extent[k] - 1) / o.block + 1 : extent[k];
    if (reach.add(whole, stride) && reach.add(blocked ? std::min(o.block, extent[k]) : 1, 1)) continue;
    return fail("hm_einsum: %s: loop %d: extent %lld at a stride of %lld lies beyond all memory", what, k, ll(extent[k]), ll(stride));
  }
  if (reach.fits(o.data, dtype_size(o.dtype))) return 0;
  return fail("hm_einsum: %s: elements %lld to %lld from %p lie beyond all memory", what, ll(reach.low), ll(reach.high), o.data);
}

Operand operand_of(const hm_einsum_operand &o, const int64_t *extent) {
  Operand x{&o, {}};
  for (int64_t i = 0; o.blocked_loop >= 0 && i < extent[o.blocked_loop]; i++)
    x.blocked.push_back(i / o.block * o.block_stride + i % o.block);
  return x;
}

} // namespace
} // namespace hm

using namespace hm;

int hm_einsum(int32_t n_loops, const int64_t *extent, int32_t n_out_loops, const hm_einsum_operand *operands, int32_t n_inputs,
              const hm_einsum_operand *out) {
  return guarded("hm_einsum", [&] {
    if (n_loops < 0 || n_loops > max_loops || n_out_loops < 0 || n_out_loops > n_loops)
      return fail("hm_einsum: expected at most %d loops, output loops among them; got %d and %d", max_loops, int(n_loops),
                  int(n_out_loops));
    if (n_inputs < 1 || n_inputs > max_inputs) return fail("hm_einsum: expected 1..%d inputs, got %d", max_inputs, int(n_inputs));
    if ((n_loops && !extent) || !operands || !out)
      return fail("hm_einsum: %s is null", !operands ? "operands" : !out ? "out" : "extent");
    int64_t outputs = 1, terms = 1;
    bool fits = true;
    for (int k = 0; k < n_loops; k++) {
      if (extent[k] < 0 || extent[k] > most_positions) return fail("hm_einsum: loop %d has extent %lld", k, ll(extent[k]));
      int64_t &product = k < n_out_loops ? outputs : terms;
      fits = fits && times(product, extent[k], &product) && product <= most_positions;
    }
    for (int k = 0; k < n_out_loops; k++)
      if (extent[k] == 0) return 0;
    if (!fits) return fail("hm_einsum: the loops have more than %lld positions", ll(most_positions));
    Einsum e;
    e.n_loops = n_loops, e.n_out = n_out_loops, e.n_inputs = n_inputs, e.extent = extent;
    for (int i = 0; i < n_inputs; i++) {
      char what[32];
      std::snprintf(what, sizeof what, "input %d", i);
      if (terms && check_operand(operands[i], what, n_loops, extent, n_loops)) return 1;
      if (terms) e.in.push_back(operand_of(operands[i], extent));
      e.all_f32 &= operands[i].dtype == HM_F32;
    }
    if (check_operand(*out, "out", n_loops, extent, n_out_loops)) return 1;
    e.out = operand_of(*out, extent);
    int64_t most = 1;
    for (int k = 0; k < n_out_loops; k++) { // the vector loop: contiguous in the output (in blocks, perhaps), the longest
      const bool contiguous = out->blocked_loop == k ? out->block > 1 : out->stride[k] == 1;
      if (contiguous && extent[k] > most) e.vector_loop = k, most = extent[k];
    }
    if (terms == 0) { // sums of nothing
      Einsum none = e;
      for (int64_t i = 0, n = outputs / most; i < n; i++) {
        int64_t at[max_loops] = {}, index = i;
        for (int k = n_out_loops - 1; k >= 0; k--)
          if (k != e.vector_loop) at[k] = index % extent[k], index /= extent[k];
        for (int64_t v = 0; v < most; v++) {
          const double zero = 0;
          if (e.vector_loop >= 0) at[e.vector_loop] = v;
          none.store(at, 1, &zero);
        }
      }
      return 0;
    }
    const int64_t lines = outputs / most;
    if (double(outputs) * double(terms) < 32768)
      for (int64_t i = 0; i < lines; i++) e.line(i);
    else
      parallel_for(lines, [&](int64_t i, int) { e.line(i); });
    return 0;
  });
}
