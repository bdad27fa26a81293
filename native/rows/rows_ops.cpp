// Random draws and sums of row programs.
#include "rows/rows_ops.h"
#include <numeric>

namespace hm {
namespace {

// The step of a draw: a scalar operand, or 0.
uint32_t step_of(const hm_program &p, const hm_instr &in) {
  if (in.operand < 0) return 0;
  const hm_view &v = p.operands[in.operand].view;
  double step = 0;
  with_dtype(v.dtype, [&](auto s) { step = from_stored<double>(*(const decltype(s) *)v.data); });
  return uint32_t(int64_t(step));
}

HM_INLINE void normal(uint32_t bits, uint32_t angle, float &out) {
  float u = float(int32_t(bits >> 8) + 1) * 0x1p-24f;
  out = std::sqrt(-2.0f * log_of(u)) * cos_turns(unit_float(angle));
}
HM_INLINE void normal(uint32_t bits, uint32_t angle, double &out) {
  double u = double(int32_t(bits >> 8) + 1) * 0x1p-24;
  out = std::sqrt(-2.0 * log_of(u)) * cos_turns(unit_double(angle));
}
HM_INLINE void unit(uint32_t bits, float &out) { out = unit_float(bits); }
HM_INLINE void unit(uint32_t bits, double &out) { out = unit_double(bits); }

// `count` values from consecutive indices that share their upper 32 bits.
template <class T> void draw_run(const hm_instr &in, uint32_t step, uint64_t index, int64_t count, T *d) {
  const uint32_t lo = uint32_t(index), a = random_a(in.key0, uint32_t(index >> 32)), b = random_b(in.key1, step);
  if (in.op == HM_NORMAL) {
    const uint32_t b2 = random_b(in.key1 ^ second_draw, step);
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) normal(random_bits(a, b, lo + uint32_t(i)), random_bits(a, b2, lo + uint32_t(i)), d[i]);
  } else if (in.op == HM_UNIFORM) {
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) unit(random_bits(a, b, lo + uint32_t(i)), d[i]);
  } else { // uniform < imm, compared exactly in units of 2^-24
    double scaled = std::ceil(in.imm * 0x1p24);
    const int32_t limit = scaled < 0 ? 0 : scaled > 0x1p24 ? 1 << 24 : int32_t(scaled);
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) d[i] = int32_t(random_bits(a, b, lo + uint32_t(i)) >> 8) < limit ? T(1) : T(0);
  }
}

} // namespace

template <class T> void draw(const hm_program &p, const hm_instr &in, const Row &row, T *d) {
  const uint32_t step = step_of(p, in);
  const int64_t *g = p.global, channels = g[HM_C];
  const int64_t first = (((row.n * g[HM_D] + row.d) * g[HM_H] + row.h) * g[HM_W] + row.w0) * channels + row.c0;
  auto run = [&](int64_t index, int64_t count, T *out) {
    while (count > 0) { // the upper half of the index changes at most once in a row
      int64_t left = (int64_t(1) << 32) - (index & 0xffffffff), n = std::min(count, left);
      draw_run(in, step, uint64_t(index), n, out);
      index += n, count -= n, out += n;
    }
  };
  if (row.lanes == channels && row.block == channels) return run(first, row.count * channels, d);
  for (int64_t i = 0; i < row.count; i++) {
    T *out = d + i * row.block;
    run(first + i * channels, row.lanes, out);
    for (int l = row.lanes; l < row.block; l++) out[l] = 0;
  }
}

template <class T> void sum_lanes(Reg<T> a, const Row &row, double *sums) {
  const int block = row.block;
  if (a.step == 0) {
    for (int l = 0; l < row.lanes; l++) sums[l] += double(a.p[l % pattern]) * double(row.count);
    return;
  }
  // Value i of the register belongs to lane i % block; adding every `period`-th value keeps lanes apart and vectorises.
  const int period = std::lcm(16, block);
  const int64_t n = row.count * block;
  alignas(64) double part[16 * 64]; // float64: where a row is cut must not show in the sum
  for (int i = 0; i < period; i++) part[i] = 0;
  int64_t start = 0;
  if (period == 16) { // four running sums, so that additions overlap
    double s0[16] = {}, s1[16] = {}, s2[16] = {}, s3[16] = {};
    auto add = [&](double *s, int64_t from) {
      for (int l = 0; l < 16; l++) s[l] += double(a.p[from + l]);
    };
    for (; start + 64 <= n; start += 64) add(s0, start), add(s1, start + 16), add(s2, start + 32), add(s3, start + 48);
    for (; start + 16 <= n; start += 16) add(s0, start);
    for (int l = 0; l < 16; l++) part[l] = (s0[l] + s1[l]) + (s2[l] + s3[l]);
  } else {
    for (; start + period <= n; start += period)
      for (int i = 0; i < period; i++) part[i] += double(a.p[start + i]);
  }
  for (int64_t i = start; i < n; i++) part[i - start] += double(a.p[i]);
  for (int l = 0; l < row.lanes; l++) {
    double s = 0;
    for (int i = l; i < period; i += block) s += part[i];
    sums[l] += s;
  }
}

template void draw<float>(const hm_program &, const hm_instr &, const Row &, float *);
template void draw<double>(const hm_program &, const hm_instr &, const Row &, double *);
template void sum_lanes<float>(Reg<float>, const Row &, double *);
template void sum_lanes<double>(Reg<double>, const Row &, double *);

} // namespace hm
