// Transforms of F(4x4, 3x3): see plane_transform.h and, along one axis, plane_sums.h.
#include "winograd/plane_transform.h"
#include "winograd/plane_sums.h"

namespace hm::conv {
namespace {

// One register of a position; narrow ones are padded with zeros.
template <bool Wide> HM_INLINE reg take(const float *p, int part, int width) {
  if (Wide) return load(p + part * lanes);
  float lane[16] = {};
  for (int i = 0; i < width; i++) lane[i] = p[i];
  return load(lane + part * lanes);
}

// The transform along h of one column of six rows.
template <bool Wide> HM_INLINE void column(const float *from, int64_t row, int part, int width, float *to) {
  reg x[6], v[6];
  HM_UNROLL for (int j = 0; j < 6; j++) x[j] = take<Wide>(from + j * row, part, width);
  input_sums(x, v);
  HM_UNROLL for (int b = 0; b < 6; b++) store(to + b * lanes, v[b]);
}

template <bool Wide> void input(const float *from, int64_t row, int width, int64_t tiles, const PlaneFrequencies &v) {
  constexpr int floats = 6 * lanes; // of a column
  alignas(64) float columns[8 * floats]; // columns 0..3 of a tile and 4, 5, which are 0 and 1 of the next, change halves
  for (int part = 0; part < parts; part++) {
    float *to = v.at + part * lanes;
    for (int i = 0; i < 2; i++) column<Wide>(from + i * width, row, part, width, columns + i * floats);
    for (int64_t t = 0; t < tiles; t++, to += v.tile_step) {
      float *here = columns + t % 2 * 4 * floats, *next = columns + (t + 1) % 2 * 4 * floats;
      const float *at = from + (4 * t + 2) * width;
      HM_UNROLL for (int i = 0; i < 4; i++)
        column<Wide>(at + i * width, row, part, width, i < 2 ? here + (i + 2) * floats : next + (i - 2) * floats);
      for (int b = 0; b < 6; b++) {
        reg x[6], f[6];
        HM_UNROLL for (int i = 0; i < 6; i++) x[i] = load((i < 4 ? here + i * floats : next + (i - 4) * floats) + b * lanes);
        input_sums(x, f);
        HM_UNROLL for (int c = 0; c < 6; c++) store(to + b * v.b_step + c * v.c_step, f[c]);
      }
    }
  }
}

} // namespace

void plane_input(const float *from, int64_t row, int width, int64_t tiles, const PlaneFrequencies &v) {
  (width == 16 ? input<true> : input<false>)(from, row, width, tiles, v);
}

void plane_output(const float *m, int64_t m_step, int64_t floats, float *const rows[4]) {
  for (int64_t i = 0; i < floats; i += lanes) {
    reg x[6], y[4];
    HM_UNROLL for (int b = 0; b < 6; b++) x[b] = load(m + b * m_step + i);
    output_sums(x, y);
    HM_UNROLL for (int j = 0; j < 4; j++) store(rows[j] + i, y[j]);
  }
}

void plane_output_grad(const float *const rows[4], int64_t tiles, const PlaneFrequencies &y) {
  alignas(64) float columns[4 * 6 * lanes];
  for (int part = 0; part < parts; part++) {
    float *to = y.at + part * lanes;
    for (int64_t t = 0; t < tiles; t++, to += y.tile_step) {
      for (int i = 0; i < 4; i++) {
        reg x[4], f[6];
        HM_UNROLL for (int j = 0; j < 4; j++) x[j] = load(rows[j] + (4 * t + i) * 16 + part * lanes);
        output_grad_sums(x, f);
        HM_UNROLL for (int b = 0; b < 6; b++) store(columns + (i * 6 + b) * lanes, f[b]);
      }
      for (int b = 0; b < 6; b++) {
        reg x[4], f[6];
        HM_UNROLL for (int i = 0; i < 4; i++) x[i] = load(columns + (i * 6 + b) * lanes);
        output_grad_sums(x, f);
        HM_UNROLL for (int c = 0; c < 6; c++) store(to + b * y.b_step + c * y.c_step, f[c]);
      }
    }
  }
}

} // namespace hm::conv
