// Nests of loops with a stride in each of two memories: what every copy between stored boxes comes down to.
#pragma once
#include "runtime/view.h"
#include <vector>

namespace hm {

struct Loop {
  int64_t extent, dst, src; // strides in elements
};

// dst[sum of i*dst] = src[sum of i*src], converted, over all i; spread over the threads. Loops may be in any order.
void run_nest(std::vector<Loop> loops, void *dst, int32_t dst_dtype, const void *src, int32_t src_dtype);

// One loop of it, on the caller's thread.
void run_line(const Loop &line, void *dst, int32_t dst_dtype, const void *src, int32_t src_dtype);

} // namespace hm
