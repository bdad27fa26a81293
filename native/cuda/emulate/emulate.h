// What the printed kernels use of CUDA, on a host: a block runs after the other; its threads one after the other, or, where a kernel
// has barriers, as fibers. Compiled before device.h, in the place of what NVRTC and nvcc know by themselves.
#pragma once
#include <cmath>
#include <cstdio>
#include <cstring>

#define HM_EMULATED 1
#define HM_FN static inline
#define HM_KERNEL(threads) static void
#define HM_KERNELS(threads, blocks) static void
#define HM_CONST

struct EmIndex {
  unsigned x;
};
struct EmState {
  EmIndex thread, block, threads, blocks;
};

extern "C" {
extern EmState em;
extern char *em_shared_memory; // of the running block
extern long long em_shared_bytes;
// Bytes of the block's shared memory that no thread asked for before; the same for every thread, which ask in one order.
void *em_shared(long long bytes);
void em_barrier(void);
// The barrier of that number, which as many threads reach; one that does not wait only says that it came.
void em_named(int barrier, int threads, int waits);
// Waits for the other threads of the warp. The last one to come calls combine(arguments of all lanes).
void em_warp(void *argument, void (*combine)(void **lanes));
// Sixteen bytes to shared memory, zeros where `from` is null: they come when the thread waits for them, and not before.
void em_copy_later(void *to, const void *from);
// Copies that were asked for since the last batch are one.
void em_end_batch(void);
// All batches but the last `but` have come; less than 0: all copies, whatever batch they are of.
void em_wait_copies(int but);
// Says that the thread reads, where others do it for it.
void em_read(const void *at, long long bytes);
unsigned long long em_atomic_min(unsigned long long *at, unsigned long long x);
// Keeps the first fault of a launch.
void em_fault(const char *text);
// Runs a kernel, which tells of its accesses where it is `watched` (races.h); null, or what went wrong.
const char *em_launch(long long blocks, int threads, long long shared, int fibers, int watched, void (*kernel)(const void *), const void *args);
}

#define threadIdx (em.thread)
#define blockIdx (em.block)
#define blockDim (em.threads)
#define gridDim (em.blocks)
#define HM_SHARED(type, name, count) type *name = (type *)em_shared((long long)(count) * sizeof(type))
#define HM_ROOM HM_SHARED
#define __syncthreads() em_barrier()

static inline unsigned __float_as_uint(float x) {
  unsigned u;
  memcpy(&u, &x, 4);
  return u;
}
static inline float __uint_as_float(unsigned u) {
  float x;
  memcpy(&x, &u, 4);
  return x;
}
static inline float cospif(float x) { return (float)std::cos(3.14159265358979323846 * (double)x); }
static inline double cospi(double x) { return std::cos(3.14159265358979323846 * x); }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline long long min(long long a, long long b) { return a < b ? a : b; }
static inline long long max(long long a, long long b) { return a > b ? a : b; }
static inline unsigned long long atomicMin(unsigned long long *at, unsigned long long x) { return em_atomic_min(at, x); }
