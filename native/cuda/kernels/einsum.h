// Sums of products, in float64, over loops of which the first `outer` index the result. A thread a number where few products make one,
// else a block.
constexpr int most_loops = 10, most_inputs = 8;
struct Operand {
  void *data;
  i64 type, block, blocked, block_stride, skip; // the loop whose channels lie in blocks (-1: none), and where they begin
  i64 stride[most_loops];
};
struct Args {
  Operand to, from[most_inputs];
  i64 extent[most_loops], loops, outer, inputs, count, inner;
};
HM_FN i64 of_loops(const Args &a, const Operand &o, i64 number, i64 i) {
  i64 offset = 0;
  for (i64 k = a.loops - 1; k >= 0; k--) {
    i64 &from = k < a.outer ? number : i;
    const i64 at = from % a.extent[k];
    from /= a.extent[k];
    offset += k == o.blocked ? (at + o.skip) / o.block * o.block_stride + (at + o.skip) % o.block : at * o.stride[k];
  }
  return offset;
}
HM_KERNEL(block_threads) KERNEL(const HM_CONST Args a) {
  HM_SHARED(double, each, block_threads);
  const bool alone = a.inner <= 32;
  const i64 number = alone ? (i64)blockIdx.x * block_threads + threadIdx.x : (i64)blockIdx.x;
  double sum = 0;
  if (number < a.count)
    for (i64 i = alone ? 0 : threadIdx.x; i < a.inner; i += alone ? 1 : block_threads) {
      double product = 1;
      for (i64 k = 0; k < a.inputs; k++)
        product *= any_get(a.from[k].data, a.from[k].type, of_loops(a, a.from[k], number, i));
      sum += product;
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
  if (number < a.count) any_put(a.to.data, a.to.type, of_loops(a, a.to, number, 0), sum);
}
