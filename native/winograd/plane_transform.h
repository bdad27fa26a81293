// The transforms of F(4x4, 3x3) (plane.h) over a row of tiles of 4x4 outputs, frequencies (b, c) along h and w, each 0..5.
#pragma once
#include <cstdint>

namespace hm::conv {

constexpr int plane_tile = 4;        // outputs along h and w that are computed together
constexpr int plane_frequencies = 6; // along h and along w

// Where the frequencies of tiles lie, in floats: b*b_step + c*c_step + t*tile_step + lane.
struct PlaneFrequencies {
  float *at;
  int64_t b_step, c_step, tile_step;
};

// Input transform of `tiles` successive tiles of one block of input channels.
//   from: position 0 of the first of the six rows that the tiles read; row: floats between rows
//   width: floats between positions, 16 or less; then lanes up to 16 become zeros
void plane_input(const float *from, int64_t row, int width, int64_t tiles, const PlaneFrequencies &v);

// Output transform along h. m[b*m_step + i], i < floats, holds frequency b; rows[j] takes output row j.
void plane_output(const float *m, int64_t m_step, int64_t floats, float *const rows[4]);

// The transpose of the output transform, of a gradient of outputs: four rows, 16 channels a position.
void plane_output_grad(const float *const rows[4], int64_t tiles, const PlaneFrequencies &y);

} // namespace hm::conv
