// The thread pool. A job is open while its caller works on it; a worker that sees an open job joins it and takes indices
// until none is left. The caller then closes the job and waits only for the workers that joined, so a worker that
// still sleeps never delays a call. Between jobs a worker spins shortly, then sleeps.
#include "runtime/threads.h"
#include "halomesh.h"
#include "runtime/view.h"
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>
#if defined(__linux__)
#include <sched.h>
#endif

namespace hm {
namespace {

using Body = std::function<void(int64_t, int)>;

constexpr int max_threads = 1024;
constexpr auto spin_time = std::chrono::microseconds(40);

thread_local int current_thread = -1; // >= 0 inside a body

// Looks at messages between pieces of a kernel, on the thread that called it.
constexpr auto poll_time = std::chrono::microseconds(200);
std::atomic<void (*)(void)> poll{nullptr};

inline void poll_now_and_then() {
  static std::chrono::steady_clock::time_point last; // the calling thread's alone: calls take turns
  void (*look)(void) = poll.load(std::memory_order_relaxed);
  if (!look) return;
  auto now = std::chrono::steady_clock::now();
  if (now - last < poll_time) return;
  look();
  last = std::chrono::steady_clock::now();
}

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

int core_count() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  unsigned n = std::thread::hardware_concurrency();
  return n ? int(n) : 1;
}

class Pool {
public:
  explicit Pool(int threads) {
    workers_.reserve(size_t(threads)); // before any runs: growing could throw
    try {
      for (int i = 1; i < threads; i++) workers_.emplace_back([this, i] { work(i); });
    } catch (const std::exception &) { // the system gives no more threads, or no memory for one: go on with those we have
    }
  }

  ~Pool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (auto &worker : workers_) worker.join();
  }

  int threads() const { return int(workers_.size()) + 1; }

  void run(int64_t count, const Body &body) {
    body_ = &body;
    count_ = count;
    next_.store(0);
    open_.store(++last_job_);
    if (sleepers_.load() > 0) {
      std::lock_guard<std::mutex> lock(mutex_);
      wake_.notify_all();
    }
    take(0);
    open_.store(0);
    // Every index is taken. A body that runs long on another thread: give the core away instead of spinning for ever.
    for (int spins = 0; joined_.load() > 0; spins++) spins < 20000 ? pause() : std::this_thread::yield();
    if (std::exception_ptr thrown = std::exchange(thrown_, nullptr)) std::rethrow_exception(thrown);
  }

private:
  void take(int thread) {
    current_thread = thread;
    try {
      for (int64_t i; (i = next_.fetch_add(1)) < count_;) {
        (*body_)(i, thread);
        if (thread == 0) poll_now_and_then();
      }
    } catch (...) {
      next_.store(count_); // no more indices
      std::lock_guard<std::mutex> lock(mutex_);
      if (!thrown_) thrown_ = std::current_exception();
    }
    current_thread = -1;
  }

  bool news(uint64_t seen) const {
    uint64_t job = open_.load();
    return stop_.load() || (job != 0 && job != seen);
  }

  void work(int thread) {
    uint64_t seen = 0;
    while (true) {
      wait_for_news(seen);
      if (stop_.load()) return;
      joined_.fetch_add(1);
      uint64_t job = open_.load(); // looked at after joining: the caller waits for us if it is still open
      if (job != 0 && job != seen) {
        seen = job;
        take(thread);
      }
      joined_.fetch_sub(1);
    }
  }

  void wait_for_news(uint64_t seen) {
    auto until = std::chrono::steady_clock::now() + spin_time;
    while (std::chrono::steady_clock::now() < until)
      for (int i = 0; i < 64; i++) {
        if (news(seen)) return;
        pause();
      }
    std::unique_lock<std::mutex> lock(mutex_);
    sleepers_.fetch_add(1);
    wake_.wait(lock, [&] { return news(seen); });
    sleepers_.fetch_sub(1);
  }

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stop_{false};
  std::atomic<int> sleepers_{0};
  std::exception_ptr thrown_; // the first one of this job
  const Body *body_ = nullptr;
  int64_t count_ = 0;
  uint64_t last_job_ = 0;
  alignas(64) std::atomic<uint64_t> open_{0}; // number of the open job, 0: none
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<int> joined_{0};
};

// Never destroyed: at exit the system ends the workers, and nothing can hang there.
std::mutex &pool_mutex() {
  static std::mutex *mutex = new std::mutex;
  return *mutex;
}
Pool *pool = nullptr; // guarded by pool_mutex
std::atomic<int> pool_threads{0};

Pool &pool_locked() {
  if (!pool) {
    pool = new Pool(core_count() < max_threads ? core_count() : max_threads);
    pool_threads = pool->threads();
  }
  return *pool;
}

} // namespace

void parallel_for(int64_t count, const Body &body) {
  bool nested = current_thread >= 0;
  if (count <= 1 || nested || thread_count() == 1) {
    struct Restore {
      int outer = current_thread;
      ~Restore() { current_thread = outer; }
    } restore;
    current_thread = nested ? restore.outer : 0;
    for (int64_t i = 0; i < count; i++) {
      body(i, current_thread);
      if (!nested) poll_now_and_then();
    }
    return;
  }
  std::lock_guard<std::mutex> lock(pool_mutex()); // calls from several threads of the host take turns
  pool_locked().run(count, body);
}

int thread_count() {
  int n = pool_threads.load();
  if (n) return n;
  std::lock_guard<std::mutex> lock(pool_mutex());
  return pool_locked().threads();
}

} // namespace hm

int hm_set_threads(int32_t n) {
  if (n < 0 || n > hm::max_threads)
    return hm::fail("hm_set_threads: expected 0 (all cores) to %d threads, got %d", hm::max_threads, int(n));
  if (hm::current_thread >= 0) return hm::fail("hm_set_threads: called from inside a kernel");
  return hm::guarded("hm_set_threads", [&] {
    int wanted = n ? n : hm::core_count();
    std::lock_guard<std::mutex> lock(hm::pool_mutex());
    if (hm::pool && hm::pool->threads() == wanted) return 0;
    hm::pool_threads = 0;
    delete std::exchange(hm::pool, nullptr);
    hm::pool = new hm::Pool(wanted);
    hm::pool_threads = hm::pool->threads();
    return 0;
  });
}

int32_t hm_threads(void) {
  int32_t n = 1; // where there is no memory for a pool, the caller's thread
  hm::guarded("hm_threads", [&] { return n = hm::thread_count(), 0; });
  return n;
}

int hm_set_poll(void (*poll)(void)) {
  hm::poll = poll;
  return 0;
}
