// Transforms of Winograd convolutions: see winograd_transform.h. Sums and differences only, each in one order: nothing that a
// compiler could contract, so a tile has the same bits wherever a row of tiles begins.
#include "winograd/winograd_transform.h"
#include "conv/conv_vec.h"

namespace hm::conv {
namespace {

// One register of a position; narrow ones are padded with zeros.
template <bool Wide> HM_INLINE reg take(const float *p, int part, int width) {
  if (Wide) return load(p + part * lanes);
  float lane[16] = {};
  for (int i = 0; i < width; i++) lane[i] = p[i];
  return load(lane + part * lanes);
}

// Frequencies b = 0..3 of a column: rows 0..3 of planes p and q, whose sum or difference is the transform along d.
template <bool Add, bool Wide> struct Column {
  reg f[4];
  HM_INLINE void set(const float *p, const float *q, int64_t row, int part, int width) {
    reg e[4];
    HM_UNROLL for (int j = 0; j < 4; j++) {
      reg x = take<Wide>(p + j * row, part, width), y = take<Wide>(q + j * row, part, width);
      e[j] = Add ? x + y : x - y;
    }
    f[0] = e[0] - e[2];
    f[1] = e[1] + e[2];
    f[2] = e[2] - e[1];
    f[3] = e[1] - e[3];
  }
};

template <bool Add, bool Wide>
void transform(const float *p, const float *q, int64_t row, int width, int64_t tiles, const Frequencies &v) {
  const int64_t c_step = v.c_step;
  for (int part = 0; part < parts; part++) {
    Column<Add, Wide> x0, x1, x2, x3;
    x0.set(p, q, row, part, width);
    x1.set(p + width, q + width, row, part, width);
    float *to = v.at + part * lanes;
    for (int64_t t = 0; t < tiles; t++, to += v.tile_step) {
      int64_t at = (2 * t + 2) * width;
      x2.set(p + at, q + at, row, part, width);
      x3.set(p + at + width, q + at + width, row, part, width);
      HM_UNROLL for (int b = 0; b < 4; b++) {
        float *out = to + b * v.b_step;
        store(out, x0.f[b] - x2.f[b]);
        store(out + c_step, x1.f[b] + x2.f[b]);
        store(out + 2 * c_step, x2.f[b] - x1.f[b]);
        store(out + 3 * c_step, x1.f[b] - x3.f[b]);
        x0.f[b] = x2.f[b];
        x1.f[b] = x3.f[b];
      }
    }
  }
}


template <int A> HM_INLINE void join(float *y0, float *y1, reg z) {
  if constexpr (A == 0) store(y0, z);
  if constexpr (A == 1) store(y0, load(y0) + z), store(y1, z);
  if constexpr (A == 2) store(y0, load(y0) + z), store(y1, load(y1) - z);
  if constexpr (A == 3) store(y1, load(y1) - z);
}

template <int A> void output(const float *m, int64_t m_step, int64_t tiles, float *const rows[2][2]) {
  for (int64_t i = 0; i < tiles * 32; i += lanes) {
    reg m0 = load(m + i), m1 = load(m + m_step + i), m2 = load(m + 2 * m_step + i), m3 = load(m + 3 * m_step + i);
    join<A>(rows[0][0] + i, rows[1][0] + i, m0 + m1 + m2);
    join<A>(rows[0][1] + i, rows[1][1] + i, m1 - m2 - m3);
  }
}

// y0, y0 + y1, y0 - y1, -y1.
HM_INLINE void spread(reg y0, reg y1, reg (&f)[4]) {
  f[0] = y0;
  f[1] = y0 + y1;
  f[2] = y0 - y1;
  f[3] = -y1;
}

template <int A> HM_INLINE reg along_d(const float *y0, const float *y1) {
  if constexpr (A == 0) return load(y0);
  if constexpr (A == 1) return load(y0) + load(y1);
  if constexpr (A == 2) return load(y0) - load(y1);
  return -load(y1);
}

template <int A> void output_grad(const float *const rows[2][2], int64_t tiles, const Frequencies &y) {
  for (int part = 0; part < parts; part++) {
    float *to = y.at + part * lanes;
    for (int64_t t = 0; t < tiles; t++, to += y.tile_step) {
      int64_t at = t * 32 + part * lanes;
      reg left[4], right[4]; // frequencies b of positions 0 and 1
      spread(along_d<A>(rows[0][0] + at, rows[1][0] + at), along_d<A>(rows[0][1] + at, rows[1][1] + at), left);
      at += 16;
      spread(along_d<A>(rows[0][0] + at, rows[1][0] + at), along_d<A>(rows[0][1] + at, rows[1][1] + at), right);
      HM_UNROLL for (int b = 0; b < 4; b++) {
        reg f[4];
        spread(left[b], right[b], f);
        HM_UNROLL for (int c = 0; c < 4; c++) store(to + b * y.b_step + c * y.c_step, f[c]);
      }
    }
  }
}

} // namespace

void winograd_output_grad(int a, const float *const rows[2][2], int64_t tiles, const Frequencies &y) {
  const decltype(&output_grad<0>) of[4] = {output_grad<0>, output_grad<1>, output_grad<2>, output_grad<3>};
  of[a](rows, tiles, y);
}

void winograd_input(int a, const float *const planes[4], int64_t row, int width, int64_t tiles, const Frequencies &v) {
  const int first[4] = {0, 1, 2, 1}, second[4] = {2, 2, 1, 3};
  const float *p = planes[first[a]], *q = planes[second[a]];
  auto of = a == 1 ? (width == 16 ? transform<true, true> : transform<true, false>)
                   : (width == 16 ? transform<false, true> : transform<false, false>);
  of(p, q, row, width, tiles, v);
}

void winograd_output(int a, const float *m, int64_t m_step, int64_t tiles, float *const rows[2][2]) {
  const decltype(&output<0>) of[4] = {output<0>, output<1>, output<2>, output<3>};
  of[a](m, m_step, tiles, rows);
}

} // namespace hm::conv
