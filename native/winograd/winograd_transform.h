// The transforms of Winograd convolutions (winograd.h) over a row of groups of 2x2x2 outputs ("tiles"), one frequency a along d
// at a time.
#pragma once
#include <cstdint>

namespace hm::conv {

// Where the frequencies of tiles lie, in floats: b*b_step + c*c_step + t*tile_step + lane.
struct Frequencies {
  float *at;
  int64_t b_step, c_step, tile_step;
};

// Input transform of `tiles` successive tiles of one block of input channels.
//   planes[i], i = 0..3: position 0 of the first row that the tiles read, in input plane i
//   row: floats between rows; width: floats between positions, 16 or less; then lanes up to 16 become zeros
void winograd_input(int a, const float *const planes[4], int64_t row, int width, int64_t tiles, const Frequencies &v);

// Output transform along h and d. m[b*m_step + p*16 + lane], p < 2 * tiles, holds frequency (a, b) at position p;
// rows[i][j] is output row j of plane i. Frequencies a come in rising order: 0 and 1 overwrite, the others add.
void winograd_output(int a, const float *m, int64_t m_step, int64_t tiles, float *const rows[2][2]);

// The transpose of the output transform, of a gradient of outputs: along one axis (y0, y0 + y1, y0 - y1, -y1).
// rows[i][j]: row j of plane i, 16 channels a position.
void winograd_output_grad(int a, const float *const rows[2][2], int64_t tiles, const Frequencies &y);

} // namespace hm::conv
