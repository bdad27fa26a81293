// Replaces each of `tensors` arrays of `count` elements by the combination of all, element by element, in their order, in float64.
struct Args {
  void *const *data;
  i64 tensors, type, count, how; // 0 sum, 1 max, 2 min
};
HM_KERNEL(block_threads) KERNEL(const HM_CONST Args a) {
  for (i64 i = (i64)blockIdx.x * block_threads + threadIdx.x; i < a.count; i += (i64)gridDim.x * block_threads) {
    double x = any_get(a.data[0], a.type, i);
    for (i64 t = 1; t < a.tensors; t++) {
      const double y = any_get(a.data[t], a.type, i);
      x = a.how == 0 ? x + y : a.how == 1 ? max_of(x, y) : min_of(x, y);
    }
    for (i64 t = 0; t < a.tensors; t++) any_put(a.data[t], a.type, i, x);
  }
}
