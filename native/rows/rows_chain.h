// The commonest prologues, in one pass over the row.
#pragma once
#include "rows/rows.h"

namespace hm {

// Evaluates `p` at `row` if it is a chain
//   load x, times a vector or scalar, plus one, rounded to bfloat16, leaky ReLU       (or fma for the first two; each may lack)
// over rows that lie in memory as they are delivered. Otherwise returns false and writes nothing.
bool load_chain(const hm_program &p, const Row &row, float *out);

} // namespace hm
