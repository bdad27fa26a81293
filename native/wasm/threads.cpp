// The thread pool where there is one thread: the caller's.
#include "runtime/threads.h"
#include "halomesh.h"
#include "runtime/view.h"

namespace hm {

void parallel_for(int64_t count, const std::function<void(int64_t, int)> &body) {
  for (int64_t i = 0; i < count; i++) body(i, 0);
}

int thread_count() { return 1; }

} // namespace hm

int hm_set_threads(int32_t n) {
  if (n == 0 || n == 1) return 0;
  return hm::fail("hm_set_threads: expected 0 or 1 threads, got %d", int(n));
}

int32_t hm_threads(void) { return 1; }
