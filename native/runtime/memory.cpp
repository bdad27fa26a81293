// Error text, memory, and what the processor and this library are.
#include "halomesh.h"
#include "runtime/threads.h"
#include "runtime/view.h"
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef HALOMESH_ISA
#define HALOMESH_ISA "base"
#endif
#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

namespace hm {
namespace {

constexpr size_t error_size = 2048;
std::mutex error_mutex;
char error_text[error_size] = "";

constexpr int64_t page = 4096, huge_page = 2 << 20;
constexpr int64_t copy_chunk = 1 << 20;

int64_t round_up(int64_t x, int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

} // namespace

int fail(const char *format, ...) {
  std::lock_guard<std::mutex> lock(error_mutex);
  va_list args;
  va_start(args, format);
  std::vsnprintf(error_text, error_size, format, args);
  va_end(args);
  return 1;
}

} // namespace hm

using namespace hm;

const char *hm_error(void) {
  thread_local char copy[error_size]; // the caller's own, so that another thread's failure does not change it while it is read
  std::lock_guard<std::mutex> lock(error_mutex);
  std::memcpy(copy, error_text, error_size);
  return copy;
}

const char *hm_isa(void) { return HALOMESH_ISA; }

int hm_cpu_supports(const char *isa) {
  if (!isa) return 0;
  if (!std::strcmp(isa, "base")) return 1;
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
              __builtin_cpu_supports("bmi2");
  if (!std::strcmp(isa, "avx2")) return avx2;
  if (!std::strcmp(isa, "avx512"))
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
  return 0;
}

void *hm_alloc(int64_t bytes) {
  if (bytes <= 0 || bytes > most_bytes) {
    fail("hm_alloc: expected 1 to %lld bytes, got %lld", (long long)most_bytes, (long long)bytes);
    return nullptr;
  }
  int64_t size = round_up(bytes, page), spare = size >= huge_page ? huge_page : 0;
  void *p = mmap(nullptr, size_t(size + spare), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) {
    fail("hm_alloc: the system has no %lld bytes for us", (long long)bytes);
    return nullptr;
  }
  if (spare) { // start at a huge page and give the rest back
    int64_t first = int64_t(p), start = round_up(first, huge_page), end = first + size + spare;
    if (start > first) munmap(p, size_t(start - first));
    if (end > start + size) munmap((void *)(start + size), size_t(end - start - size));
    p = (void *)start;
#if defined(MADV_HUGEPAGE)
    madvise(p, size_t(size), MADV_HUGEPAGE); // a hint: nothing depends on it
#endif
  }
  return p;
}

int hm_free(void *p, int64_t bytes) {
  if (!p) return 0;
  if (bytes <= 0 || bytes > most_bytes) return fail("hm_free: expected the size given to hm_alloc, got %lld", (long long)bytes);
  if (munmap(p, size_t(round_up(bytes, page)))) return fail("hm_free: %p of %lld bytes was not ours", p, (long long)bytes);
  return 0;
}

int hm_memcpy(void *dst, const void *src, int64_t bytes) {
  if (bytes < 0 || bytes > most_bytes)
    return fail("hm_memcpy: expected 0 to %lld bytes, got %lld", (long long)most_bytes, (long long)bytes);
  if (bytes && (!dst || !src)) return fail("hm_memcpy: %s is null", dst ? "src" : "dst");
  return guarded("hm_memcpy", [&] {
    parallel_for((bytes + copy_chunk - 1) / copy_chunk, [&](int64_t i, int) {
      int64_t from = i * copy_chunk, n = bytes - from < copy_chunk ? bytes - from : copy_chunk;
      std::memcpy((char *)dst + from, (const char *)src + from, size_t(n));
    });
    return 0;
  });
}

int64_t hm_peak_rss(void) {
#if defined(__linux__) // getrusage would also count what the process that started us had
  if (FILE *f = std::fopen("/proc/self/status", "r")) {
    char line[256];
    long long kib = -1;
    while (kib < 0 && std::fgets(line, sizeof line, f)) std::sscanf(line, "VmHWM: %lld kB", &kib);
    std::fclose(f);
    if (kib >= 0) return int64_t(kib) * 1024;
  }
#endif
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage)) return 0;
#if defined(__APPLE__)
  return int64_t(usage.ru_maxrss);
#else
  return int64_t(usage.ru_maxrss) * 1024;
#endif
}
