// Inner kernels of the convolutions: see conv_micro.h.
// Registers: positions x blocks x parts sums, run x blocks x parts weights, one broadcast input. An output sums its terms in an
// order that does not depend on its position in a call: runs, channels, taps of the run.
#include "conv/conv_micro.h"
#include "conv/conv_vec.h"
#include <array>
#include <utility>

namespace hm::conv {
namespace {

#if defined(__AVX512F__)
constexpr int positions_of[2] = {24, 12}, longest_run = 3; // of 32 registers
#elif defined(__AVX2__)
constexpr int positions_of[2] = {6, 0}, longest_run = 1; // x 2 parts, of 16 registers
#else
constexpr int positions_of[2] = {3, 0}, longest_run = 1; // x 4 parts, of 16 registers; the weights come from memory
#endif

#if defined(__wasm__)
// Engines load weights into registers, too: so one at a time is held, and the inputs of all positions. One thread of an AMD EPYC in
// Node.js, sums of products alone: 24 GFLOP/s with the weights of all parts held, 28 so.
constexpr bool holds_inputs = true;
#else
constexpr bool holds_inputs = false;
#endif

template <int Positions, int Blocks, int Run, bool Planar> void micro(const MicroCall &call, const float *in, float *out) {
  constexpr int regs = Blocks * parts, step = Planar ? 1 : 16, unroll = Planar ? 1 : Run == 1 ? 4 : 2;
  reg sum[Positions][regs];
  HM_UNROLL for (int t = 0; t < Positions; t++) {
    HM_UNROLL for (int p = 0; p < regs; p++)
      sum[t][p] = call.first ? reg{} : load(out + t * call.out_step + p / parts * call.out_block + p % parts * lanes);
  }
  const float *weight = call.weight;
  for (int64_t i = 0; i < call.n_runs; i++) {
    const float *x = in + call.runs[i];
    for (int64_t c = 0; c < call.channels; c += unroll) {
      HM_UNROLL for (int u = 0; u < unroll; u++) {
        if constexpr (holds_inputs) {
          static_assert(!holds_inputs || longest_run == 1);
          reg b[Positions];
          HM_UNROLL for (int t = 0; t < Positions; t++) b[t] = broadcast(x[t * step + u]);
          HM_UNROLL for (int p = 0; p < regs; p++) {
            reg w = load(weight + p * lanes);
            HM_UNROLL for (int t = 0; t < Positions; t++) sum[t][p] += w * b[t];
          }
        } else {
          reg w[Run][regs];
          HM_UNROLL for (int r = 0; r < Run; r++) {
            HM_UNROLL for (int p = 0; p < regs; p++) w[r][p] = load(weight + (r * regs + p) * lanes);
          }
          HM_UNROLL for (int at = 0; at < Positions + Run - 1; at++) {
            reg b = broadcast(x[at * step + u]);
            HM_UNROLL for (int r = 0; r < Run; r++) {
              if (at - r < 0 || at - r >= Positions) continue;
              HM_UNROLL for (int p = 0; p < regs; p++) sum[at - r][p] += w[r][p] * b;
            }
          }
        }
        weight += Run * regs * lanes;
      }
      x += Planar ? call.channel_step : unroll;
    }
  }
  HM_UNROLL for (int t = 0; t < Positions; t++) {
    HM_UNROLL for (int p = 0; p < regs; p++)
      store(out + t * call.out_step + p / parts * call.out_block + p % parts * lanes, sum[t][p]);
  }
}

// [run][positions], 1 the lowest of both.
template <int Blocks, bool Planar, size_t... I> constexpr auto table_of(std::index_sequence<I...>) {
  constexpr int n = positions_of[Blocks - 1];
  return std::array<Micro, sizeof...(I)>{micro<int(I) % n + 1, Blocks, int(I) / n + 1, Planar>...};
}

constexpr auto blocked1 = table_of<1, false>(std::make_index_sequence<positions_of[0] * longest_run>{});
constexpr auto planar1 = table_of<1, true>(std::make_index_sequence<positions_of[0] * longest_run>{});
#if defined(__AVX512F__)
constexpr auto blocked2 = table_of<2, false>(std::make_index_sequence<positions_of[1] * longest_run>{});
constexpr auto planar2 = table_of<2, true>(std::make_index_sequence<positions_of[1] * longest_run>{});
#endif

} // namespace

int micro_run() { return longest_run; }
int micro_positions(int blocks) { return positions_of[blocks - 1]; }

Micro micro_kernel(int positions, int blocks, int run, bool planar) {
  size_t i = size_t((run - 1) * positions_of[blocks - 1] + positions - 1);
#if defined(__AVX512F__)
  if (blocks == 2) return planar ? planar2[i] : blocked2[i];
#endif
  return planar ? planar1[i] : blocked1[i];
}

} // namespace hm::conv
