// Winograd convolutions against plain loops in float64, the direct kernel, and themselves on parts of the output and with 1, 2 and
// 3 threads: bitwise the same; 3x3x3 by F(2x2x2, 3x3x3) and 1x3x3 by F(4x4, 3x3). Sizes and starts are odd and even, boxes go down to one voxel.
//
//   g++ -std=c++17 -O2 -march=native -pthread native/*.cpp native/test/winograd_test.cpp -o winograd_test && ./winograd_test [cases] [seed]
#include "conv_cases.h"

using namespace test;

namespace {

double worst = 0; // relative error of a layer, by norms

// A layer that Winograd's filtering can do.
Case draw(bool transpose) {
  Case c;
  c.transpose = transpose;
  c.n = rng.range(1, 2);
  const int64_t some[] = {1, 3, 8, 16, 24, 32, 48}, whole[] = {8, 16, 32};
  c.source_channels.assign(1, rng.chance(3) ? 128 : rng.pick(some));
  for (int64_t more = rng.range(0, 2); more > 0 && rng.chance(50); more--) c.source_channels.insert(c.source_channels.begin(), rng.pick(whole));
  for (int64_t channels : c.source_channels) c.in_channels += channels;
  c.out_channels = rng.chance(3) ? 128 : rng.pick(some);
  bool heavy = c.in_channels * c.out_channels > 2000;
  bool plane = c.plane = rng.chance(40);
  for (int a = 0; a < 3; a++) {
    int64_t further = a == 0 && plane ? 0 : 2; // taps behind the first
    c.window.kernel[a] = 1 + further, c.window.stride[a] = c.window.dilation[a] = 1;
    c.window.pad[a] = rng.chance(70) ? further / 2 : rng.range(0, further + 1);
    c.in[a] = rng.range(c.window.pad[a] ? 1 : 1 + further, heavy ? 5 : 9);
    if (further == 0 && rng.chance(50)) c.in[a] = 1;
    if (a == 2 && !heavy && rng.chance(20)) c.in[a] += rng.range(20, 70);
    if (transpose) c.in[a] = std::max(c.in[a], 2 * c.window.pad[a] + 1 - further);
    c.out[a] = transpose ? c.in[a] + further - 2 * c.window.pad[a] + (2 * c.window.pad[a] > further) : c.in[a] + 2 * c.window.pad[a] - further;
    c.out[a] = std::max<int64_t>(1, c.out[a]);
  }
  return c;
}

int call(const Case &c, const Inputs &x, const Tensor &w, const hm_view &out, const hm_program &epilogue, int algorithm) {
  return (c.transpose ? hm_conv_transpose : hm_conv)(&c.window, x.sources.data(), int32_t(x.sources.size()), &w.view, &out, &epilogue,
                                                    algorithm);
}

void test_values(bool transpose) {
  Case c = draw(transpose);
  Box box = c.random_box(c.out, c.out_channels);
  Inputs x(c, c.reads(box), true);
  Tensor w = random_weight(c, 0, c.in_channels, 0, c.out_channels, rng.chance(20) ? HM_F64 : HM_F32);
  w.fill(rng);
  int64_t global[5] = {c.n, c.out[0], c.out[1], c.out[2], c.out_channels};
  Tensor y(global, box, std::max(1, block_of(box.size[4])), random_dtype()), direct(global, box, y.view.block, HM_F32);
  Tensor sum = channel_vector(box.start[4], box.size[4], c.out_channels, HM_F64);
  Program store;
  int value = store.take_input();
  store.store(value, y.view);
  store.sum(value, sum.view);
  hm_program epilogue = store.get();
  if (!on_threads("winograd", {&y.memory, &sum.memory}, [&] { return call(c, x, w, y.view, epilogue, HM_CONV_WINOGRAD); })) return;
  Program plain = store_program(direct);
  hm_program store_direct = plain.get();
  if (call(c, x, w, direct.view, store_direct, HM_CONV_DIRECT)) return report("direct", hm_error());
  Tensor sums = sum, sizes = sum;
  std::fill(sums.memory.begin(), sums.memory.end(), 0);
  std::fill(sizes.memory.begin(), sizes.memory.end(), 0);
  double error = 0, norm = 0;
  y.each([&](const int64_t *p) {
    double want = 0, magnitude = 0;
    c.terms(p, [&](const int64_t *at, const int64_t *k) {
      for (int64_t i = x.c_lo; i < x.c_hi; i++) {
        int64_t wp[5] = {i, k[0], k[1], k[2], p[4]};
        double term = x.get(at, i) * w.get(wp);
        want += term, magnitude += std::fabs(term);
      }
    });
    bool rounded = y.view.dtype == HM_BF16;
    // A value may be small beside the inputs of its group, in which it cancels: those of 4x4 outputs with factors of up to 8 along each axis.
    double slack = 3 * magnitude + double(c.in_channels) * (c.plane ? 4 : 1);
    check("winograd", c, y.get(p), want, slack, rounded);
    check("winograd and direct", c, y.get(p), direct.get(p), slack, rounded);
    if (!rounded) error += (y.get(p) - want) * (y.get(p) - want), norm += want * want;
    int64_t v[5] = {0, 0, 0, 0, p[4]};
    sums.set(v, sums.get(v) + want), sizes.set(v, sizes.get(v) + slack);
  });
  sum.each([&](const int64_t *v) { check("sum of the epilogue", c, sum.get(v), sums.get(v), sizes.get(v), false); });
  double relative = norm > 0 ? std::sqrt(error / norm) : 0;
  worst = std::max(worst, relative);
  const double most = c.plane ? 3e-5 : 1e-5; // larger tiles cancel more
  if (y.memory.size() > 4000 && relative > most) report("winograd", "relative error of a layer above what its tiles may have");
}

// A part of the output, from inputs of which no more is stored than it reads, has the same bits as in the whole.
void test_part(bool transpose) {
  Case c = draw(transpose);
  Box whole{{0, 0, 0, 0, 0}, {c.n, c.out[0], c.out[1], c.out[2], c.out_channels}}, part = c.random_box(c.out, c.out_channels);
  if (rng.chance(20)) // one voxel
    for (int a = 1; a < 4; a++) part.start[a] = rng.range(0, c.out[a - 1] - 1), part.size[a] = 1;
  Inputs x(c, c.reads(whole), false);
  Inputs few = x.cut(c, c.reads(part));
  Tensor w = random_weight(c, 0, c.in_channels, 0, c.out_channels, HM_F32);
  w.fill(rng);
  Tensor y(whole.size, whole, std::max(1, block_of(c.out_channels)), HM_F32), z(whole.size, part, std::max(1, block_of(part.size[4])), HM_F32);
  Program store_y = store_program(y), store_z = store_program(z);
  if (call(c, x, w, y.view, store_y.get(), HM_CONV_WINOGRAD) || call(c, few, w, z.view, store_z.get(), HM_CONV_WINOGRAD))
    return report("a part of a convolution", hm_error());
  z.each([&](const int64_t *p) { check("a part of a convolution", c, z.get(p) - y.get(p), 0, z.get(p) == y.get(p) ? 0 : -1e9, false); });
}

} // namespace

int main(int argc, char **argv) {
  int cases = argc > 1 ? std::atoi(argv[1]) : 400;
  if (argc > 2) rng.state += uint64_t(std::atoll(argv[2])) * 0x9e3779b97f4a7c15u;
  for (int i = 0; i < 2 * cases; i++) {
    const int64_t cells[] = {2, 4, 8, 16};
    Case of_weights = draw(false);
    int64_t deep = of_weights.window.kernel[0] == 1 ? rng.range(1, 2) : 2;
    test_weight_grad("winograd weight gradient", of_weights, {deep, rng.pick(cells), rng.pick(cells)}, HM_CONV_WINOGRAD, 10);
    test_values(i % 2);
    test_part(i % 2);
    test_two_parts(draw(i % 2), HM_CONV_WINOGRAD);
  }
  if (begun_early == 0) report("convolutions in two parts", "no first part computed anything");
  std::printf("%s: %d Winograd convolutions, each on 1, 2 and 3 threads and in parts, %ld values, relative error at most %.1e: %ld failures\n",
              hm_isa(), 2 * cases, compared, worst, failures);
  return failures != 0;
}
