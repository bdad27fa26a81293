// The end of sums: to[x] = sum of the partial sums of every place that agrees with x in the dimensions kept, tiles innermost. A thread
// a number where few partial sums make one or there are many numbers, else a block: each thread adds up every 256th, then these are added
// in order.
//
// The partial sum of place (n, d, h, w, c) and tile t: part[n * step[0] + d * step[1] + h * step[2] + w * step[3] +
// c / lanes * step[4] + c % lanes + t * tile_step], counted from the box's first place.
struct Args {
  AnyView to;
  const double *part;
  i64 start[5], size[5], kept[5], step[5], lanes, tiles, tile_step, count, alone;
};
// Where the first tile of a place lies: `number` tells the dimensions that are kept, `i` the others.
HM_FN i64 place_in_parts(const Args &a, u32 number, u32 i) {
  i64 offset = 0;
  for (int k = 4; k >= 0; k--) {
    u32 &from = a.kept[k] ? number : i;
    const u32 size = (u32)a.size[k], at = from % size;
    from /= size;
    offset += k < 4 ? at * a.step[k] : (i64)(at / (u32)a.lanes) * a.step[4] + at % (u32)a.lanes;
  }
  return offset;
}
HM_KERNEL(block_threads) KERNEL(const HM_CONST Args a) {
  HM_SHARED(double, each, block_threads);
  u32 places = 1;
  for (int k = 0; k < 5; k++) places *= a.kept[k] ? 1 : (u32)a.size[k];
  const bool alone = a.alone != 0; // a thread a number
  const u32 number = alone ? blockIdx.x * block_threads + threadIdx.x : blockIdx.x;
  const int first = alone ? 0 : threadIdx.x, by = alone ? 1 : block_threads;
  double sum = 0;
  if (number < a.count) {
    if (places == 1) {
      const double *const from = a.part + place_in_parts(a, number, 0);
#pragma unroll 8
      for (int t = first; t < a.tiles; t += by) sum += from[t * a.tile_step];
    } else
      for (i64 i = first; i < places * a.tiles; i += by) sum += a.part[place_in_parts(a, number, (u32)(i / a.tiles)) + i % a.tiles * a.tile_step];
  }
  if (!alone) {
    each[threadIdx.x] = sum;
    __syncthreads();
    for (int half = block_threads / 2; half > 0; half /= 2) {
      if (threadIdx.x < half) each[threadIdx.x] += each[threadIdx.x + half];
      __syncthreads();
    }
    sum = each[0];
    if (threadIdx.x > 0) return;
  }
  if (number >= a.count) return;
  i64 at[5];
  u32 rest = number;
  for (int k = 4; k >= 0; k--) {
    at[k] = a.start[k];
    if (a.kept[k]) at[k] += rest % (u32)a.size[k], rest /= (u32)a.size[k];
    else at[k] = a.to.start[k];
  }
  any_put(a.to.data, a.to.type, any_offset(a.to, at), sum);
}
