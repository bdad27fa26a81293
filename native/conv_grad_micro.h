// The inner kernel of weight gradients, a sum of outer products held in registers:
//   sum[v][s][16] += sum over rows y, positions x of
//                    vec[vec_at[v] + y*vec_row + x*16 + (0..15)] * scal[scal_at[s] + y*scal_row + x*scal_step]
#pragma once
#include <cstdint>

namespace hm::conv {

struct GradCall {
  const float *vec, *scal;
  const int64_t *vec_at, *scal_at;
  int64_t vec_row, scal_row, scal_step, rows, count;
  float *sum;
  int64_t sum_v, sum_s; // floats between vectors, between scalars
};

using GradMicro = void (*)(const GradCall &call);

int grad_vectors(); // most vectors and scalars of one call
int grad_scalars();
// contiguous: scal_at[s] = scal_at[0] + s.
GradMicro grad_micro_kernel(int vectors, int scalars, bool contiguous);

} // namespace hm::conv
