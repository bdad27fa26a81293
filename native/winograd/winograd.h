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
// The gradient of the weights is the transpose, F(3x3x3, 2x2x2): with the gradients y0, y1 of a pair of outputs, the sums over all
// pairs of (y0, y0 + y1, y0 - y1, -y1) * V take 4 products where 6 taps and outputs meet. The transpose of the weight transform
// takes the 64 sums to 27.
//
// Groups of 2x2x2 outputs lie at even global coordinates. y0 never uses x3 and y1 never uses x0, so an output of a group that
// lies half in another rank's box has the same bits there and here, though neither rank stores all that the group reads.
#pragma once
#include "conv/conv_input.h"
#include "conv/conv_job.h"
#include <memory>

namespace hm::conv {

// Whether a convolution of `in_channels` (global) is to be computed so. It depends on the layer alone, never on a rank's box.
bool wants_winograd(int32_t algorithm, const Axis axis[3], int64_t in_channels, const hm_view &out_box);

// Arguments are checked, `axis` fits, and out_box is not empty.
std::unique_ptr<ConvJob> winograd_job(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &weight,
                                      const hm_view &out_box, const hm_program &epilogue);

// The same for the gradient of the weights. Pairs of outputs must not be cut, so cells (see hm_conv_weight_grad) must be even.
bool wants_winograd_grad(int32_t algorithm, const Axis axis[3], const int64_t cell[3], int64_t in_channels, const hm_view &box);

void run_winograd_grad(const Axis axis[3], const std::vector<Block> &x, const std::vector<Block> &dy, const hm_view &box,
                       const int64_t cell[3], const hm_view &dweight);

} // namespace hm::conv
