// The transforms of Winograd convolutions (winograd.h) over a row of groups of 2x2x2 outputs ("tiles"), one frequency a along d
// at a time.
#pragma once
#include "winograd_micro.h"

namespace hm::conv {

// Input transform of `tiles` successive tiles of one block of input channels.
//   planes[i], i = 0..3: position 0 of the first row that the tiles read, in input plane i
//   row: floats between rows; width: floats between positions, 16 or less; then lanes up to 16 become zeros
// v[b*v_step + t*64 + c*16 + lane] for the frequencies b along h, c along w.
void winograd_input(int a, const float *const planes[4], int64_t row, int width, int64_t tiles, float *v, int64_t v_step);

// Output transform along h and d. m[b*m_step + p*16 + lane], p < 2 * tiles, holds frequency (a, b) at position p;
// rows[i][j] is output row j of plane i. Frequencies a come in rising order: 0 and 1 overwrite, the others add.
void winograd_output(int a, const float *m, int64_t m_step, int64_t tiles, float *const rows[2][2]);

} // namespace hm::conv
