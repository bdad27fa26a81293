// The inner kernel of a convolution:
//   out[block][t][16] (+)= sum over taps i, channels c of in[taps[i] + t*step + c*channel_step] * weight[i][c][block][16]
// for t < positions and one or two blocks of 16 output channels, held in registers over all taps and channels.
#pragma once
#include <cstdint>

namespace hm::conv {

struct MicroCall {
  const int64_t *taps;
  int64_t n_taps, channels, channel_step;
  const float *weight;
  int64_t out_step, out_block; // floats between positions, between blocks of 16 channels
  bool first;                  // out is overwritten, not added to
};

using Micro = void (*)(const MicroCall &call, const float *in, float *out);

// Positions that one call computes at most, for 1 or 2 blocks of output channels; 0: not available.
int micro_positions(int blocks);
// planar: in has step 1 and any channel_step; else step 16 and channel_step 1, and the number of channels is a multiple of 4.
Micro micro_kernel(int positions, int blocks, bool planar);

} // namespace hm::conv
