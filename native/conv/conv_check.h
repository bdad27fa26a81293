// Argument checks that convolutions and pooling share. Each returns 0, or 1 after fail().
#pragma once
#include "conv/conv_axis.h"
#include "runtime/view.h"

namespace hm::conv {

int check_window(const hm_window *window, const char *kernel);
// Blocks, global extents (equal over the sources), prologues.
int check_sources(const hm_source *sources, int32_t n_sources, const char *kernel, const char *what);
// A loop box: size, block of at most 16 channels, inside its global extents.
int check_out_box(const hm_view *box, const char *kernel, const char *what);
// Every source stores what the outputs in `out` (n, d, h, w) read; those of 1x3x3 in groups along h and w where `group` is above 1.
int check_reads(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &out, const char *kernel,
                const char *what, int64_t group = 1);
// A tensor of kernel weights [n: input channels][kernel][c: output channels].
int check_weight(const hm_view *weight, const hm_window &window, const hm_source *sources, int32_t n_sources,
                 const hm_view &out, const char *kernel, const char *what);
// Input channels are those that both the sources and the weight store: either may hold a part of the other's (then the result
// is a partial sum), but not both.
int check_in_channels(const hm_source *sources, int32_t n_sources, const hm_view &weight, const char *kernel);
// The source stores the channels of `out`, and both have as many in all.
int check_channels(const hm_source &source, const hm_view &out, const char *kernel, const char *what);

bool is_empty(const hm_view &box);

} // namespace hm::conv
