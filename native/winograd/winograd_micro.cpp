// Inner kernels of Winograd convolutions: see winograd_micro.h. Registers: tiles x frequencies x blocks x parts sums. A sum's
// order does not depend on the tile's place in a call.
#include "winograd/winograd_micro.h"
#include "conv/conv_vec.h"
#include <array>
#include <utility>

namespace hm::conv {
namespace {

#if defined(__AVX512F__)
constexpr int tiles_of[2] = {6, 3}, together = 4; // of 32 registers
#elif defined(__AVX2__)
constexpr int tiles_of[2] = {6, 0}, together = 1; // x 2 parts, of 16 registers
#elif defined(__wasm__)
// Engines load weights into registers, too, and keep one for themselves: 8 sums, 4 weights and a tile are what 16 of them hold. One thread
// of an AMD EPYC in Node.js, sums of products alone: 3 tiles 23 GFLOP/s, 2 tiles 33.
constexpr int tiles_of[2] = {2, 0}, together = 1; // x 4 parts
#else
constexpr int tiles_of[2] = {3, 0}, together = 1; // x 4 parts, of 16 registers; the weights come from memory
#endif

template <int Tiles, int Blocks> HM_INLINE void sum_up(reg (&sum)[Tiles][together][Blocks * parts], const WinogradCall &call,
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
          reg b = broadcast(x[t * 64 + c * 16]);
          HM_UNROLL for (int r = 0; r < regs; r++) sum[t][c][r] += w[r] * b;
        }
      }
    }
  }
}

template <int Tiles, int Blocks> void micro(const WinogradCall &call, const float *v, const float *weight, float *out) {
  constexpr int regs = Blocks * parts;
  reg m[Tiles][together][regs];
  auto at = [&](int t, int r) { return out + r / parts * call.out_block + t * 32 + r % parts * lanes; };
  if constexpr (together == 4) {
    sum_up<Tiles, Blocks>(m, call, v, weight);
    HM_UNROLL for (int t = 0; t < Tiles; t++) {
      HM_UNROLL for (int r = 0; r < regs; r++) {
        store(at(t, r), m[t][0][r] + m[t][1][r] + m[t][2][r]);
        store(at(t, r) + 16, m[t][1][r] - m[t][2][r] - m[t][3][r]);
      }
    }
  } else {
    for (int c = 0; c < 4; c++) {
      sum_up<Tiles, Blocks>(m, call, v + c * 16, weight + c * call.frequency);
      HM_UNROLL for (int t = 0; t < Tiles; t++) {
        HM_UNROLL for (int r = 0; r < regs; r++) {
          float *y0 = at(t, r), *y1 = y0 + 16;
          reg x = m[t][0][r];
          if (c < 3) store(y0, c == 0 ? x : load(y0) + x);
          if (c > 0) store(y1, c == 1 ? x : load(y1) - x);
        }
      }
    }
  }
}

template <int Blocks, size_t... I> constexpr auto table_of(std::index_sequence<I...>) {
  return std::array<WinogradMicro, sizeof...(I)>{micro<int(I) + 1, Blocks>...};
}

constexpr auto one_block = table_of<1>(std::make_index_sequence<tiles_of[0]>{});
#if defined(__AVX512F__)
constexpr auto two_blocks = table_of<2>(std::make_index_sequence<tiles_of[1]>{});
#endif

} // namespace

int winograd_frequencies() { return together; }
int winograd_tiles(int blocks) { return tiles_of[blocks - 1]; }

WinogradMicro winograd_micro(int tiles, [[maybe_unused]] int blocks) {
#if defined(__AVX512F__)
  if (blocks == 2) return two_blocks[size_t(tiles - 1)];
#endif
  return one_block[size_t(tiles - 1)];
}

} // namespace hm::conv
