// Which convolutions are computed by Winograd's filtering: see winograd.h.
#include "winograd.h"

namespace hm::conv {
namespace {

// Three taps that read successive inputs, one output a step.
bool fits(const Axis &axis) {
  return axis.in_step == 1 && axis.out_step == 1 && axis.classes[0].size() == 3 && axis.span() == 3;
}

bool fits(const Axis axis[3]) { return fits(axis[0]) && fits(axis[1]) && fits(axis[2]); }

} // namespace

bool wants_winograd(int32_t algorithm, const Axis axis[3], int64_t in_channels, const hm_view &out_box) {
  if (algorithm == HM_CONV_DIRECT || !fits(axis)) return false;
  if (algorithm == HM_CONV_WINOGRAD) return true;
  return in_channels >= 16 && out_box.global[HM_C] >= 16;
}

bool wants_winograd_grad(int32_t algorithm, const Axis axis[3], const int64_t cell[3], int64_t in_channels, const hm_view &box) {
  if (algorithm == HM_CONV_DIRECT || !fits(axis)) return false;
  if (cell[0] % 2 || cell[1] % 2 || cell[2] % 2) return false;
  if (algorithm == HM_CONV_WINOGRAD) return true;
  return in_channels >= 16 && box.global[HM_C] >= 16;
}

} // namespace hm::conv
