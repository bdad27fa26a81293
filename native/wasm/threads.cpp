// The thread pool of a WebAssembly module. Without shared memory there is one thread: the caller's. With it JavaScript starts the others,
// each an instance of the module over the same memory that calls hm_wasm_work; it may do so late, or give fewer than were asked for, since a
// job waits for nobody who has not joined it.
#include "runtime/threads.h"
#include "halomesh.h"
#include "runtime/view.h"

#ifdef __wasm_atomics__
#include <atomic>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <utility>
#endif

namespace hm {

#ifdef __wasm_atomics__
namespace {

using Body = std::function<void(int64_t, int)>;

constexpr int max_threads = 64;
constexpr int spins = 2000;         // before a thread sleeps: some microseconds
constexpr int64_t nap = 100 * 1000; // ns

// What the threads share. Numbers that a thread sleeps on are 32 bits wide.
struct Pool {
  const Body *body = nullptr;
  int64_t count = 0;
  std::exception_ptr thrown; // the first one of this job
  std::mutex mutex;          // of what was thrown
  alignas(64) std::atomic<int32_t> news{0};  // changes with every job, and at the end
  alignas(64) std::atomic<int32_t> open{0};  // 1 while the job takes threads
  alignas(64) std::atomic<int64_t> next{0};
  alignas(64) std::atomic<int32_t> joined{0};
  std::atomic<int32_t> sleepers{0};
  std::atomic<int32_t> threads{1};
  std::atomic<int32_t> ended{0};
  std::atomic<int32_t> broken{0}; // a thread was stopped inside of a job
};

Pool pool;
thread_local int current_thread = -1; // >= 0 inside a body

int32_t *word(std::atomic<int32_t> &number) { return reinterpret_cast<int32_t *>(&number); }

void take(int thread) {
  current_thread = thread;
  try {
    for (int64_t i; (i = pool.next.fetch_add(1)) < pool.count;) (*pool.body)(i, thread);
  } catch (...) {
    pool.next.store(pool.count); // no more indices
    std::lock_guard<std::mutex> lock(pool.mutex);
    if (!pool.thrown) pool.thrown = std::current_exception();
  }
  current_thread = -1;
}

// Sleeps until the number is no longer what was seen.
int32_t next_news(int32_t seen) {
  for (int n = 0; n < spins; n++)
    if (pool.news.load() != seen) return pool.news.load();
  pool.sleepers.fetch_add(1);
  while (pool.news.load() == seen) __builtin_wasm_memory_atomic_wait32(word(pool.news), seen, -1);
  pool.sleepers.fetch_sub(1);
  return pool.news.load();
}

void announce() {
  pool.news.fetch_add(1);
  if (pool.sleepers.load() > 0) __builtin_wasm_memory_atomic_notify(word(pool.news), ~0u);
}

} // namespace

void parallel_for(int64_t count, const Body &body) {
  const bool nested = current_thread >= 0;
  if (count <= 1 || nested || pool.threads.load() == 1) {
    struct Restore {
      int outer = current_thread;
      ~Restore() { current_thread = outer; }
    } restore;
    current_thread = nested ? restore.outer : 0;
    for (int64_t i = 0; i < count; i++) body(i, current_thread);
    return;
  }
  pool.body = &body;
  pool.count = count;
  pool.next.store(0);
  pool.open.store(1);
  announce();
  take(0);
  pool.open.store(0);
  // Every index is taken; those who joined end theirs. Bodies that run long on other threads: give the core away meanwhile.
  for (int n = 0; pool.joined.load() > 0; n++) {
    const int32_t joined = pool.joined.load();
    if (n >= spins && joined > 0) __builtin_wasm_memory_atomic_wait32(word(pool.joined), joined, nap);
  }
  if (pool.broken.load()) throw std::runtime_error("a thread of the kernels was stopped");
  if (std::exception_ptr thrown = std::exchange(pool.thrown, nullptr)) std::rethrow_exception(thrown);
}

int thread_count() { return pool.threads.load(); }

#else

void parallel_for(int64_t count, const std::function<void(int64_t, int)> &body) {
  for (int64_t i = 0; i < count; i++) body(i, 0);
}

int thread_count() { return 1; }

#endif

} // namespace hm

#ifdef __wasm_atomics__

int hm_set_threads(int32_t n) {
  if (n < 1 || n > hm::max_threads)
    return hm::fail("hm_set_threads: expected 1 to %d threads, got %d", hm::max_threads, int(n));
  hm::pool.threads.store(n);
  return 0;
}

// What a thread 1, 2... does until hm_wasm_end: it joins jobs. Of one above the number of threads nothing is asked.
extern "C" void hm_wasm_work(int32_t thread) {
  for (int32_t seen = 0;;) {
    if (hm::pool.ended.load()) return;
    hm::pool.joined.fetch_add(1);
    // Looked at after joining: the caller waits for us if it is still open.
    if (hm::pool.open.load() && thread < hm::pool.threads.load()) {
      seen = hm::pool.news.load();
      hm::take(thread);
    }
    hm::pool.joined.fetch_sub(1);
    if (hm::pool.ended.load()) return;
    seen = hm::next_news(seen);
  }
}

// Told of a thread whose hm_wasm_work was stopped by a trap: nobody waits for it.
extern "C" void hm_wasm_stopped(void) {
  hm::pool.broken.store(1);
  hm::pool.joined.fetch_sub(1);
}

extern "C" void hm_wasm_end(void) {
  hm::pool.ended.store(1);
  hm::announce();
}

#else

int hm_set_threads(int32_t n) {
  if (n == 0 || n == 1) return 0;
  return hm::fail("hm_set_threads: expected 0 or 1 threads, got %d", int(n));
}

#endif

int32_t hm_threads(void) { return hm::thread_count(); }
