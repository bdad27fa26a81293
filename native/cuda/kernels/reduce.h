// to[x] = sum, maximum or minimum of every element of the box that agrees with x in the dimensions kept, in float64. A thread a number
// where few elements make one, else a block.
struct Args {
  AnyView to, from;
  i64 start[5], size[5], kept[5], how, count; // 0 sum, 1 max, 2 min
};
HM_FN double reduced(i64 how, double a, double x) {
  if (how == 0) return a + x;
  if (how == 1) return (x > a) | (x != x) ? x : a;
  return (x < a) | (x != x) ? x : a;
}
HM_FN void split(const Args &a, i64 number, i64 i, i64 (&at)[5]) {
  for (int k = 4; k >= 0; k--) {
    i64 &from = a.kept[k] ? number : i;
    at[k] = a.start[k] + from % a.size[k], from /= a.size[k];
  }
}
HM_KERNEL(block_threads) KERNEL(const HM_CONST Args a) {
  HM_SHARED(double, each, block_threads);
  i64 inner = 1, at[5];
  for (int k = 0; k < 5; k++) inner *= a.kept[k] ? 1 : a.size[k];
  const bool alone = inner <= 32;
  const i64 number = alone ? (i64)blockIdx.x * block_threads + threadIdx.x : (i64)blockIdx.x;
  const double neutral = a.how == 0 ? 0.0 : (double)__uint_as_float(a.how == 1 ? 0xff800000u : 0x7f800000u);
  double x = neutral;
  if (number < a.count)
    for (i64 i = alone ? 0 : threadIdx.x; i < inner; i += alone ? 1 : block_threads) {
      split(a, number, i, at);
      x = reduced(a.how, x, any_get(a.from.data, a.from.type, any_offset(a.from, at)));
    }
  if (!alone) {
    each[threadIdx.x] = x;
    __syncthreads();
    for (int half = block_threads / 2; half > 0; half /= 2) {
      if (threadIdx.x < half) each[threadIdx.x] = reduced(a.how, each[threadIdx.x], each[threadIdx.x + half]);
      __syncthreads();
    }
    x = each[0];
    if (threadIdx.x > 0) return;
  }
  if (number >= a.count) return;
  split(a, number, 0, at);
  for (int k = 0; k < 5; k++)
    if (!a.kept[k]) at[k] = a.to.start[k];
  any_put(a.to.data, a.to.type, any_offset(a.to, at), x);
}
