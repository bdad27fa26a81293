// What the processor and the memory can do at most, measured by the means that the kernels have: their vector registers, their
// thread pool. Kernels are judged against these numbers.
#include "conv/conv_vec.h"
#include "halomesh.h"
#include "runtime/threads.h"
#include "runtime/view.h"
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace hm {
namespace {

using namespace conv;
using Clock = std::chrono::steady_clock;

constexpr double longest = 3600;

// Memory of hm_alloc, null where it has none to give or none was asked for.
struct Pages {
  int64_t bytes;
  char *at;
  explicit Pages(int64_t n) : bytes(n), at(n ? static_cast<char *>(hm_alloc(n)) : nullptr) {}
  Pages(const Pages &) = delete;
  ~Pages() { hm_free(at, bytes); }
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Shortest time of a call, over at least three calls and `seconds`: what others take from the machine only adds to it.
template <class F> double shortest(double seconds, F call) {
  double best = 1e30;
  auto begin = Clock::now();
  for (int i = 0; i < 3 || seconds_since(begin) < seconds; i++) {
    auto start = Clock::now();
    call();
    best = std::min(best, seconds_since(start));
  }
  return best;
}

// A fused multiply-add takes four or five cycles and two begin in each, so more than ten must be under way; with the two
// factors they fill the 16 registers of AVX2 but for two, and half of the 32 of AVX-512.
#if defined(__AVX512F__)
constexpr int sums = 20;
#else
constexpr int sums = 12;
#endif
constexpr int64_t rounds = 1 << 17;

// `rounds` times `sums` independent multiply-adds in registers.
float multiply_adds(float seed) {
  // Numbers that the compiler cannot know, and that neither grow nor become denormal: s = s/2 + 1.
  volatile float half = 0.5f, one = 1.0f;
  reg x = reg{} + half, y = reg{} + one, sum[sums];
  HM_UNROLL for (int s = 0; s < sums; s++) sum[s] = reg{} + (seed + float(s));
  for (int64_t r = 0; r < rounds; r++) {
    HM_UNROLL for (int s = 0; s < sums; s++) sum[s] = sum[s] * x + y;
  }
  HM_UNROLL for (int s = 1; s < sums; s++) sum[0] += sum[s];
  float all = 0;
  for (int i = 0; i < lanes; i++) all += sum[0][i];
  return all;
}

// Sum of an array; wide enough to wait for memory alone.
float read_all(const float *p, int64_t n) {
  reg sum[8] = {};
  for (int64_t i = 0; i + 8 * lanes <= n; i += 8 * lanes) {
    HM_UNROLL for (int s = 0; s < 8; s++) sum[s] += load(p + i + s * lanes);
  }
  HM_UNROLL for (int s = 1; s < 8; s++) sum[0] += sum[s];
  return sum[0][0];
}

} // namespace
} // namespace hm

using namespace hm;

int hm_peak_flops(double seconds, double *result) {
  return guarded("hm_peak_flops", [&] {
    if (!result || !(seconds >= 0 && seconds <= longest))
      return fail("hm_peak_flops: expected a time of 0 to %g s, got %g, and a place for the result", longest, seconds);
    int threads = thread_count();
    std::vector<float> kept(size_t(threads) * 16); // a cache line each
    double time = shortest(seconds, [&] {
      parallel_for(threads, [&](int64_t i, int) { kept[size_t(i) * 16] = multiply_adds(float(i)); });
    });
    *result = 2.0 * lanes * sums * double(rounds) * threads / time;
    return 0;
  });
}

int hm_peak_memory(int32_t kind, int64_t bytes, double seconds, double *result) {
  return guarded("hm_peak_memory", [&] {
    int threads = thread_count();
    int64_t part = bytes / threads / 4096 * 4096;
    if (!result || kind < 0 || kind > 2 || part <= 0 || !(seconds >= 0 && seconds <= longest))
      return fail("hm_peak_memory: expected kind 0 to 2, at least a page a thread, a time of 0 to %g s and a place for the result; "
                  "got kind %d, %lld bytes, %g s",
                  longest, int(kind), (long long)bytes, seconds);
    const Pages a(bytes), b(kind == 2 ? bytes : 0);
    char *from = a.at, *to = b.at;
    if (!from || (kind == 2 && !to)) return 1;
    // Every page is written before it is timed: one that was not lies nowhere.
    parallel_for(threads, [&](int64_t i, int) {
      std::memset(from + i * part, 1, size_t(part));
      if (to) std::memset(to + i * part, 1, size_t(part));
    });
    std::vector<float> kept(size_t(threads) * 16);
    double time = shortest(seconds, [&] {
      parallel_for(threads, [&](int64_t i, int) {
        char *p = from + i * part;
        if (kind == 0) kept[size_t(i) * 16] = read_all((const float *)p, part / 4);
        if (kind == 1) std::memset(p, 2, size_t(part));
        if (kind == 2) std::memcpy(to + i * part, p, size_t(part));
      });
    });
    *result = double(part) * threads * (kind == 2 ? 2 : 1) / time;
    return 0;
  });
}
