// Convolutions against plain loops in float64, over random windows, boxes, channels, sources and storage types; results must be
// bitwise the same with 1, 2 and 3 threads.
//
//   g++ -std=c++17 -O2 -march=native -pthread native/*.cpp native/test/conv_test.cpp -o conv_test && ./conv_test [cases] [seed]
#include "conv_cases.h"
#include <initializer_list>

using namespace test;

namespace {

void test_conv(bool transpose) {
  const char *what = transpose ? "hm_conv_transpose" : "hm_conv";
  Case c;
  c.draw(transpose);
  Box box = c.random_box(c.out, c.out_channels);
  Inputs x(c, c.reads(box), true);
  bool whole = rng.chance(50); // the weight is stored whole, or just what is used
  Tensor w = whole ? random_weight(c, 0, c.in_channels, 0, c.out_channels, HM_F32)
                   : random_weight(c, x.c_lo, x.c_hi, box.start[4], box.start[4] + box.size[4], rng.chance(20) ? HM_F64 : HM_F32);
  w.fill(rng);
  int64_t global[5] = {c.n, c.out[0], c.out[1], c.out[2], c.out_channels};
  Tensor y(global, box, std::max(1, block_of(box.size[4])), random_dtype());
  Tensor sum = channel_vector(box.start[4], box.size[4], c.out_channels, HM_F64);
  Program store;
  int value = store.take_input();
  store.store(value, y.view);
  store.sum(value, sum.view);
  hm_program epilogue = store.get();
  if (!on_threads(what, {&y.memory, &sum.memory}, [&] {
        return (transpose ? hm_conv_transpose : hm_conv)(&c.window, x.sources.data(), int32_t(x.sources.size()), &w.view, &y.view, &epilogue, HM_CONV_AUTO);
      }))
    return;
  Tensor sums = sum, sizes = sum;
  std::fill(sums.memory.begin(), sums.memory.end(), 0);
  std::fill(sizes.memory.begin(), sizes.memory.end(), 0);
  y.each([&](const int64_t *p) {
    double want = 0, magnitude = 0;
    c.terms(p, [&](const int64_t *at, const int64_t *k) {
      for (int64_t i = x.c_lo; i < x.c_hi; i++) {
        int64_t wp[5] = {i, k[0], k[1], k[2], p[4]};
        double term = x.get(at, i) * w.get(wp);
        want += term, magnitude += std::fabs(term);
      }
    });
    check(what, c, y.get(p), want, magnitude, y.view.dtype == HM_BF16);
    int64_t v[5] = {0, 0, 0, 0, p[4]};
    sums.set(v, sums.get(v) + want), sizes.set(v, sizes.get(v) + magnitude);
  });
  sum.each([&](const int64_t *v) { check("sum of the epilogue", c, sum.get(v), sums.get(v), sizes.get(v), false); });
}

// A part of the output, computed alone, has the same bits as in the whole.
void test_part(bool transpose) {
  Case c;
  c.draw(transpose);
  Box whole{{0, 0, 0, 0, 0}, {c.n, c.out[0], c.out[1], c.out[2], c.out_channels}}, part = c.random_box(c.out, c.out_channels);
  Inputs x(c, c.reads(whole), false);
  Tensor w = random_weight(c, 0, c.in_channels, 0, c.out_channels, HM_F32);
  w.fill(rng);
  Tensor y(whole.size, whole, std::max(1, block_of(c.out_channels)), HM_F32), z(whole.size, part, std::max(1, block_of(part.size[4])), HM_F32);
  for (Tensor *t : {&y, &z}) {
    Program store = store_program(*t);
    hm_program epilogue = store.get();
    if ((transpose ? hm_conv_transpose : hm_conv)(&c.window, x.sources.data(), int32_t(x.sources.size()), &w.view, &t->view, &epilogue, HM_CONV_AUTO))
      return report("a part of a convolution", hm_error());
  }
  z.each([&](const int64_t *p) { check("a part of a convolution", c, z.get(p) - y.get(p), 0, z.get(p) == y.get(p) ? 0 : -1e9, false); });
}

// Calls that must be refused, with what their texts must name.
void test_refusals() {
  Case c;
  c.n = 1;
  for (int a = 0; a < 3; a++) c.window.kernel[a] = 3, c.window.stride[a] = c.window.dilation[a] = c.window.pad[a] = 1, c.in[a] = c.out[a] = 8;
  c.source_channels = {16};
  c.in_channels = c.out_channels = 16;
  Box all{{0, 0, 0, 0, 0}, {1, 8, 8, 8, 16}};
  int64_t global[5] = {1, 8, 8, 8, 16};
  Tensor x(global, all, 16, HM_F32), y = x, w = random_weight(c, 0, 16, 0, 16, HM_F32);
  Program load = load_program(x), store = store_program(y);
  hm_program epilogue = store.get();
  const hm_source good = source(load, x);
  const int64_t cell[3] = {1, 8, 8};
  auto refused = [&](int rc, std::initializer_list<const char *> names) {
    if (!rc) return report("a bad call", "was not refused");
    for (const char *name : names)
      if (!std::strstr(hm_error(), name)) report(name, hm_error());
  };
  auto conv = [&](const hm_window &window, const hm_source &from, const hm_view &weight, const hm_view &out) {
    return hm_conv(&window, &from, 1, &weight, &out, &epilogue, HM_CONV_AUTO);
  };
  if (conv(c.window, good, w.view, y.view)) report("a good call", hm_error());
  refused(hm_conv(nullptr, &good, 1, &w.view, &y.view, &epilogue, 0), {"hm_conv", "window"});
  refused(hm_conv(&c.window, &good, 0, &w.view, &y.view, &epilogue, 0), {"hm_conv", "source"});
  refused(hm_conv(&c.window, &good, 1, &w.view, &y.view, nullptr, 0), {"hm_conv", "epilogue"});
  refused(hm_conv(&c.window, &good, 1, &w.view, &y.view, &epilogue, 3), {"hm_conv", "algorithm", "3"});
  hm_window window = c.window;
  window.kernel[1] = 0;
  refused(conv(window, good, w.view, y.view), {"kernel", "h", "0"});
  window = c.window, window.stride[2] = -1;
  refused(conv(window, good, w.view, y.view), {"stride", "w", "-1"});
  window = c.window, window.kernel[0] = 5;
  refused(conv(window, good, w.view, y.view), {"weight", "dimension d", "5", "3"});
  hm_source bad = good;
  bad.box.size[HM_H] = 7; // the last row is read
  refused(conv(c.window, bad, w.view, y.view), {"hm_conv", "sources", "dimension h", "[0, 8)", "[0, 7)"});
  bad = good, bad.box.block = 32;
  refused(conv(c.window, bad, w.view, y.view), {"block", "32"});
  hm_view weight = w.view;
  weight.global[HM_N] = 17;
  refused(conv(c.window, good, weight, y.view), {"weight", "dimension n", "16", "17"});
  weight = w.view, weight.start[HM_N] = 8; // holds [8, 24) of 16
  refused(conv(c.window, good, weight, y.view), {"weight", "dimension n"});
  weight = w.view, weight.size[HM_C] = 8;
  refused(conv(c.window, good, weight, y.view), {"weight", "dimension c", "[0, 16)", "[0, 8)"});
  hm_view out = y.view;
  out.size[HM_W] = 9;
  refused(conv(c.window, good, w.view, out), {"out_box", "dimension w"});
  refused(hm_conv_weight_grad(&c.window, &good, 1, &good, &y.view, nullptr, &w.view, 0), {"hm_conv_weight_grad", "cell"});
  weight = w.view, weight.dtype = HM_BF16;
  refused(hm_conv_weight_grad(&c.window, &good, 1, &good, &y.view, cell, &weight, 0), {"dweight", "bf16"});
}

} // namespace

int main(int argc, char **argv) {
  int cases = argc > 1 ? std::atoi(argv[1]) : 400;
  if (argc > 2) rng.state += uint64_t(std::atoll(argv[2])) * 0x9e3779b97f4a7c15u;
  test_refusals();
  for (int i = 0; i < cases; i++) {
    test_conv(false);
    test_conv(true);
    test_part(i % 2);
    Case parted;
    parted.draw(i % 2);
    test_two_parts(parted, HM_CONV_AUTO);
    Case c;
    c.draw(false);
    test_weight_grad("hm_conv_weight_grad", c, {1, rng.range(1, 8), rng.range(1, 16)}, HM_CONV_AUTO, 0);
  }
  if (begun_early == 0) report("convolutions in two parts", "no first part computed anything");
  void *nothing = nullptr;
  if (!hm_conv_end(&nothing)) report("hm_conv_end", "ended what has not begun");
  std::printf("%s: %d convolutions, %d transposes, %d weight gradients, each on 1, 2 and 3 threads, %ld values: %ld failures\n", hm_isa(), cases, cases,
              cases, compared, failures);
  return failures != 0;
}
