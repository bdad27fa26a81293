// The inner kernel of a convolution, in registers over all terms:
//   out[block][t][16] (+)= sum over i < n_runs, c < channels, r < run of
//                          in[runs[i] + (t + r)*step + c*channel_step] * weight[i][c][r][block][16]
// for t < positions and one or two blocks of 16 output channels. A run is taps that follow each other along w: an input that
// was broadcast once serves all of them.
#pragma once
#include <cstdint>

namespace hm::conv {

struct MicroCall {
  const int64_t *runs;
  int64_t n_runs, channels, channel_step;
  const float *weight;
  int64_t out_step, out_block; // floats between positions, between blocks of 16 channels
  bool first;                  // out is overwritten, not added to
};

using Micro = void (*)(const MicroCall &call, const float *in, float *out);

int micro_run();                 // longest run
int micro_positions(int blocks); // most positions of one call, for 1 or 2 blocks of output channels; 0: not available
// planar: in has step 1 and any channel_step; else step 16 and channel_step 1, and the number of channels is a multiple of 4.
Micro micro_kernel(int positions, int blocks, int run, bool planar);

} // namespace hm::conv
