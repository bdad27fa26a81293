// A box (coordinates of `to`) from another tensor: dimension i of `from` is dimension perm[i] of `to`, whose coordinates are larger by
// shift[i]. Converts the element type; equal types keep their bits.
struct Args {
  AnyView to, from;
  i64 start[5], size[5], perm[5], shift[5], count;
};
HM_KERNEL(block_threads) KERNEL(const HM_CONST Args a) {
  for (i64 i = (i64)blockIdx.x * block_threads + threadIdx.x; i < a.count; i += (i64)gridDim.x * block_threads) {
    i64 at[5], other[5];
    any_place(a.start, a.size, i, at);
    for (int k = 0; k < 5; k++) other[k] = at[a.perm[k]] - a.shift[k];
    const i64 t = any_offset(a.to, at), f = any_offset(a.from, other);
    if (a.to.type != a.from.type) any_put(a.to.data, a.to.type, t, any_get(a.from.data, a.from.type, f));
    else if (a.to.type == type_f64) ((double *)a.to.data)[t] = ((const double *)a.from.data)[f];
    else if (a.to.type == type_bf16) ((bf16 *)a.to.data)[t] = ((const bf16 *)a.from.data)[f];
    else if (a.to.type == type_u8) ((u8 *)a.to.data)[t] = ((const u8 *)a.from.data)[f];
    else ((int *)a.to.data)[t] = ((const int *)a.from.data)[f];
  }
}
