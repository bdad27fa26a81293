// The end of sums: to[x] = sum of the partial sums of every place that agrees with x in the dimensions kept, tiles innermost. `shared`
// threads make a number: one where few partial sums make it, 8 of a block that has 32 numbers side by side, or a whole block. Each adds up
// its share of the tiles of every place, then these are added in order.
//
// The partial sum of place (n, d, h, w, c) and tile t: part[n * step[0] + d * step[1] + h * step[2] + w * step[3] +
// c / lanes * step[4] + c % lanes + t * tile_step], counted from the box's first place.
struct Args {
  AnyView to;
  const double *part;
  i64 start[5], size[5], kept[5], step[5], lanes, tiles, tile_step, count, shared;
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
  const int shared = (int)a.shared, numbers = block_threads / shared;
  const u32 number = blockIdx.x * numbers + threadIdx.x % numbers;
  double sum = 0;
  if (number < a.count)
    for (u32 place = 0; place < places; place++) {
      const double *const from = a.part + place_in_parts(a, number, place);
#pragma unroll 4
      for (int t = threadIdx.x / numbers; t < (int)a.tiles; t += shared) sum += from[t * a.tile_step];
    }
  if (shared > 1) {
    each[threadIdx.x] = sum;
    __syncthreads();
    for (int half = block_threads / 2; half >= numbers; half /= 2) {
      if (threadIdx.x < half) each[threadIdx.x] += each[threadIdx.x + half];
      __syncthreads();
    }
    if (threadIdx.x >= numbers) return;
    sum = each[threadIdx.x];
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
