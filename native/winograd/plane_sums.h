// The transforms of F(4, 3) along one axis, in registers. Factors are powers of two, so their products are exact: the bits are the
// same whether or not a compiler contracts them with the sums, and wherever a tile lies in a row.
#pragma once
#include "conv/conv_vec.h"

namespace hm::conv {

// Of inputs x0..x5:
//   4 x0 - 5 x2 + x4, x4 - 4 x2 + (x3 - 4 x1), x4 - 4 x2 - (x3 - 4 x1), x4 - x2 + 2 (x3 - x1), x4 - x2 - 2 (x3 - x1), 4 x1 - 5 x3 + x5
HM_INLINE void input_sums(const reg (&x)[6], reg (&v)[6]) {
  reg even = x[4] - 4 * x[2], odd = x[3] - 4 * x[1], near = x[4] - x[2], far = x[3] - x[1];
  v[0] = near + 4 * (x[0] - x[2]);
  v[1] = even + odd;
  v[2] = even - odd;
  v[3] = near + 2 * far;
  v[4] = near - 2 * far;
  v[5] = (x[5] - x[3]) - 4 * far;
}

// Of products m0..m5 the four outputs:
//   m0 + m1 + m2 + m3 + m4, m1 - m2 + 2 (m3 - m4), m1 + m2 + 4 (m3 + m4), m1 - m2 + 8 (m3 - m4) + m5
HM_INLINE void output_sums(const reg (&m)[6], reg (&y)[4]) {
  reg ones = m[1] + m[2], ones_apart = m[1] - m[2], twos = m[3] + m[4], twos_apart = m[3] - m[4];
  y[0] = m[0] + ones + twos;
  y[1] = ones_apart + 2 * twos_apart;
  y[2] = ones + 4 * twos;
  y[3] = ones_apart + 8 * twos_apart + m[5];
}

// The transpose of output_sums, of the gradients y0..y3 of four outputs.
HM_INLINE void output_grad_sums(const reg (&y)[4], reg (&f)[6]) {
  reg even = y[0] + y[2], odd = y[1] + y[3], even4 = y[0] + 4 * y[2], odd4 = y[1] + 4 * y[3];
  f[0] = y[0];
  f[1] = even + odd;
  f[2] = even - odd;
  f[3] = even4 + 2 * odd4;
  f[4] = even4 - 2 * odd4;
  f[5] = y[3];
}

} // namespace hm::conv
