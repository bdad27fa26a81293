// Elements in row-major order of the whole tensors, by other dimensions: the box of `to` that is written.
struct Args {
  AnyView to, from;
  i64 start[5], size[5], to_global[5], from_global[5], count;
};
HM_KERNEL(block_threads) KERNEL(const HM_CONST Args a) {
  const i64 none[5] = {0, 0, 0, 0, 0};
  for (i64 i = (i64)blockIdx.x * block_threads + threadIdx.x; i < a.count; i += (i64)gridDim.x * block_threads) {
    i64 at[5], other[5], flat = 0;
    any_place(a.start, a.size, i, at);
    for (int k = 0; k < 5; k++) flat = flat * a.to_global[k] + at[k];
    any_place(none, a.from_global, flat, other);
    any_put(a.to.data, a.to.type, any_offset(a.to, at), any_get(a.from.data, a.from.type, any_offset(a.from, other)));
  }
}
