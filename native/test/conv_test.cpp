// Convolutions against plain loops in float64, over random windows, boxes, channels, sources and storage types; results must be
// bitwise the same with 1, 2 and 3 threads.
//
//   g++ -std=c++17 -O2 -march=native -pthread native/*.cpp native/test/conv_test.cpp -o conv_test && ./conv_test [cases] [seed]
#include "cases.h"
#include <initializer_list>

using namespace test;

namespace {

// The sources of a case: stored boxes, and programs that load them, some with scale, shift and leaky ReLU.
struct Inputs {
  std::vector<Tensor> tensors, scales;
  std::vector<Program> programs;
  std::vector<hm_source> sources;
  std::vector<int64_t> base;
  int64_t c_lo = 0, c_hi = 0; // channels of the concatenation that are stored

  Inputs(const Case &c, const Box &space, bool partial) {
    tensors.reserve(8), scales.reserve(8), programs.reserve(8);
    for (size_t s = 0; s < c.source_channels.size(); s++) {
      int64_t channels = c.source_channels[s], global[5] = {c.n, c.in[0], c.in[1], c.in[2], channels};
      Box box = space;
      box.start[4] = 0, box.size[4] = channels;
      if (partial && c.source_channels.size() == 1) {
        box.start[4] = rng.range(0, channels - 1);
        box.size[4] = rng.range(1, channels - box.start[4]);
      }
      if (s == 0) c_lo = box.start[4];
      base.push_back(s ? base.back() + c.source_channels[s - 1] : 0);
      c_hi = base.back() + box.start[4] + box.size[4];
      int32_t block = s + 1 < c.source_channels.size() && channels % 16 && channels > 16 ? 1 : block_of(box.size[4]);
      tensors.emplace_back(global, box, block, random_dtype());
      tensors.back().fill(rng);
      Program p;
      p.result = p.load(tensors.back().view);
      if (rng.chance(30)) {
        scales.push_back(channel_vector(box.start[4], box.size[4], channels, HM_F32));
        scales.back().fill(rng);
        p.result = p.emit(HM_LEAKY, p.emit(HM_MUL, p.result, p.load(scales.back().view, false)), 0, 0, 0.25);
      } else {
        scales.emplace_back();
      }
      programs.push_back(p);
    }
    for (size_t s = 0; s < tensors.size(); s++) sources.push_back(source(programs[s], tensors[s]));
  }
  // Value of a channel of the concatenation.
  double get(const int64_t at[5], int64_t channel) const {
    size_t s = base.size() - 1;
    while (channel < base[s]) s--;
    int64_t p[5] = {at[0], at[1], at[2], at[3], channel - base[s]}, v[5] = {0, 0, 0, 0, p[4]};
    double x = tensors[s].get(p);
    if (scales[s].view.block == 0) return x;
    x *= scales[s].get(v);
    return x > 0 ? x : 0.25 * x;
  }
};

// A plain tensor [n: in][kernel][c: out] whose dimensions lie in a random order.
Tensor random_weight(const Case &c, int64_t n_lo, int64_t n_hi, int64_t c_lo, int64_t c_hi, int32_t dtype) {
  int64_t global[5] = {c.in_channels, c.window.kernel[0], c.window.kernel[1], c.window.kernel[2], c.out_channels};
  Box box{{n_lo, 0, 0, 0, c_lo}, {n_hi - n_lo, global[1], global[2], global[3], c_hi - c_lo}};
  Tensor t(global, box, 1, dtype);
  int order[5] = {0, 1, 2, 3, 4};
  for (int i = 4; i > 0 && rng.chance(60); i--) std::swap(order[i], order[rng.range(0, i)]);
  int64_t stride = 1;
  for (int i = 4; i >= 0; i--) t.view.stride[order[i]] = stride, stride *= box.size[order[i]];
  return t;
}

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
        return (transpose ? hm_conv_transpose : hm_conv)(&c.window, x.sources.data(), int32_t(x.sources.size()), &w.view, &y.view, &epilogue);
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
    if ((transpose ? hm_conv_transpose : hm_conv)(&c.window, x.sources.data(), int32_t(x.sources.size()), &w.view, &t->view, &epilogue))
      return report("a part of a convolution", hm_error());
  }
  z.each([&](const int64_t *p) { check("a part of a convolution", c, z.get(p) - y.get(p), 0, z.get(p) == y.get(p) ? 0 : -1e9, false); });
}

void test_weight_grad() {
  Case c;
  c.draw(false);
  Box box = c.random_box(c.out, c.out_channels);
  Inputs x(c, c.reads(box), true);
  int64_t global[5] = {c.n, c.out[0], c.out[1], c.out[2], c.out_channels};
  Tensor dy(global, box, std::max(1, block_of(box.size[4])), random_dtype());
  dy.fill(rng);
  Program load = load_program(dy);
  hm_source dy_source = source(load, dy);
  const int64_t cell[3] = {1, rng.range(1, 8), rng.range(1, 16)};
  Tensor dw = random_weight(c, x.c_lo, x.c_hi, box.start[4], box.start[4] + box.size[4], rng.chance(50) ? HM_F64 : HM_F32);
  dw.fill(rng);
  if (!on_threads("hm_conv_weight_grad", {&dw.memory}, [&] {
        return hm_conv_weight_grad(&c.window, x.sources.data(), int32_t(x.sources.size()), &dy_source, &dy.view, cell, &dw.view);
      }))
    return;
  Tensor want = dw, magnitude = dw;
  for (Tensor *t : {&want, &magnitude}) { // in float64
    t->view.dtype = HM_F64;
    t->memory.assign(dw.memory.size() * size_t(8 / dw.width()), 0);
    t->view.data = t->memory.data();
  }
  dy.each([&](const int64_t *p) {
    double g = dy.get(p);
    c.terms(p, [&](const int64_t *at, const int64_t *k) {
      for (int64_t i = x.c_lo; i < x.c_hi; i++) {
        int64_t wp[5] = {i, k[0], k[1], k[2], p[4]};
        double term = x.get(at, i) * g;
        want.set(wp, want.get(wp) + term), magnitude.set(wp, magnitude.get(wp) + std::fabs(term));
      }
    });
  });
  dw.each([&](const int64_t *p) { check("hm_conv_weight_grad", c, dw.get(p), want.get(p), magnitude.get(p), false); });
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
    return hm_conv(&window, &from, 1, &weight, &out, &epilogue);
  };
  if (conv(c.window, good, w.view, y.view)) report("a good call", hm_error());
  refused(hm_conv(nullptr, &good, 1, &w.view, &y.view, &epilogue), {"hm_conv", "window"});
  refused(hm_conv(&c.window, &good, 0, &w.view, &y.view, &epilogue), {"hm_conv", "source"});
  refused(hm_conv(&c.window, &good, 1, &w.view, &y.view, nullptr), {"hm_conv", "epilogue"});
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
  refused(hm_conv_weight_grad(&c.window, &good, 1, &good, &y.view, nullptr, &w.view), {"hm_conv_weight_grad", "cell"});
  weight = w.view, weight.dtype = HM_BF16;
  refused(hm_conv_weight_grad(&c.window, &good, 1, &good, &y.view, cell, &weight), {"dweight", "bf16"});
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
    test_weight_grad();
  }
  std::printf("%s: %d convolutions, %d transposes, %d weight gradients, each on 1, 2 and 3 threads, %ld values: %ld failures\n", hm_isa(), cases, cases,
              cases, compared, failures);
  return failures != 0;
}
