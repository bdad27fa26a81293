// The thread pool. One for the process; created on first use; hm_set_threads resizes it.
#pragma once
#include <cstdint>
#include <functional>

namespace hm {
// Calls body(index, thread) for index 0..count-1, each once, spread over the pool dynamically in rising order; returns when
// all are done. thread is 0..threads-1. Nested calls run inline. What a body throws (no memory), the caller gets.
void parallel_for(int64_t count, const std::function<void(int64_t index, int thread)> &body);
int thread_count();
} // namespace hm
