// Kernels over tensors of any element type and format, which are told when they run: copies and fills of boxes, combinations, and the
// end of sums. Each is a piece of a source of its own that begins with device.h.

// Element types by the number that arguments carry.
constexpr int type_f32 = 0, type_bf16 = 1, type_f64 = 2, type_u8 = 3, type_i32 = 4;

struct AnyView {
  void *data;
  i64 type, block;
  i64 start[5], size[5], stride[5];
};

HM_FN i64 any_offset(const AnyView &v, const i64 (&at)[5]) {
#ifdef HM_EMULATED
  for (int i = 0; i < 5; i++)
    if (at[i] < v.start[i] || at[i] >= v.start[i] + v.size[i]) {
      em_fault("a place outside of a tensor's box");
      return 0;
    }
#endif
  const i64 c = at[4] - v.start[4];
  i64 offset = c / v.block * v.stride[4] + c % v.block;
  if (v.block == 1) offset = c * v.stride[4];
  for (int i = 0; i < 4; i++) offset += (at[i] - v.start[i]) * v.stride[i];
  return offset;
}
HM_FN double any_get(const void *data, i64 type, i64 i) {
  if (type == type_f32) return (double)((const float *)data)[i];
  if (type == type_bf16) return (double)to_float(((const bf16 *)data)[i]);
  if (type == type_f64) return ((const double *)data)[i];
  if (type == type_u8) return (double)((const u8 *)data)[i];
  return (double)((const int *)data)[i];
}
HM_FN void any_put(void *data, i64 type, i64 i, double x) {
  if (type == type_f32) ((float *)data)[i] = (float)x;
  else if (type == type_bf16) ((bf16 *)data)[i] = to_bf16((float)x);
  else if (type == type_f64) ((double *)data)[i] = x;
  else if (type == type_u8) ((u8 *)data)[i] = Element<double, u8>::write(x);
  else ((int *)data)[i] = Element<double, int>::write(x);
}
// Place `i` of a box in row-major order.
HM_FN void any_place(const i64 (&start)[5], const i64 (&size)[5], i64 i, i64 (&at)[5]) {
  for (int k = 4; k >= 0; k--) at[k] = start[k] + i % size[k], i /= size[k];
}
