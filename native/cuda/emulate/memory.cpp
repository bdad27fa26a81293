// Memory of the emulated device, also that which several processes share.
#include "races.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#if defined(__linux__)
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

extern "C" {
// Filled with bytes that are NaN in every floating-point type.
void *em_allocate(long long bytes) {
  void *at = nullptr;
  if (bytes > (1ll << 46) || posix_memalign(&at, 256, size_t(bytes))) return nullptr;
  std::memset(at, 0xff, size_t(bytes));
  races_allocated(at, bytes);
  return at;
}
void em_free(void *at) { races_freed(at), std::free(at); }
void em_copy(void *to, const void *from, long long bytes) { std::memcpy(to, from, size_t(bytes)); }
void em_fill(void *at, int byte, long long bytes) { std::memset(at, byte, size_t(bytes)); }

// Memory that other processes open by ours and its file descriptor; it has no name, so nothing is left of it. Null where there is
// none. Unlike em_allocate's it is not poisoned.
#if defined(__linux__)
void *em_share(long long bytes, int *file) {
  *file = memfd_create("halomesh-emulated", MFD_CLOEXEC);
  if (*file < 0) return nullptr;
  if (ftruncate(*file, bytes) == 0) {
    void *at = mmap(nullptr, size_t(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
    if (at != MAP_FAILED) return at;
  }
  close(*file);
  return nullptr;
}
void em_unshare(void *at, long long bytes, int file) { munmap(at, size_t(bytes)), close(file); }
void *em_open(int process, int file, long long bytes) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/fd/%d", process, file);
  const int opened = open(path, O_RDWR | O_CLOEXEC);
  if (opened < 0) return nullptr;
  void *at = mmap(nullptr, size_t(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
  close(opened);
  return at == MAP_FAILED ? nullptr : at;
}
void em_shut(void *at, long long bytes) { munmap(at, size_t(bytes)); }
#else
void *em_share(long long bytes, int *file) { return *file = -1, em_allocate(bytes); }
void em_unshare(void *at, long long, int) { em_free(at); }
void *em_open(int, int, long long) { return nullptr; }
void em_shut(void *, long long) {}
#endif
}
