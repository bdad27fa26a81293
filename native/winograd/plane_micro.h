// The inner kernel of F(4x4, 3x3): products of the six frequencies c along w of one frequency b along h, summed over input channels in
// registers, and their output transform along w.
//   m[t][c][o][16] = sum over input blocks i, channels k of  v[i*v_block + t*96 + c*16 + k] * weight[i][k][c][o][16]
//   out[o*out_block + t*64 + j*16] = output j, 0..3, of m[t][0..5][o] (output_sums)
// for t < tiles and one or two blocks o of 16 output channels. Where registers are few, one frequency is done after the other:
// weights then lie [c][i][k][o][16].
#pragma once
#include <cstdint>

namespace hm::conv {

struct PlaneCall {
  const int *channels; // of each input block
  int64_t n_blocks, v_block, out_block;
  int64_t frequency; // floats of the weights of one frequency
};

using PlaneMicro = void (*)(const PlaneCall &call, const float *v, const float *weight, float *out);

int plane_together();        // frequencies done together: 6 or 1
int plane_tiles(int blocks); // most of one call, for 1 or 2 blocks of output channels; 0: not available
PlaneMicro plane_micro(int tiles, int blocks);

} // namespace hm::conv
