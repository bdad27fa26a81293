// The inner kernel of weight gradients, a sum of outer products held in registers:
//   total[v][s][16] += sum over rows y, positions x of
//                    vec[vec_at[v] + y*vec_row + x*16 + (0..15)] * scal[scal_at[s] + y*scal_row + x*scal_step]
// The sum is taken in float32 registers and joins `total` in float64.
#pragma once
#include <cstdint>

namespace hm::conv {

struct GradCall {
  const float *vec, *scal;
  const int64_t *vec_at, *scal_at;
  int64_t vec_row, scal_row, scal_step, rows, count;
  double *total;
  int64_t total_v, total_s; // doubles between vectors, between scalars
};

using GradMicro = void (*)(const GradCall &call);

int grad_vectors();            // most vectors of one call
int grad_scalars(int vectors); // and then scalars
// contiguous: scal_at[s] = scal_at[0] + s.
GradMicro grad_micro_kernel(int vectors, int scalars, bool contiguous);

} // namespace hm::conv
