// Convolution by Winograd's minimal filtering F(2x2x2, 3x3x3): Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural
// Networks", arXiv:1509.09308. For 3x3x3 kernels of stride 1 and dilation 1, forward and transposed.
//
// Along one axis two outputs take 4 products where the direct sum takes 6. With inputs x0..x3, taps g0..g2:
//   V = (x0 - x2, x1 + x2, x2 - x1, x1 - x3)                         input transform
//   U = (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2)             weight transform
//   M = U * V, summed over input channels
//   y0 = M0 + M1 + M2,  y1 = M1 - M2 - M3                            output transform
// In three dimensions each transform is applied along d, h and w in turn: 64 products give 8 outputs that take 216 directly.
// A product is named by its frequencies (a, b, c) along d, h, w, each 0..3.
//
// Groups of 2x2x2 outputs lie at even global coordinates. y0 never uses x3 and y1 never uses x0, so an output of a group that
// lies half in another rank's box has the same bits there and here, though neither rank stores all that the group reads.
#pragma once
#include "conv_axis.h"

namespace hm::conv {

// Whether a convolution of `in_channels` (global) is to be computed so. It depends on the layer alone, never on a rank's box.
bool wants_winograd(int32_t algorithm, const Axis axis[3], int64_t in_channels, const hm_view &out_box);

// Arguments are checked, `axis` fits, and out_box is not empty.
void run_winograd(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &weight, const hm_view &out_box,
                  const hm_program &epilogue);

} // namespace hm::conv
