// Softmax, sums and the largest over the lanes of a position; see rows_lanes.h. Lanes are taken apart into one array each, so that
// every loop runs over positions.
#include "rows/rows_lanes.h"
#include "rows/lanemath.h"
#include <atomic>
#include <mutex>
#include <tuple>

namespace hm {
namespace {

constexpr int64_t P = 256; // positions at a time
constexpr int most_lanes = 16;
using ll = long long;

template <class T> struct Apart {
  T x[most_lanes][P], top[P], sum[P];
};

// Lanes of `count` positions with B values each (0: `block`).
template <int B, class T> void take_apart(T (*__restrict x)[P], const T *__restrict a, int block, int lanes, int64_t count) {
  const int b = B ? B : block;
  for (int l = 0; l < lanes; l++) {
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) x[l][i] = a[i * b + l];
  }
}
template <int B, class T> void put_together(T *__restrict d, const T (*__restrict x)[P], int block, int lanes, int64_t count) {
  const int b = B ? B : block;
  for (int l = 0; l < lanes; l++) {
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) d[i * b + l] = x[l][i];
  }
  for (int l = lanes; l < b; l++)
    for (int64_t i = 0; i < count; i++) d[i * b + l] = 0;
}
// x[l] becomes e^(x[l] - top), `sum` their sum.
template <class T> void exponentials(Apart<T> &s, int lanes, int64_t count, bool keep) {
  for (int64_t i = 0; i < count; i++) s.top[i] = s.x[0][i], s.sum[i] = 0;
  for (int l = 1; l < lanes; l++) {
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) {
      const T z = s.x[l][i];
      s.top[i] = ((z > s.top[i]) | (z != z)) ? z : s.top[i];
    }
  }
  for (int l = 0; l < lanes; l++) {
    if (keep) { // the logits stay
      HM_INDEPENDENT
      for (int64_t i = 0; i < count; i++) s.sum[i] += exp_of(s.x[l][i] - s.top[i]);
      continue;
    }
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) {
      const T e = exp_of(s.x[l][i] - s.top[i]);
      s.x[l][i] = e, s.sum[i] += e;
    }
  }
}

template <int B, class T> void run(int op, T *d, const T *a, int block, int lanes, int64_t count) {
  static thread_local Apart<T> s;
  take_apart<B>(s.x, a, block, lanes, count);
  switch (op) {
  case HM_SOFTMAX:
    exponentials(s, lanes, count, false);
    for (int l = 0; l < lanes; l++) {
      HM_INDEPENDENT
      for (int64_t i = 0; i < count; i++) s.x[l][i] = s.x[l][i] / s.sum[i];
    }
    return put_together<B>(d, s.x, block, lanes, count);
  case HM_LOG_SOFTMAX:
    exponentials(s, lanes, count, true);
    HM_INDEPENDENT
    for (int64_t i = 0; i < count; i++) s.sum[i] = log_of(s.sum[i]);
    for (int l = 0; l < lanes; l++) {
      HM_INDEPENDENT
      for (int64_t i = 0; i < count; i++) s.x[l][i] = (s.x[l][i] - s.top[i]) - s.sum[i];
    }
    return put_together<B>(d, s.x, block, lanes, count);
  case HM_LANE_SUM:
    for (int64_t i = 0; i < count; i++) s.sum[i] = s.x[0][i];
    for (int l = 1; l < lanes; l++) {
      HM_INDEPENDENT
      for (int64_t i = 0; i < count; i++) s.sum[i] += s.x[l][i];
    }
    return spread(d, s.sum, block, count);
  default: // HM_ARGMAX
    for (int64_t i = 0; i < count; i++) s.top[i] = s.x[0][i], s.sum[i] = 0;
    for (int l = 1; l < lanes; l++) {
      HM_INDEPENDENT
      for (int64_t i = 0; i < count; i++) {
        const T z = s.x[l][i];
        const bool larger = z > s.top[i];
        s.top[i] = larger ? z : s.top[i], s.sum[i] = larger ? T(l) : s.sum[i];
      }
    }
    return spread(d, s.sum, block, count);
  }
}

// A label that is no class, the first by position.
struct BadLabel {
  std::atomic<bool> found{false};
  std::mutex mutex;
  std::tuple<ll, ll, ll, ll> at;
  double label;
  int64_t classes;
} bad;

template <class T> bool is_label(T x, T classes) { return (x >= 0) & (x < classes) & (std::trunc(x) == x); }

template <class T> void check_labels(const hm_instr &in, const Row &row, const T *x, int step) {
  const T classes = T(in.imm);
  int32_t wrong = 0;
  const int64_t values = step ? row.count * row.block : 1;
  for (int64_t i = 0; i < values; i++) wrong |= is_label(x[i], classes) ? 0 : 1;
  if (!wrong) return;
  const std::lock_guard<std::mutex> lock(bad.mutex);
  for (int64_t i = 0; i < row.count; i++) {
    const T label = x[step ? i * row.block : 0];
    if (is_label(label, classes)) continue;
    const std::tuple<ll, ll, ll, ll> at{row.n, row.d, row.h, row.w0 + i};
    if (!bad.found || at < bad.at) bad.found = true, bad.at = at, bad.label = double(label), bad.classes = int64_t(in.imm);
    return;
  }
}

// The number of each lane: the same at every position.
template <class T> int lane_numbers(const Row &row, T *d) {
  const bool repeats = pattern % row.block == 0;
  const int64_t n = repeats ? pattern : row.count * row.block;
  for (int l = 0; l < row.block; l++) d[l] = T(row.c0 + l);
  repeat_block(d, row.block, n);
  return repeats ? 0 : pattern;
}

} // namespace

template <class T> int lanes_of(const hm_instr &in, const Row &row, T *d, Reg<T> a) {
  const int block = row.block;
  const int64_t n = row.count * block;
  if (in.op == HM_LANE) return lane_numbers(row, d);
  if (in.op == HM_LABEL) {
    check_labels(in, row, a.p, a.step);
    std::memcpy(d, a.p, size_t(a.step ? n : pattern) * sizeof(T));
    return a.step;
  }
  // A value that repeats is worked out for its 16; where the block does not divide them it is one scalar.
  alignas(64) T once[most_lanes * pattern];
  const bool repeats = a.step == 0;
  const int64_t count = repeats ? 1 : row.count;
  const T *from = a.p;
  if (repeats && pattern % block != 0) {
    for (int l = 0; l < block; l++) once[l] = a.p[0];
    from = once;
  }
  for (int64_t i = 0; i < count; i += P) {
    const int64_t part = std::min(P, count - i);
    const T *x = from + i * block;
    T *y = d + i * block;
    switch (block) {
    case 2: run<2>(in.op, y, x, block, row.lanes, part); break;
    case 3: run<3>(in.op, y, x, block, row.lanes, part); break;
    case 4: run<4>(in.op, y, x, block, row.lanes, part); break;
    case 16: run<16>(in.op, y, x, block, row.lanes, part); break;
    default: run<0>(in.op, y, x, block, row.lanes, part);
    }
  }
  if (!repeats) return pattern;
  const bool divides = pattern % block == 0;
  repeat_block(d, block, divides ? pattern : n);
  return divides ? 0 : pattern;
}

int fail_bad_label(const char *kernel) {
  if (!bad.found.load(std::memory_order_relaxed)) return 0;
  bad.found = false;
  const auto [n, d, h, w] = bad.at;
  return fail("%s: label %g at (n %lld, d %lld, h %lld, w %lld): expected a whole number from 0 to %lld", kernel, bad.label, n, d,
              h, w, ll(bad.classes - 1));
}

template int lanes_of<float>(const hm_instr &, const Row &, float *, Reg<float>);
template int lanes_of<double>(const hm_instr &, const Row &, double *, Reg<double>);

} // namespace hm
