// Error text and memory in the linear memory of a WebAssembly module, which one thread uses. It grows and never shrinks; what is given
// back is given again.
#include "halomesh.h"
#include "runtime/view.h"
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <unistd.h>

namespace hm {
namespace {

char error_text[2048] = "";

// malloc counts in signed numbers, so pieces from here on are taken of the end of the linear memory themselves.
constexpr int64_t large = 1 << 20, granule = 1 << 16, line = 64;

int64_t round_up(int64_t x, int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

// Large pieces that were given back, by address, none beside another: first fit.
std::map<uintptr_t, int64_t> &spare() {
  static std::map<uintptr_t, int64_t> pieces;
  return pieces;
}

void give_back(uintptr_t at, int64_t size) {
  auto next = spare().lower_bound(at);
  if (next != spare().end() && int64_t(at) + size == int64_t(next->first)) {
    size += next->second;
    next = spare().erase(next);
  }
  if (next != spare().begin()) {
    auto before = std::prev(next);
    if (int64_t(before->first) + before->second == int64_t(at)) {
      before->second += size;
      return;
    }
  }
  spare().emplace(at, size);
}

// `size` fresh bytes, which are zero; 0 where there are not so many.
uintptr_t grow(int64_t size) {
  constexpr int64_t step = int64_t(1) << 30; // sbrk takes a signed number
  const auto end = reinterpret_cast<uintptr_t>(sbrk(0));
  const uintptr_t start = uintptr_t(round_up(int64_t(end), granule));
  if (int64_t(start) + size > (int64_t(1) << 32) - granule) return 0;
  int64_t left = int64_t(start - end) + size;
  const int64_t asked = left;
  while (left > 0) {
    const int64_t part = left < step ? left : step;
    if (sbrk(intptr_t(part)) == (void *)-1) { // none of what was taken is lost
      if (asked > left) give_back(end, asked - left);
      return 0;
    }
    left -= part;
  }
  return start;
}

uintptr_t large_piece(int64_t size) {
  for (auto piece = spare().begin(); piece != spare().end(); ++piece) {
    if (piece->second < size) continue;
    const auto [at, held] = *piece;
    spare().erase(piece);
    if (held > size) spare().emplace(at + uintptr_t(size), held - size);
    std::memset(reinterpret_cast<void *>(at), 0, size_t(size)); // as pages of a system would be
    return at;
  }
  return grow(size);
}

} // namespace

int fail(const char *format, ...) {
  va_list args;
  va_start(args, format);
  std::vsnprintf(error_text, sizeof error_text, format, args);
  va_end(args);
  return 1;
}

} // namespace hm

using namespace hm;

const char *hm_error(void) { return error_text; }

const char *hm_isa(void) { return "wasm"; }

void *hm_alloc(int64_t bytes) {
  if (bytes <= 0 || bytes > int64_t(UINTPTR_MAX)) {
    fail("hm_alloc: expected 1 to %lld bytes, got %lld", (long long)UINTPTR_MAX, (long long)bytes);
    return nullptr;
  }
  void *p = nullptr;
  guarded("hm_alloc", [&] {
    if (bytes >= large) {
      p = reinterpret_cast<void *>(large_piece(round_up(bytes, granule)));
    } else {
      const size_t size = size_t(round_up(bytes, line));
      p = std::aligned_alloc(size_t(line), size);
      if (p) std::memset(p, 0, size);
    }
    return 0;
  });
  if (!p) fail("hm_alloc: the module has no %lld bytes for us", (long long)bytes);
  return p;
}

int hm_free(void *p, int64_t bytes) {
  if (!p) return 0;
  if (bytes <= 0 || bytes > int64_t(UINTPTR_MAX)) return fail("hm_free: expected the size given to hm_alloc, got %lld", (long long)bytes);
  if (bytes < large) {
    std::free(p);
    return 0;
  }
  return guarded("hm_free", [&] {
    give_back(uintptr_t(p), round_up(bytes, granule));
    return 0;
  });
}

int hm_memcpy(void *dst, const void *src, int64_t bytes) {
  if (bytes < 0 || bytes > int64_t(UINTPTR_MAX))
    return fail("hm_memcpy: expected 0 to %lld bytes, got %lld", (long long)UINTPTR_MAX, (long long)bytes);
  if (bytes && (!dst || !src)) return fail("hm_memcpy: %s is null", dst ? "src" : "dst");
  if (bytes) std::memcpy(dst, src, size_t(bytes));
  return 0;
}
