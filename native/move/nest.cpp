// Nests of loops: sorted so that the innermost steps least in the target, loops that continue each other joined, big ones spread
// over the threads.
#include "move/nest.h"
#include "runtime/threads.h"
#include <algorithm>

namespace hm {
namespace {

constexpr int64_t piece = 32768;  // elements that a thread takes at a time, about
constexpr int64_t inline_elements = 65536; // below this a copy stays on its thread

// One element type to another: through float32, or float64 where that would lose digits.
template <class D, class S> HM_INLINE D stored_as(S x) {
  constexpr bool exact = sizeof(S) <= 2 || (std::is_same<S, float>::value);
  using T = std::conditional_t<exact, float, double>;
  return Stored<D>::from(from_stored<T>(x));
}
template <> HM_INLINE float stored_as<float, float>(float x) { return x; }
template <> HM_INLINE bf16 stored_as<bf16, bf16>(bf16 x) { return x; }
template <> HM_INLINE uint8_t stored_as<uint8_t, uint8_t>(uint8_t x) { return x; }
template <> HM_INLINE int32_t stored_as<int32_t, int32_t>(int32_t x) { return x; }

template <class D, class S> void line_of(D *dst, const S *src, const Loop &line) {
  const int64_t n = line.extent, ds = line.dst, ss = line.src;
  if (ds == 1 && ss == 1) {
    if constexpr (std::is_same<D, S>::value) std::memcpy(dst, src, size_t(n) * sizeof(D));
    else {
      HM_INDEPENDENT
      for (int64_t i = 0; i < n; i++) dst[i] = stored_as<D>(src[i]);
    }
  } else if (ds == 1 && ss == 0) {
    std::fill(dst, dst + n, stored_as<D>(*src));
  } else {
    for (int64_t i = 0; i < n; i++) dst[i * ds] = stored_as<D>(src[i * ss]);
  }
}

// Loops outer to inner; the last, or the last two where they are short, are run here, the others give the work of the threads.
template <class D, class S> void run_typed(const std::vector<Loop> &loops, D *dst, const S *src) {
  const Loop none{1, 0, 0}, &line = loops.back(), &next = loops.size() > 1 ? loops[loops.size() - 2] : none;
  const bool two = line.extent * next.extent <= piece && loops.size() > 1;
  const Loop &row = two ? next : none;
  const size_t outer = loops.size() - (two ? 2 : 1);
  int64_t count = 1;
  for (size_t k = 0; k < outer; k++) count *= loops[k].extent;
  auto body = [&](int64_t index, int) {
    D *d = dst;
    const S *s = src;
    for (size_t k = outer; k-- > 0; index /= loops[k].extent) {
      int64_t i = index % loops[k].extent;
      d += i * loops[k].dst, s += i * loops[k].src;
    }
    for (int64_t i = 0; i < row.extent; i++) line_of(d + i * row.dst, s + i * row.src, line);
  };
  const int64_t each = row.extent * line.extent;
  if (count * each <= inline_elements) {
    for (int64_t i = 0; i < count; i++) body(i, 0);
    return;
  }
  const int64_t together = std::max<int64_t>(1, piece / each); // small ones are taken several at a time
  parallel_for((count + together - 1) / together, [&](int64_t t, int thread) {
    for (int64_t i = t * together; i < std::min(count, (t + 1) * together); i++) body(i, thread);
  });
}

} // namespace

void run_nest(std::vector<Loop> loops, void *dst, int32_t dst_dtype, const void *src, int32_t src_dtype) {
  for (const Loop &l : loops)
    if (l.extent <= 0) return;
  loops.erase(std::remove_if(loops.begin(), loops.end(), [](const Loop &l) { return l.extent == 1; }), loops.end());
  std::stable_sort(loops.begin(), loops.end(), [](const Loop &a, const Loop &b) { return a.dst > b.dst; });
  std::vector<Loop> joined;
  for (const Loop &l : loops) {
    if (!joined.empty() && joined.back().dst == l.dst * l.extent && joined.back().src == l.src * l.extent)
      joined.back() = {joined.back().extent * l.extent, l.dst, l.src};
    else joined.push_back(l);
  }
  if (joined.empty()) joined.push_back({1, 1, 1});
  // Second innermost: the loop that steps least in the source, so that what a line touches there is soon touched again.
  if (joined.size() > 2 && joined.back().src > 1) {
    auto least = std::min_element(joined.begin(), joined.end() - 1, [](const Loop &a, const Loop &b) { return a.src < b.src; });
    std::rotate(least, least + 1, joined.end() - 1);
  }
  // Long innermost lines are cut, with a remainder of their own, so that there is work for every thread.
  Loop line = joined.back();
  if (line.extent > 2 * piece) {
    const int64_t pieces = line.extent / piece, rest = line.extent % piece;
    if (rest) {
      std::vector<Loop> tail = joined;
      tail.back().extent = rest;
      const int64_t done = pieces * piece;
      run_nest(tail, (char *)dst + done * line.dst * dtype_size(dst_dtype), dst_dtype,
               (const char *)src + done * line.src * dtype_size(src_dtype), src_dtype);
    }
    joined.back() = {pieces, line.dst * piece, line.src * piece};
    joined.push_back({piece, line.dst, line.src});
  }
  with_dtype(dst_dtype, [&](auto d) {
    with_dtype(src_dtype, [&](auto s) { run_typed(joined, (decltype(d) *)dst, (const decltype(s) *)src); });
  });
}

void run_line(const Loop &line, void *dst, int32_t dst_dtype, const void *src, int32_t src_dtype) {
  with_dtype(dst_dtype, [&](auto d) {
    with_dtype(src_dtype, [&](auto s) { line_of((decltype(d) *)dst, (const decltype(s) *)src, line); });
  });
}

} // namespace hm
