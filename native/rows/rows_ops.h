// The element-wise instructions of row programs, as loops over a register. T: float, or double for wide programs.
#pragma once
#include "rows/lanemath.h"
#include "rows/random.h"
#include "rows/rows_access.h"

namespace hm {

// d[i] = f(a[i], ...) for `groups` times 16 values. A repeated operand stays on its 16 values. d is no operand's memory.
template <class T, class F, class... Operand> HM_INLINE void map(T *__restrict d, int64_t groups, F f, Operand... x) {
  for (int64_t g = 0; g < groups; g++, d += 16) {
    HM_INDEPENDENT
    for (int l = 0; l < 16; l++) d[l] = f(x.p[l]...);
    ((x.p += x.step), ...);
  }
}

// How many operands of r[a], r[b], r[c] an instruction reads (loads, stores, sums and draws apart).
inline int operand_registers(int op) {
  switch (op) {
  case HM_ADD: case HM_SUB: case HM_MUL: case HM_DIV: case HM_MIN: case HM_MAX: case HM_POW:
  case HM_LEAKY_GRAD: case HM_LT: case HM_LE: case HM_EQ: return 2;
  case HM_FMA: case HM_SELECT: return 3;
  case HM_LOAD: case HM_CONST: case HM_UNIFORM: case HM_NORMAL: case HM_BERNOULLI: case HM_LANE: return 0;
  default: return 1; // HM_STORE and HM_SUM, too
  }
}

inline float round_bf16(float x) { return to_float(to_bf16(x)); }
inline double round_bf16(double x) { return to_float(to_bf16(float(x))); }

// One arithmetic instruction over `groups` times 16 values. NaN goes through minimum and maximum.
template <class T> void compute(const hm_instr &in, T *d, Reg<T> a, Reg<T> b, Reg<T> c, int64_t groups) {
  const T imm = T(in.imm);
  switch (in.op) {
  case HM_COPY: map(d, groups, [](T x) { return x; }, a); break;
  case HM_ADD: map(d, groups, [](T x, T y) { return x + y; }, a, b); break;
  case HM_SUB: map(d, groups, [](T x, T y) { return x - y; }, a, b); break;
  case HM_MUL: map(d, groups, [](T x, T y) { return x * y; }, a, b); break;
  case HM_DIV: map(d, groups, [](T x, T y) { return x / y; }, a, b); break;
  case HM_MIN: map(d, groups, [](T x, T y) { return ((x < y) | (x != x)) ? x : y; }, a, b); break;
  case HM_MAX: map(d, groups, [](T x, T y) { return ((x > y) | (x != x)) ? x : y; }, a, b); break;
  case HM_POW: map(d, groups, [](T x, T y) { return std::pow(x, y); }, a, b); break;
  case HM_FMA: map(d, groups, [](T x, T y, T z) { return x * y + z; }, a, b, c); break;
  case HM_NEG: map(d, groups, [](T x) { return -x; }, a); break;
  case HM_ABS: map(d, groups, [](T x) { return std::fabs(x); }, a); break;
  case HM_SIGN: map(d, groups, [](T x) { return x > 0 ? T(1) : x < 0 ? T(-1) : x; }, a); break;
  case HM_SQUARE: map(d, groups, [](T x) { return x * x; }, a); break;
  case HM_SQRT: map(d, groups, [](T x) { return std::sqrt(x); }, a); break;
  case HM_RSQRT: map(d, groups, [](T x) { return T(1) / std::sqrt(x); }, a); break;
  case HM_RECIP: map(d, groups, [](T x) { return T(1) / x; }, a); break;
  case HM_EXP: map(d, groups, [](T x) { return exp_of(x); }, a); break;
  case HM_LOG: map(d, groups, [](T x) { return log_of(x); }, a); break;
  case HM_TANH: map(d, groups, [](T x) { return tanh_of(x); }, a); break;
  case HM_ERF: map(d, groups, [](T x) { return erf_of(x); }, a); break;
  case HM_SIGMOID: map(d, groups, [](T x) { return sigmoid_of(x); }, a); break;
  case HM_FLOOR: map(d, groups, [](T x) { return std::floor(x); }, a); break;
  case HM_LEAKY: map(d, groups, [imm](T x) { T y = imm * x; return x > 0 ? x : y; }, a); break;
  case HM_LEAKY_GRAD: map(d, groups, [imm](T x, T g) { T y = imm * g; return x > 0 ? g : y; }, a, b); break;
  case HM_LT: map(d, groups, [](T x, T y) { return x < y ? T(1) : T(0); }, a, b); break;
  case HM_LE: map(d, groups, [](T x, T y) { return x <= y ? T(1) : T(0); }, a, b); break;
  case HM_EQ: map(d, groups, [](T x, T y) { return x == y ? T(1) : T(0); }, a, b); break;
  case HM_SELECT: map(d, groups, [](T x, T y, T z) { return x != 0 ? y : z; }, a, b, c); break;
  case HM_ROUND_BF16: map(d, groups, [](T x) { return round_bf16(x); }, a); break;
  case HM_ROUND_F32: map(d, groups, [](T x) { return T(float(x)); }, a); break;
  case HM_TRUNC: map(d, groups, [](T x) { return std::trunc(x); }, a); break;
  default: break; // check_program has refused every other
  }
}

// A random draw over a row: index = row-major (n, d, h, w, c) index in the program's global space.
template <class T> void draw(const hm_program &p, const hm_instr &in, const Row &row, T *d);

// Sums of a register over the row's positions, added to sums[0 .. lanes-1].
template <class T> void sum_lanes(Reg<T> a, const Row &row, double *sums);

} // namespace hm
