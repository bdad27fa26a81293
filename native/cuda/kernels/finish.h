// The end of sums: to[x] = sum of the partial sums of every place that agrees with x in the dimensions kept, tiles innermost. A thread
// a number where few partial sums make one, else a block: each thread adds up every 256th, then these are added in order.
//
// The partial sum of place (n, d, h, w, c) and tile t: part[n * step[0] + d * step[1] + h * step[2] + w * step[3] +
// c / lanes * step[4] + c % lanes + t * tile_step], counted from the box's first place.
struct Args {
  AnyView to;
  const double *part;
  i64 start[5], size[5], kept[5], step[5], lanes, tiles, tile_step, count;
};
HM_FN double of_place(const Args &a, i64 number, i64 i) {
  i64 at[5], offset = i % a.tiles * a.tile_step;
  i /= a.tiles;
  for (int k = 4; k >= 0; k--) {
    i64 &from = a.kept[k] ? number : i;
    at[k] = from % a.size[k], from /= a.size[k];
  }
  for (int k = 0; k < 4; k++) offset += at[k] * a.step[k];
  return a.part[offset + at[4] / a.lanes * a.step[4] + at[4] % a.lanes];
}
HM_KERNEL(block_threads) KERNEL(const HM_CONST Args a) {
  HM_SHARED(double, each, block_threads);
  i64 inner = a.tiles;
  for (int k = 0; k < 5; k++) inner *= a.kept[k] ? 1 : a.size[k];
  const bool alone = inner <= 32; // a thread a number
  const i64 number = alone ? (i64)blockIdx.x * block_threads + threadIdx.x : (i64)blockIdx.x;
  double sum = 0;
  if (number < a.count)
    for (i64 i = alone ? 0 : threadIdx.x; i < inner; i += alone ? 1 : block_threads) sum += of_place(a, number, i);
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
  i64 at[5], rest = number;
  for (int k = 4; k >= 0; k--) {
    at[k] = a.start[k];
    if (a.kept[k]) at[k] += rest % a.size[k], rest /= a.size[k];
    else at[k] = a.to.start[k];
  }
  any_put(a.to.data, a.to.type, any_offset(a.to, at), sum);
}
