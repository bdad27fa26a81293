// Weights of a convolution as bfloat16 matrices B (matrix.h), a pair of them, 16 columns, by [outputs / 16][blocks of inputs][place of the
// kernel][lane]: those of one source, whose blocks begin at `first` of `all`. Rows that it has not are zeros. `turned`: places of the
// kernel from the last to the first. `woven`: columns in an order that leaves four channels side by side to a lane of the sums.
struct Args {
  AnyView from; // n: inputs, d, h, w: kernel, c: outputs
  Four *to;
  i64 start[5], rows, inputs, first, all, turned, woven, count;
};
HM_FN float weight_of(const Args &a, i64 i, i64 place, i64 o) {
  if (i >= a.rows) return 0;
  i64 at[5] = {a.start[0] + i, 0, 0, 0, a.start[4] + o};
  for (int k = 3; k > 0; k--) at[k] = a.start[k] + place % a.from.size[k], place /= a.from.size[k];
  return (float)any_get(a.from.data, a.from.type, any_offset(a.from, at));
}
HM_KERNEL(block_threads) KERNEL(const HM_CONST Args a) {
  const i64 places = a.from.size[1] * a.from.size[2] * a.from.size[3];
  for (i64 i = (i64)blockIdx.x * block_threads + threadIdx.x; i < a.count; i += (i64)gridDim.x * block_threads) {
    const i64 lane = i % 32, place = i / 32 % places, in = i / 32 / places % a.inputs, out = i / 32 / places / a.inputs;
    Four four;
    for (int r = 0; r < 4; r++) {
      const i64 depth = in * 16 + 2 * (lane % 4) + 8 * (r % 2), g = lane / 4, t = r / 2;
      const i64 column = out * 16 + (a.woven ? g / 2 * 4 + 2 * t + g % 2 : g + 8 * t);
      const i64 from = a.turned ? places - 1 - place : place;
      four.x[r] = pair_of(weight_of(a, depth, from, column), weight_of(a, depth + 1, from, column));
    }
    a.to[((out * a.all + a.first + in) * places + place) * 32 + lane] = four;
  }
}
