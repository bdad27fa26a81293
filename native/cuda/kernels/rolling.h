// A convolution of kernel 3x3x3 without stride over finished bfloat16 images, on tensor cores. A block has 16 channels of the output
// over 16 x 32 positions of h, w, and a part of d through which it rolls: every plane of the input is read once and adds to the three planes
// of the output around it, whose sums stay in registers. Four warps bring planes into shared memory, eight multiply.
//
// Positions along each axis are counted from the output's first; the input's begin at `low`, and that of the kernel's middle is the output's.
// Sums go by plane of the kernel from the last, block of channels, kernel along w, h. Channels of the output from `second` on lie in y1.
constexpr int lines = 4, tile_h = 16, tile_w = 32, read_w = tile_w + 2, places = (tile_h + 2) * read_w;
constexpr int load_threads = 128, all_threads = 384, chunks = (2 * places + load_threads - 1) / load_threads, weights = inputs * 27 * 32;
constexpr int full = 1, free_again = 1 + stages, behind = stages > 2 ? 2 : 1; // barriers; batches of copies on their way
template <int V> struct Index {
  static constexpr int value = V;
};
HM_KERNELS(all_threads, 1) KERNEL(const HM_CONST Args a) {
  HM_ROOM(Four, room, weights + stages * 2 * places);
  const int thread = threadIdx.x;
  u32 rest = blockIdx.x;
  const int w0 = (int)(rest % (u32)a.wide) * tile_w;
  rest /= (u32)a.wide;
  const int h0 = (int)(rest % (u32)a.high) * tile_h;
  rest /= (u32)a.high;
  const int part = (int)(rest % (u32)a.parts);
  rest /= (u32)a.parts;
  const int out = (int)(rest % (u32)a.outputs), n = (int)a.batch + (int)(rest / (u32)a.outputs);
  const int begin = part * (int)a.length, end = min(begin + (int)a.length, (int)a.out[0]);
  const int first = max(begin - 1, (int)a.low[0]), last = min(end, (int)(a.low[0] + a.size[0]) - 1); // planes that are there
  const int steps = (last - first + 1) * inputs;
  for (int i = thread; i < weights; i += all_threads) room[i] = a.packed[out * weights + i];
  __syncthreads();
  Four *const stage = room + weights;
  if (thread < load_threads) {
    const int half = thread % 2;
#ifndef HM_EMULATED
    int offset[chunks]; // in eights of numbers; -1 for what is not there
#pragma unroll
    for (int i = 0; i < chunks; i++) {
      const int v = i * (load_threads / 2) + thread / 2, h = h0 - 1 + v / read_w - (int)a.low[1], w = w0 - 1 + v % read_w - (int)a.low[2];
      const bool there = v < places && h >= 0 && h < (int)a.size[1] && w >= 0 && w < (int)a.size[2];
      offset[i] = there ? (int)(h * (a.x.stride[2] / 8)) + 2 * w + half : -1;
    }
    const bf16 *const corner = a.x.data + offset_of(a.x, n, (int)(a.origin[0] + a.low[0]), (int)(a.origin[1] + a.low[1]), (int)(a.origin[2] + a.low[2]), (int)a.x_channel);
    const u32 to = (u32)__cvta_generic_to_shared(stage + half * places + thread / 2);
#endif
    int step = 0;
    for (int z = first; z <= last; z++)
      for (int i = 0; i < inputs; i++, step++) {
        const int at = step % stages;
        if (step >= stages) wait_at(free_again + at, all_threads);
#ifdef HM_EMULATED
        for (int v = thread / 2; v < places; v += load_threads / 2) {
          const int h = h0 - 1 + v / read_w, w = w0 - 1 + v % read_w;
          const bool there = h >= a.low[1] && h < a.low[1] + a.size[1] && w >= a.low[2] && w < a.low[2] + a.size[2];
          copy_eight(&stage[(at * 2 + half) * places + v], a.x, n, (int)a.origin[0] + z, (int)a.origin[1] + h, (int)a.origin[2] + w, (int)a.x_channel + 16 * i + 8 * half, there);
        }
#else
        const Four *const from = (const Four *)(corner + (z - a.low[0]) * a.x.stride[1] + i * a.x.stride[4]);
#pragma unroll
        for (int k = 0; k < chunks; k++)
          if (k * (load_threads / 2) + load_threads / 2 <= places || k * (load_threads / 2) + thread / 2 < places)
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to + 16 * (at * 2 * places + k * (load_threads / 2))),
                         "l"(from + (offset[k] < 0 ? 0 : offset[k])), "r"(offset[k] < 0 ? 0 : 16) : "memory");
#endif
        end_batch();
        if (step >= behind) {
          wait_batches<behind>();
          come_to(full + (step - behind) % stages, all_threads);
        }
      }
    wait_batches<0>();
    for (int i = max(0, step - behind); i < step; i++) come_to(full + i % stages, all_threads);
    return;
  }
  const int warp = thread / 32 % 4, lane = thread % 32, side = thread / 128 - 1, g = lane / 4, t = lane % 4;
  float sum[lines][3][2][4];
  auto clear = [&](auto slot) {
#pragma unroll
    for (int l = 0; l < lines; l++)
#pragma unroll
      for (int i = 0; i < 8; i++) sum[l][decltype(slot)::value][i / 4][i % 4] = 0;
  };
  clear(Index<0>()), clear(Index<1>()), clear(Index<2>());
  const int h1 = h0 + warp * lines, w1 = w0 + side * 16 + g;
  const int c = (int)a.channel + 16 * out + 4 * t;
  const View<bf16, 16> &y = c < (int)a.second ? a.y0 : a.y1;
  const i64 by_z = y.stride[1], by_h = y.stride[2];
  bf16 *const to = y.data + offset_of(y, n, (int)a.origin[0], (int)a.origin[1] + h1, (int)a.origin[2] + w1, c);
  // The plane z is complete: its sums leave, and begin anew for another one.
  auto leave = [&](auto slot, int z) {
    constexpr int s = decltype(slot)::value;
#ifndef HM_EMULATED
    asm volatile("// slot %0" ::"n"(s)); // tells the three apart, which must not become one with selected registers
#endif
    if (z >= begin) {
#pragma unroll
      for (int l = 0; l < lines; l++)
#pragma unroll
        for (int e = 0; e < 2; e++) {
          if (h1 + l >= (int)a.out[1] || w1 + 8 * e >= (int)a.out[2]) continue;
#ifdef HM_EMULATED
          if (!holds(y, {n, (int)a.origin[0] + z, (int)a.origin[1] + h1 + l, (int)a.origin[2] + w1 + 8 * e, c}, 4)) continue;
#endif
          const float(&x)[2][4] = sum[l][s];
          *(Two *)(to + z * by_z + l * by_h + e * 128) = {{pair_of(x[0][2 * e], x[0][2 * e + 1]), pair_of(x[1][2 * e], x[1][2 * e + 1])}};
        }
    }
    clear(slot);
#ifndef HM_EMULATED
    asm volatile("// end of slot %0" ::"n"(s));
#endif
  };
  // Adds the products of a block of channels of a plane to the planes around it.
  auto multiply = [&](const Four *from, const Four *packed, const int (&kernel)[3], const bool (&wanted)[3], auto all) {
#pragma unroll 1
    for (int kw = 0; kw < 3; kw++) {
      u32 m[lines + 2][4];
#pragma unroll
      for (int l = 0; l < lines + 2; l++) load_matrix<false>(m[l], from + l * read_w + kw);
#pragma unroll
      for (int kh = 0; kh < 3; kh++)
#pragma unroll
        for (int s = 0; s < 3; s++) {
          if (!decltype(all)::value && !wanted[s]) continue;
          const Four b = packed[kernel[s] + (kh * 3 + kw) * 32];
#pragma unroll
          for (int l = 0; l < lines; l++) {
            add_product(sum[l][s][0], m[l + kh], b.x[0], b.x[1]);
            add_product(sum[l][s][1], m[l + kh], b.x[2], b.x[3]);
          }
        }
    }
  };
  const Four *const own = stage + lane / 16 * places + warp * lines * read_w + side * 16 + lane % 16;
  int step = 0;
  for (int z = begin - 1; z <= end; z++) {
    const int turn = (z + 1) % 3; // sums of plane p lie in slot p % 3, and this plane adds to p through plane (turn - p) mod 3 of the kernel
    const bool inside = z > begin && z < end - 1;
    bool wanted[3]; // whose plane of the output is this block's: all of them inside
    for (int s = 0; s < 3; s++) {
      const int p = z + 1 - (s == 0 ? turn : s == 1 ? (turn == 0 ? 2 : turn - 1) : turn == 2 ? 0 : turn + 1);
      wanted[s] = p >= begin && p < end;
    }
    if (z >= first && z <= last)
      for (int i = 0; i < inputs; i++, step++) {
        const int at = step % stages;
        wait_at(full + at, all_threads);
        const Four *const from = own + at * 2 * places, *const packed = room + i * 27 * 32 + lane;
        const int kernel[3] = {turn * 288, (turn == 0 ? 2 : turn - 1) * 288, (turn == 2 ? 0 : turn + 1) * 288};
        if (inside) multiply(from, packed, kernel, wanted, Index<1>());
        else multiply(from, packed, kernel, wanted, Index<0>());
        if (step + stages < steps) come_to(free_again + at, all_threads);
      }
    if (turn == 0) leave(Index<1>(), z - 1);
    else if (turn == 1) leave(Index<2>(), z - 1);
    else leave(Index<0>(), z - 1);
  }
}
