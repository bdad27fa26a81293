// Which convolutions are computed by Winograd's filtering: see winograd.h.
//
// Measured, one thread of a 2-core AVX-512 machine (peak 248 GFLOP/s; 125 with AVX2, 63 baseline), GFLOP/s of direct sums ->
// Winograd, in operations of the direct sum:
//                              forward      input gradient  weight gradient
//   16->16 at 128^3, AVX-512   198 -> 286   208 -> 308      175 -> 248
//   48->16 at 128^3, AVX-512                                174 -> 258
//   64->64 at 32^3, AVX-512    144 -> 356   211 -> 361      185 -> 311
//   128->128 at 16^3, AVX-512  136 -> 290   136 -> 302      165 -> 213
//   320->320 at 8^3, AVX-512    86 ->  91   108 -> 115      103 -> 112
//   16->16 at 32^3, AVX2        79 -> 160    93 -> 235       82 -> 145
//   64->64 at 32^3, AVX2       105 -> 283   105 -> 305       90 -> 176
//   128->128 at 16^3, AVX2     101 -> 307    96 -> 271       76 ->  99
//   16->16 at 32^3, baseline    39 ->  94    40 ->  84       40 ->  59
//   64->64 at 32^3, baseline    43 -> 130    43 -> 134       42 ->  97
// Of pictures, 1x3x3, AVX2 with other work on the same cores (so the ratio counts): 16->16 at 1024^2 37 -> 53, 50 -> 85, 50 -> 59;
// 32->32 at 768^2 55 -> 80, 51 -> 67, 39 -> 55; 64->64 at 512^2 28 -> 47, 31 -> 43, 30 -> 45.
// So it pays on every instruction set from 16 channels on. Fewer take transforms of vectors of 16 all the same. In small volumes
// transforming and reading the weights (64 floats where a kernel has 27) is the work: with two threads 320->320 at 8^3 ran at 264
// instead of 330.
#include "winograd/winograd.h"

namespace hm::conv {
namespace {

// So many taps that read successive inputs, one output a step.
bool fits(const Axis &axis, int64_t taps) {
  return axis.in_step == 1 && axis.out_step == 1 && int64_t(axis.classes[0].size()) == taps && axis.span() == taps;
}

constexpr int64_t least_channels = 16, least_positions = 4096;

bool pays(int64_t in_channels, const int64_t out[5]) {
  return in_channels >= least_channels && out[HM_C] >= least_channels && out[HM_D] * out[HM_H] * out[HM_W] >= least_positions;
}

bool fits(const Axis axis[3]) { return fits(axis[1], 3) && fits(axis[2], 3) && (fits(axis[0], 3) || fits(axis[0], 1)); }

// Kernels of 1 along d are filtered so in pictures alone: in volumes their sums stay those of all taps.
bool picture(const Axis axis[3], const int64_t out[5]) { return axis[0].span() == 3 || out[HM_D] == 1; }

} // namespace

bool wants_winograd(int32_t algorithm, const Axis axis[3], int64_t in_channels, const hm_view &out_box) {
  if (algorithm == HM_CONV_DIRECT || !fits(axis)) return false;
  if (algorithm == HM_CONV_WINOGRAD) return true;
  return picture(axis, out_box.global) && pays(in_channels, out_box.global);
}

bool wants_winograd_grad(int32_t algorithm, const Axis axis[3], const int64_t cell[3], int64_t in_channels, const hm_view &box) {
  if (algorithm == HM_CONV_DIRECT || !fits(axis)) return false;
  if ((axis[0].span() == 3 && cell[0] % 2) || cell[1] % 2 || cell[2] % 2) return false;
  if (algorithm == HM_CONV_WINOGRAD) return true;
  return picture(axis, box.global) && pays(in_channels, box.global);
}

} // namespace hm::conv
