// The inner kernel of Winograd convolutions: products of four frequencies c = 0..3 along w, summed over input channels in
// registers, and their output transform along w.
//   m[t][c][b][16] = sum over input blocks i, channels k of  v[i*v_block + t*64 + c*16 + k] * weight[i][k][c][b][16]
//   out[b*out_block + t*32 + (0, 16)] = m0 + m1 + m2, m1 - m2 - m3
// for t < tiles and one or two blocks b of 16 output channels. Where registers are few, one frequency is done after the other:
// weights then lie [c][i][k][b][16].
#pragma once
#include <cstdint>

namespace hm::conv {

struct WinogradCall {
  const int *channels; // of each input block
  int64_t n_blocks, v_block, out_block;
  int64_t frequency; // floats of the weights of one frequency
};

using WinogradMicro = void (*)(const WinogradCall &call, const float *v, const float *weight, float *out);

int winograd_frequencies();      // done together: 4 or 1
int winograd_tiles(int blocks);  // most of one call, for 1 or 2 blocks of output channels; 0: not available
WinogradMicro winograd_micro(int tiles, int blocks);

} // namespace hm::conv
