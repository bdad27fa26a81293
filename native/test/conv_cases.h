// The tensors of a random convolution.
#pragma once
#include "cases.h"
#include <array>

namespace test {

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
  // The same values, stored over `space` alone.
  Inputs cut(const Case &c, const Box &space) const {
    Inputs few = *this;
    for (size_t s = 0; s < tensors.size(); s++) {
      Box box = space;
      box.start[4] = 0, box.size[4] = c.source_channels[s];
      Tensor t(tensors[s].view.global, box, tensors[s].view.block, tensors[s].view.dtype);
      t.each([&](const int64_t *at) { t.set(at, tensors[s].get(at)); });
      few.tensors[s] = t;
      few.programs[s].operands[0].view = few.tensors[s].view;
      if (scales[s].view.block) few.programs[s].operands[1].view = few.scales[s].view;
      few.sources[s] = source(few.programs[s], few.tensors[s]);
    }
    return few;
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
inline Tensor random_weight(const Case &c, int64_t n_lo, int64_t n_hi, int64_t c_lo, int64_t c_hi, int32_t dtype) {
  int64_t global[5] = {c.in_channels, c.window.kernel[0], c.window.kernel[1], c.window.kernel[2], c.out_channels};
  Box box{{n_lo, 0, 0, 0, c_lo}, {n_hi - n_lo, global[1], global[2], global[3], c_hi - c_lo}};
  Tensor t(global, box, 1, dtype);
  int order[5] = {0, 1, 2, 3, 4};
  for (int i = 4; i > 0 && rng.chance(60); i--) std::swap(order[i], order[rng.range(0, i)]);
  int64_t stride = 1;
  for (int i = 4; i >= 0; i--) t.view.stride[order[i]] = stride, stride *= box.size[order[i]];
  return t;
}

// A weight gradient against plain loops, on a random box. `slack`: terms beside its own that a sum may round with.
inline void test_weight_grad(const char *what, const Case &c, const std::array<int64_t, 3> &cell, int algorithm,
                             double slack) {
  Box box = c.random_box(c.out, c.out_channels);
  Inputs x(c, c.reads(box), true);
  int64_t global[5] = {c.n, c.out[0], c.out[1], c.out[2], c.out_channels};
  Tensor dy(global, box, std::max(1, block_of(box.size[4])), random_dtype());
  dy.fill(rng);
  Program load = load_program(dy);
  hm_source dy_source = source(load, dy);
  Tensor dw = random_weight(c, x.c_lo, x.c_hi, box.start[4], box.start[4] + box.size[4], rng.chance(50) ? HM_F64 : HM_F32);
  dw.fill(rng);
  if (!on_threads(what, {&dw.memory}, [&] {
        return hm_conv_weight_grad(&c.window, x.sources.data(), int32_t(x.sources.size()), &dy_source, &dy.view, cell.data(), &dw.view, algorithm);
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
  dw.each([&](const int64_t *p) { check(what, c, dw.get(p), want.get(p), magnitude.get(p) + slack, false); });
}

inline long begun_early = 0; // convolutions of which the first part computed something

// In two parts: the same bits as in one, though what the first may not read is not there yet.
inline void test_two_parts(const Case &c, int algorithm) {
  Box all{{0, 0, 0, 0, 0}, {c.n, c.out[0], c.out[1], c.out[2], c.out_channels}}, ready = all;
  for (int a = 1; a < 4; a++)
    if (rng.chance(50)) ready.start[a] = rng.range(0, c.out[a - 1] - 1), ready.size[a] = rng.range(1, c.out[a - 1] - ready.start[a]);
  Inputs x(c, c.reads(all), false);
  Tensor w = random_weight(c, 0, c.in_channels, 0, c.out_channels, HM_F32);
  w.fill(rng);
  Tensor y(all.size, all, std::max(1, block_of(c.out_channels)), HM_F32), z = y;
  Tensor sums[2] = {channel_vector(0, c.out_channels, c.out_channels, HM_F64), channel_vector(0, c.out_channels, c.out_channels, HM_F64)};
  Program stores[2];
  hm_program epilogues[2];
  for (int i = 0; i < 2; i++) {
    int value = stores[i].take_input();
    stores[i].store(value, (i ? z : y).view);
    stores[i].sum(value, sums[i].view);
    epilogues[i] = stores[i].get();
  }
  const int32_t n = int32_t(x.sources.size());
  if ((c.transpose ? hm_conv_transpose : hm_conv)(&c.window, x.sources.data(), n, &w.view, &y.view, &epilogues[0], algorithm))
    return report("a convolution in one part", hm_error());
  z.each([&](const int64_t *p) { z.set(p, 12345); });
  std::vector<std::vector<uint8_t>> kept;
  const Box read = c.reads(ready);
  for (Tensor &t : x.tensors) {
    kept.emplace_back(t.memory.begin(), t.memory.end());
    t.each([&](const int64_t *p) {
      for (int a = 1; a < 4; a++)
        if (p[a] < read.start[a] || p[a] >= read.start[a] + read.size[a]) return t.set(p, NAN);
    });
  }
  void *begun = nullptr;
  if (hm_conv_begin(c.transpose, &c.window, x.sources.data(), n, &w.view, &z.view, &epilogues[1], algorithm, ready.start + 1, ready.size + 1, &begun))
    return report("the first part of a convolution", hm_error());
  bool early = false;
  z.each([&](const int64_t *p) { early |= z.get(p) != 12345; });
  begun_early += early;
  for (size_t s = 0; s < x.tensors.size(); s++) std::copy(kept[s].begin(), kept[s].end(), x.tensors[s].memory.begin());
  if (hm_conv_end(&begun)) return report("the second part of a convolution", hm_error());
  z.each([&](const int64_t *p) { check("a convolution in two parts", c, z.get(p) - y.get(p), 0, z.get(p) == y.get(p) ? 0 : -1e9, false); });
  sums[0].each([&](const int64_t *v) {
    check("sums of a convolution in two parts", c, sums[1].get(v) - sums[0].get(v), 0, sums[1].get(v) == sums[0].get(v) ? 0 : -1e9, false);
  });
}

} // namespace test
