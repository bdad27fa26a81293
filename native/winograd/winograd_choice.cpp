// Which convolutions are computed by Winograd's filtering: see winograd.h and plane.h.
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
// So it pays on every instruction set from 16 channels on. Fewer take transforms of vectors of 16 all the same. In small volumes
// transforming and reading the weights (64 floats where a kernel has 27) is the work: with two threads 320->320 at 8^3 ran at 264
// instead of 330.
#include "winograd/plane.h"
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

bool fits(const Axis axis[3], int64_t depth) { return fits(axis[0], depth) && fits(axis[1], 3) && fits(axis[2], 3); }

} // namespace

bool wants_winograd(int32_t algorithm, const Axis axis[3], int64_t in_channels, const hm_view &out_box) {
  if (algorithm == HM_CONV_DIRECT || !fits(axis, 3)) return false;
  if (algorithm == HM_CONV_WINOGRAD) return true;
  return pays(in_channels, out_box.global);
}

bool wants_winograd_grad(int32_t algorithm, const Axis axis[3], const int64_t cell[3], int64_t in_channels, const hm_view &box) {
  if (algorithm == HM_CONV_DIRECT || !fits(axis, 3)) return false;
  if (cell[0] % 2 || cell[1] % 2 || cell[2] % 2) return false;
  if (algorithm == HM_CONV_WINOGRAD) return true;
  return pays(in_channels, box.global);
}

bool wants_plane(int32_t algorithm, const Axis axis[3], int64_t in_channels, const hm_view &out_box) {
  if (algorithm == HM_CONV_DIRECT || !fits(axis, 1)) return false;
  return algorithm == HM_CONV_WINOGRAD || pays(in_channels, out_box.global);
}

bool wants_plane_grad(int32_t algorithm, const Axis axis[3], const int64_t cell[3], int64_t in_channels, const hm_view &box) {
  if (cell[1] % 4 || cell[2] % 4) return false;
  return wants_plane(algorithm, axis, in_channels, box);
}

} // namespace hm::conv
