// Inner kernels of F(4x4, 3x3): see plane_micro.h. Registers: tiles x frequencies x blocks x parts sums. A sum's order does not depend
// on the tile's place in a call.
#include "winograd/plane_micro.h"
#include "winograd/plane_sums.h"
#include <array>
#include <utility>

namespace hm::conv {
namespace {

#if defined(__AVX512F__)
constexpr int tiles_of[2] = {4, 2}, together = 6; // of 32 registers
#elif defined(__AVX2__)
constexpr int tiles_of[2] = {6, 0}, together = 1; // x 2 parts, of 16 registers
#else
constexpr int tiles_of[2] = {3, 0}, together = 1; // x 4 parts, of 16 registers; the weights come from memory
#endif

template <int Tiles, int Blocks> HM_INLINE void sum_up(reg (&sum)[Tiles][together][Blocks * parts], const PlaneCall &call,
                                                       const float *v, const float *weight) {
  constexpr int regs = Blocks * parts;
  HM_UNROLL for (int t = 0; t < Tiles; t++) {
    HM_UNROLL for (int c = 0; c < together; c++) {
      HM_UNROLL for (int r = 0; r < regs; r++) sum[t][c][r] = reg{};
    }
  }
  for (int64_t i = 0; i < call.n_blocks; i++) {
    const float *x = v + i * call.v_block;
    for (int k = 0; k < call.channels[i]; k++, x++, weight += together * regs * lanes) {
      HM_UNROLL for (int c = 0; c < together; c++) {
        reg w[regs];
        HM_UNROLL for (int r = 0; r < regs; r++) w[r] = load(weight + (c * regs + r) * lanes);
        HM_UNROLL for (int t = 0; t < Tiles; t++) {
          reg b = broadcast(x[t * 96 + c * 16]);
          HM_UNROLL for (int r = 0; r < regs; r++) sum[t][c][r] += w[r] * b;
        }
      }
    }
  }
}

template <int Tiles, int Blocks> void micro(const PlaneCall &call, const float *v, const float *weight, float *out) {
  constexpr int regs = Blocks * parts;
  auto put = [&](int t, int r, const reg (&m)[6]) {
    reg y[4];
    output_sums(m, y);
    float *to = out + r / parts * call.out_block + t * 64 + r % parts * lanes;
    HM_UNROLL for (int j = 0; j < 4; j++) store(to + j * 16, y[j]);
  };
  reg sum[Tiles][together][regs];
  if constexpr (together == 6) {
    sum_up<Tiles, Blocks>(sum, call, v, weight);
    HM_UNROLL for (int t = 0; t < Tiles; t++) {
      HM_UNROLL for (int r = 0; r < regs; r++) {
        reg m[6];
        HM_UNROLL for (int c = 0; c < 6; c++) m[c] = sum[t][c][r];
        put(t, r, m);
      }
    }
  } else {
    alignas(64) float kept[6 * Tiles * regs * lanes];
    for (int c = 0; c < 6; c++) {
      sum_up<Tiles, Blocks>(sum, call, v + c * 16, weight + c * call.frequency);
      HM_UNROLL for (int t = 0; t < Tiles; t++) {
        HM_UNROLL for (int r = 0; r < regs; r++) store(kept + ((c * Tiles + t) * regs + r) * lanes, sum[t][0][r]);
      }
    }
    for (int t = 0; t < Tiles; t++)
      for (int r = 0; r < regs; r++) {
        reg m[6];
        HM_UNROLL for (int c = 0; c < 6; c++) m[c] = load(kept + ((c * Tiles + t) * regs + r) * lanes);
        put(t, r, m);
      }
  }
}

template <int Blocks, size_t... I> constexpr auto table_of(std::index_sequence<I...>) {
  return std::array<PlaneMicro, sizeof...(I)>{micro<int(I) + 1, Blocks>...};
}

constexpr auto one_block = table_of<1>(std::make_index_sequence<tiles_of[0]>{});
#if defined(__AVX512F__)
constexpr auto two_blocks = table_of<2>(std::make_index_sequence<tiles_of[1]>{});
#endif

} // namespace

int plane_together() { return together; }
int plane_tiles(int blocks) { return tiles_of[blocks - 1]; }

PlaneMicro plane_micro(int tiles, [[maybe_unused]] int blocks) {
#if defined(__AVX512F__)
  if (blocks == 2) return two_blocks[size_t(tiles - 1)];
#endif
  return one_block[size_t(tiles - 1)];
}

} // namespace hm::conv
