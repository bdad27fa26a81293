// The same number in a box.
struct Args {
  AnyView to;
  i64 start[5], size[5], count;
  double number;
};
HM_KERNEL(block_threads) KERNEL(const HM_CONST Args a) {
  for (i64 i = (i64)blockIdx.x * block_threads + threadIdx.x; i < a.count; i += (i64)gridDim.x * block_threads) {
    i64 at[5];
    any_place(a.start, a.size, i, at);
    any_put(a.to.data, a.to.type, any_offset(a.to, at), a.number);
  }
}
