// Convolution with kernels of 1x3x3, stride 1 and dilation 1, forward and transposed, by F(4x4, 3x3): Lavin & Gray 2016, "Fast Algorithms
// for Convolutional Neural Networks", arXiv:1509.09308; interpolated at 0, 1, -1, 2, -2 and infinity. Plane by plane.
//
// Along one axis four outputs take 6 products where the direct sum takes 12, so 36 products give a tile of 4x4 outputs that takes 144.
// The inputs' and the outputs' transforms are told in plane_sums.h; that of the taps is
//   U = (g0 / 4, -(g0 + g1 + g2) / 6, -(g0 - g1 + g2) / 6, (g0 + 2 g1 + 4 g2) / 24, (g0 - 2 g1 + 4 g2) / 24, g2)
// The gradient of the weights is the transpose, F(3x3, 4x4): 36 products where 9 taps and 16 outputs meet.
//
// Tiles lie at multiples of 4 in global coordinates. The first output of a tile does not take the last of its six inputs, the two in the
// middle take neither first nor last, the last one not the first. The others, which a window need not reach, change an output's rounding.
// So a box of outputs reads them (Axis::reads_in_groups, and groupReads in src/core/window.ts), and its bits are those of any other box.
#pragma once
#include "conv/conv_input.h"
#include "conv/conv_job.h"
#include <memory>

namespace hm::conv {

// Whether a convolution of `in_channels` (global) is to be computed so. It depends on the layer alone, never on a rank's box.
bool wants_plane(int32_t algorithm, const Axis axis[3], int64_t in_channels, const hm_view &out_box);

// Arguments are checked, `axis` fits, and out_box is not empty.
std::unique_ptr<ConvJob> plane_job(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &weight,
                                   const hm_view &out_box, const hm_program &epilogue);

// The same for the gradient of the weights. Tiles must not be cut, so cells (see hm_conv_weight_grad) must be multiples of 4.
bool wants_plane_grad(int32_t algorithm, const Axis axis[3], const int64_t cell[3], int64_t in_channels, const hm_view &box);

void run_plane_grad(const Axis axis[3], const std::vector<Block> &x, const std::vector<Block> &dy, const hm_view &box,
                    const int64_t cell[3], const hm_view &dweight);

} // namespace hm::conv
