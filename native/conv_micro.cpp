// Inner kernels of the convolutions: see conv_micro.h.
// Register budget: `positions x blocks x parts` accumulators, one or two weight registers and one broadcast input.
#include "conv_micro.h"
#include "conv_vec.h"
#include <array>
#include <utility>

namespace hm::conv {
namespace {

#if defined(__AVX512F__)
constexpr int positions_of[2] = {24, 12}; // of 32 registers
#elif defined(__AVX2__)
constexpr int positions_of[2] = {6, 0}; // x 2 parts, of 16 registers
#else
constexpr int positions_of[2] = {3, 0}; // x 4 parts, of 16 registers; the weights come from memory
#endif

template <int Positions, int Blocks, bool Planar> void micro(const MicroCall &call, const float *in, float *out) {
  constexpr int regs = Blocks * parts, step = Planar ? 1 : 16, unroll = Planar ? 1 : 4;
  reg sum[Positions][regs];
  HM_UNROLL for (int t = 0; t < Positions; t++) {
    HM_UNROLL for (int p = 0; p < regs; p++)
      sum[t][p] = call.first ? reg{} : load(out + t * call.out_step + p / parts * call.out_block + p % parts * lanes);
  }
  const float *weight = call.weight;
  for (int64_t i = 0; i < call.n_taps; i++) {
    const float *x = in + call.taps[i];
    for (int64_t c = 0; c < call.channels; c += unroll) {
      HM_UNROLL for (int u = 0; u < unroll; u++) {
        reg w[regs];
        HM_UNROLL for (int p = 0; p < regs; p++) w[p] = load(weight + p * lanes);
        HM_UNROLL for (int t = 0; t < Positions; t++) {
          reg b = broadcast(x[t * step + u]);
          HM_UNROLL for (int p = 0; p < regs; p++) sum[t][p] += w[p] * b;
        }
        weight += regs * lanes;
      }
      x += Planar ? call.channel_step : unroll;
    }
  }
  HM_UNROLL for (int t = 0; t < Positions; t++) {
    HM_UNROLL for (int p = 0; p < regs; p++)
      store(out + t * call.out_step + p / parts * call.out_block + p % parts * lanes, sum[t][p]);
  }
}

template <int Blocks, bool Planar, size_t... I> constexpr auto table_of(std::index_sequence<I...>) {
  return std::array<Micro, sizeof...(I)>{micro<int(I) + 1, Blocks, Planar>...};
}

constexpr auto blocked1 = table_of<1, false>(std::make_index_sequence<positions_of[0]>{});
constexpr auto planar1 = table_of<1, true>(std::make_index_sequence<positions_of[0]>{});
#if defined(__AVX512F__)
constexpr auto blocked2 = table_of<2, false>(std::make_index_sequence<positions_of[1]>{});
constexpr auto planar2 = table_of<2, true>(std::make_index_sequence<positions_of[1]>{});
#endif

} // namespace

int micro_positions(int blocks) { return positions_of[blocks - 1]; }

Micro micro_kernel(int positions, int blocks, bool planar) {
  size_t i = size_t(positions - 1);
#if defined(__AVX512F__)
  if (blocks == 2) return planar ? planar2[i] : blocked2[i];
#endif
  (void)blocks;
  return planar ? planar1[i] : blocked1[i];
}

} // namespace hm::conv
