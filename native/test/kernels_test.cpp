// Over 300 lines: one naive loop for each kernel, side by side with the call it checks.
// Copies, reductions, einsum, softmax, losses and resizing against loops over one element at a time.
//   g++ -std=c++17 -O2 -pthread native/test/kernels_test.cpp native/*.cpp -o kernels_test && ./kernels_test
#include "tensor.h"
#include <algorithm>
#include <map>

using namespace test;

namespace {

Layout any_layout(Random &r) { return r.pick({blocked, blocked, channels_last, channels_first}); }

// A tensor that stores [start, start + size) and perhaps more of `global`.
Tensor storing(Random &r, int dtype, const int64_t *start, const int64_t *size, const int64_t *global, int block,
               const int *has = nullptr, bool exact = false) {
  int64_t s[5], n[5];
  for (int i = 0; i < 5; i++) {
    s[i] = exact || r.below(2) ? start[i] : r.below(start[i] + 1);
    n[i] = start[i] + size[i] - s[i];
    if (!exact && r.below(2)) n[i] += r.below(global[i] - s[i] - n[i] + 1);
  }
  return Tensor(dtype, any_layout(r), block, s, n, global, has);
}

struct Box {
  int64_t start[5], size[5], global[5];
};
Box any_box(Random &r, int64_t channels) {
  const int64_t sizes[5] = {r.pick<int64_t>({1, 2}), r.pick<int64_t>({1, 3}), r.pick<int64_t>({1, 4, 17}),
                            r.pick<int64_t>({1, 6, 70}), channels};
  Box b;
  for (int i = 0; i < 5; i++) {
    b.size[i] = sizes[i], b.global[i] = sizes[i] + r.below(4);
    b.start[i] = r.below(b.global[i] - b.size[i] + 1);
  }
  return b;
}
int64_t any_channels(Random &r) { return r.pick<int64_t>({1, 3, 5, 8, 16, 20, 48}); }

std::string at(const int64_t *x) {
  std::string s = "(";
  for (int i = 0; i < 5; i++) s += (i ? ", " : "") + std::to_string(x[i]);
  return s + ")";
}

void test_copy(int cases) {
  for (int seed = 0; seed < cases; seed++) {
    Random r{uint64_t(seed)};
    Box b = any_box(r, any_channels(r));
    int32_t perm[5] = {0, 1, 2, 3, 4};
    if (r.below(2)) std::swap(perm[r.below(5)], perm[r.below(5)]);
    if (r.below(3) == 0) std::swap(perm[r.below(5)], perm[r.below(5)]);
    Box from;
    int64_t shift[5];
    for (int i = 0; i < 5; i++) { // src dimension i is dst dimension perm[i], moved
      from.size[i] = b.size[perm[i]], from.global[i] = b.global[perm[i]] + 3;
      from.start[i] = r.below(from.global[i] - from.size[i] + 1);
      shift[i] = b.start[perm[i]] - from.start[i];
    }
    const int types[] = {HM_F32, HM_BF16, HM_F64, HM_U8, HM_I32};
    int dst_type = types[r.below(5)], src_type = r.below(2) ? dst_type : types[r.below(5)];
    Tensor dst = storing(r, dst_type, b.start, b.size, b.global, int(r.pick<int64_t>({16, 8, 3})));
    Tensor src = storing(r, src_type, from.start, from.size, from.global, int(r.pick<int64_t>({16, 8, 3})));
    src.fill([&] { return double(r.below(200)); });
    dst.fill([] { return 77.0; });
    Tensor expected = dst.clone();
    each(b.start, b.size, [&](const int64_t *x) {
      int64_t y[5];
      for (int i = 0; i < 5; i++) y[i] = x[perm[i]] - shift[i];
      expected.set(x, src.get(y));
    });
    hm_set_threads(1 + seed % 3);
    int rc = hm_copy(&dst.view, &src.view, b.start, b.size, perm, shift);
    check(rc == 0, std::string("hm_copy: ") + hm_error());
    bool ok = true;
    for (int64_t i = 0; i < dst.elements; i++) {
      bool padding = dst.view.block > 1 && dst.view.size[4] % dst.view.block && dst.raw(i) == 0;
      ok = ok && (dst.raw(i) == expected.raw(i) || padding);
    }
    each(b.start, b.size, [&](const int64_t *x) { ok = ok && dst.get(x) == expected.get(x); });
    check(ok, "hm_copy case " + std::to_string(seed));

    check(hm_fill(&dst.view, b.start, b.size, 5) == 0, hm_error());
    each(b.start, b.size, [&](const int64_t *x) { expected.set(x, 5); });
    ok = true;
    each(dst.view.start, dst.view.size, [&](const int64_t *x) { ok = ok && dst.get(x) == expected.get(x); });
    check(ok, "hm_fill case " + std::to_string(seed));
  }
  Box b{{0, 0, 0, 0, 0}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}}; // big enough for several threads
  b.size[1] = b.global[1] = 20, b.size[2] = b.global[2] = 50, b.size[3] = b.global[3] = 60, b.size[4] = b.global[4] = 16;
  for (Layout from : {blocked, channels_last, channels_first})
    for (Layout to : {blocked, channels_last, channels_first}) {
      Tensor src(HM_F32, from, 16, b.start, b.size, b.global), dst(HM_BF16, to, 16, b.start, b.size, b.global);
      Random r(3);
      src.fill([&] { return double(r.below(200)); });
      const int32_t perm[5] = {0, 1, 2, 3, 4};
      const int64_t shift[5] = {};
      check(hm_copy(&dst.view, &src.view, b.start, b.size, perm, shift) == 0, hm_error());
      bool ok = true;
      each(b.start, b.size, [&](const int64_t *x) { ok = ok && dst.get(x) == src.get(x); });
      check(ok, "hm_copy of a large tensor");
    }
  Tensor src(HM_F32, channels_last, 1, b.start, b.size, b.global);
  const int32_t perm[5] = {0, 1, 2, 3, 3};
  const int64_t shift[5] = {0, 0, 0, 7, 0};
  const int32_t good[5] = {0, 1, 2, 3, 4};
  check(hm_copy(&src.view, &src.view, b.start, b.size, perm, shift) == 1 && std::strstr(hm_error(), "not a permutation"), hm_error());
  check(hm_copy(&src.view, &src.view, b.start, b.size, good, shift) == 1 && std::strstr(hm_error(), "src: dimension w"), hm_error());
  check(hm_fill(nullptr, b.start, b.size, 0) == 1 && std::strstr(hm_error(), "null"), hm_error());
}

void test_reshape(int cases) {
  for (int seed = 0; seed < cases; seed++) {
    Random r{uint64_t(seed)};
    // Two shapes of one number of elements, one of them perhaps only in part.
    const int64_t shapes[6][5] = {{2, 3, 4, 5, 20}, {1, 1, 1, 1, 2400}, {1, 2, 12, 5, 20}, {1, 6, 1, 20, 20}, {2, 1, 60, 1, 20}, {1, 1, 24, 2, 50}};
    const int64_t *a = shapes[r.below(6)], *b = shapes[r.below(6)], zero[5] = {};
    Tensor src(HM_F32, any_layout(r), 16, zero, a, a);
    int64_t start[5] = {}, size[5], partial = 0;
    for (int i = 0; i < 5; i++) size[i] = b[i];
    while (partial < 4 && b[partial] == 1) partial++;
    if (r.below(2)) start[partial] = r.below(b[partial]), size[partial] = 1 + r.below(b[partial] - start[partial]);
    Tensor dst(HM_F64, any_layout(r), 16, start, size, b);
    src.fill([&] { return double(r.below(5000)); });
    hm_set_threads(1 + seed % 2);
    check(hm_reshape(&dst.view, &src.view) == 0, hm_error());
    bool ok = true;
    each(start, size, [&](const int64_t *x) {
      int64_t index = 0, y[5];
      for (int i = 0; i < 5; i++) index = index * b[i] + x[i];
      for (int i = 4; i >= 0; i--) y[i] = index % a[i], index /= a[i];
      ok = ok && dst.get(x) == src.get(y);
    });
    check(ok, "hm_reshape case " + std::to_string(seed));
    if (size[partial] < b[partial])
      check(hm_reshape(&src.view, &dst.view) == 1 && std::strstr(hm_error(), "src only"), "hm_reshape of too few elements");
  }
}

void test_reduce(int cases) {
  for (int seed = 0; seed < cases; seed++) {
    Random r{uint64_t(seed)};
    Box b = any_box(r, any_channels(r));
    int present[5];
    for (int i = 0; i < 5; i++) present[i] = int(r.below(2));
    const int kind = int(r.below(3)), dtype = r.pick({HM_F32, HM_BF16, HM_F64, HM_U8});
    Tensor src = storing(r, dtype, b.start, b.size, b.global, int(r.pick<int64_t>({16, 8, 3})));
    Tensor dst = storing(r, r.pick({HM_F32, HM_F64}), b.start, b.size, b.global, int(r.pick<int64_t>({16, 8, 3})), present);
    src.fill([&] { return dtype == HM_U8 ? double(r.below(9)) : r.uniform(-1, 1); });
    dst.fill([] { return 77.0; });
    std::map<int64_t, double> expected;
    each(b.start, b.size, [&](const int64_t *x) {
      int64_t to = dst.offset(x);
      double v = src.get(x);
      if (!expected.count(to)) expected[to] = v;
      else expected[to] = kind == 0 ? expected[to] + v : kind == 1 ? std::fmax(expected[to], v) : std::fmin(expected[to], v);
    });
    hm_view box = make_box(b.start, b.size, b.global, 16);
    std::vector<Tensor> results;
    for (int threads = 1; threads <= 3; threads++) {
      Tensor out = dst.clone();
      hm_set_threads(threads);
      check(hm_reduce(kind, &src.view, &box, &out.view, present) == 0, hm_error());
      results.push_back(out);
      check(out.same_bits(results[0]), "hm_reduce depends on the number of threads");
    }
    bool ok = true;
    for (int64_t i = 0; i < dst.elements; i++) {
      double wanted = expected.count(i) ? expected[i] : 77.0, got = results[0].raw(i);
      bool padding = !expected.count(i) && got == 0 && dst.view.block > 1;
      ok = ok && (close(got, wanted, 1e-5 * (1 + double(src.elements) / 100)) || padding);
    }
    check(ok, "hm_reduce case " + std::to_string(seed) + " of kind " + std::to_string(kind));
  }
}

void test_einsum(int cases) {
  for (int seed = 0; seed < cases; seed++) {
    Random r{uint64_t(seed)};
    const int n_loops = int(1 + r.below(4)), n_out = int(r.below(n_loops + 1)), n_in = int(1 + r.below(3));
    int64_t extent[10];
    for (int k = 0; k < n_loops; k++) extent[k] = r.pick<int64_t>({1, 2, 5, 20, 70});
    struct Data {
      hm_einsum_operand o{};
      std::vector<float> f;
      std::vector<double> d;
      int64_t offset(const int64_t *x, int n) const {
        int64_t at = 0;
        for (int k = 0; k < n; k++)
          at += k == o.blocked_loop ? x[k] / o.block * o.block_stride + x[k] % o.block : x[k] * o.stride[k];
        return at;
      }
      double get(int64_t i) const { return o.dtype == HM_F32 ? double(f[size_t(i)]) : d[size_t(i)]; }
    };
    auto make = [&](bool output) {
      Data x;
      x.o.dtype = r.below(3) ? HM_F32 : HM_F64;
      x.o.blocked_loop = -1;
      int64_t elements = 1;
      std::vector<int> order;
      for (int k = 0; k < n_loops; k++)
        if (output ? k < n_out : r.below(3) > 0) order.push_back(k);
      for (size_t i = 0; i + 1 < order.size(); i++) std::swap(order[i], order[i + size_t(r.below(int64_t(order.size() - i)))]);
      for (int k : order) x.o.stride[k] = elements, elements *= extent[k];
      if (!order.empty() && r.below(2)) { // the first of them in blocks, which lie outside
        int k = order[0];
        x.o.blocked_loop = k, x.o.block = 8, elements = 8;
        for (size_t i = 1; i < order.size(); i++) x.o.stride[order[i]] = elements, elements *= extent[order[i]];
        x.o.block_stride = elements, elements *= (extent[k] + 7) / 8;
      }
      x.f.resize(size_t(elements)), x.d.resize(size_t(elements));
      for (size_t i = 0; i < x.f.size(); i++) x.f[i] = float(r.uniform(-1, 1)), x.d[i] = x.f[i];
      return x;
    };
    std::vector<Data> in;
    for (int i = 0; i < n_in; i++) in.push_back(make(false));
    Data out = make(true);
    std::vector<hm_einsum_operand> operands;
    for (Data &x : in) {
      x.o.data = x.o.dtype == HM_F32 ? (void *)x.f.data() : (void *)x.d.data();
      operands.push_back(x.o);
    }
    out.o.data = out.o.dtype == HM_F32 ? (void *)out.f.data() : (void *)out.d.data();
    hm_set_threads(1 + seed % 3);
    check(hm_einsum(n_loops, extent, n_out, operands.data(), n_in, &out.o) == 0, hm_error());
    std::map<int64_t, double> expected;
    int64_t x[10] = {}, total = 1;
    for (int k = 0; k < n_loops; k++) total *= extent[k];
    for (int64_t i = 0; i < total; i++) {
      int64_t rest = i;
      for (int k = n_loops - 1; k >= 0; k--) x[k] = rest % extent[k], rest /= extent[k];
      double p = 1;
      for (Data &d : in) p *= d.get(d.offset(x, n_loops));
      expected[out.offset(x, n_out)] += p;
    }
    bool ok = true;
    for (auto &e : expected) ok = ok && close(out.get(e.first), e.second, 1e-5);
    check(ok, "hm_einsum case " + std::to_string(seed));
  }
}

void test_classes(int cases) {
  for (int seed = 0; seed < cases; seed++) {
    Random r{uint64_t(seed)};
    Box b = any_box(r, r.pick<int64_t>({1, 2, 3, 5, 20}));
    const int64_t classes = b.size[4], n0 = b.start[0], cases_n = b.size[0];
    b.start[4] = 0, b.global[4] = classes;
    const int block = int(std::min<int64_t>(classes, 16)), no_c[5] = {1, 1, 1, 1, 0}, only_n[5] = {1, 0, 0, 0, 0};
    Tensor logits = storing(r, r.pick({HM_F32, HM_BF16}), b.start, b.size, b.global, block);
    const double spread = r.pick({1.0, 30.0});
    logits.fill([&] { return r.uniform(-spread, spread); });
    Tensor labels = storing(r, r.pick({HM_U8, HM_I32, HM_F32}), b.start, b.size, b.global, 1, no_c);
    labels.fill([&] { return double(r.below(classes)); });
    std::vector<double> weights;
    for (int64_t k = 0; k < classes; k++) weights.push_back(r.uniform(0.5, 2));
    const bool per_case = r.below(2);
    const int none[5] = {};
    auto sums = [&] {
      return Tensor(HM_F64, channels_last, 1, b.start, b.size, b.global, per_case ? only_n : none);
    };
    const int cls = int(r.below(classes));
    Simple load(logits, false);
    hm_source source{};
    source.load = load.program, source.box = make_box(b.start, b.size, b.global, block);
    hm_view box = make_box(b.start, b.size, b.global, 1);

    auto softmax = [&](const int64_t *x) {
      std::vector<double> z(static_cast<size_t>(classes));
      int64_t y[5] = {x[0], x[1], x[2], x[3], 0};
      double top = -INFINITY, sum = 0;
      for (y[4] = 0; y[4] < classes; y[4]++) top = std::fmax(top, z[size_t(y[4])] = logits.get(y));
      for (double v : z) sum += std::exp(v - top);
      for (double &v : z) v = std::exp(v - top) / sum;
      return z;
    };
    int64_t voxels[5] = {b.size[0], b.size[1], b.size[2], b.size[3], 1};
    std::map<int64_t, double> ce, pt, p, t; // by n, or 0
    each(b.start, voxels, [&](const int64_t *x) {
      auto s = softmax(x);
      const int label = int(labels.get(x));
      const int64_t n = per_case ? x[0] : 0;
      ce[n] += weights[size_t(label)] * -std::log(std::fmax(s[size_t(label)], 1e-300));
      pt[n] += s[size_t(cls)] * (label == cls), p[n] += s[size_t(cls)], t[n] += label == cls;
    });
    std::vector<Tensor> first;
    for (int threads = 1; threads <= 3; threads++) {
      hm_set_threads(threads);
      std::string name = "losses case " + std::to_string(seed);
      Tensor loss = sums(), s_pt = sums(), s_p = sums(), s_t = sums(), g1 = sums(), g2 = sums();
      if (!per_case) // scalars: without a batch
        for (Tensor *x : {&loss, &s_pt, &s_p, &s_t, &g1, &g2}) x->view.global[0] = x->view.size[0] = 1;
      for (int64_t i = 0; i < g1.elements; i++) g1.set_raw(i, 0.7 + double(i)), g2.set_raw(i, -0.3 + double(i));
      Tensor soft(HM_F32, blocked, block, b.start, b.size, b.global), dce = soft.clone(), dsum = soft.clone();
      Tensor best(HM_U8, any_layout(r), 1, b.start, b.size, b.global, no_c);
      Simple to_soft(soft, true), to_dce(dce, true), to_dsum(dsum, true);
      check(hm_softmax(&source, &box, &to_soft.program) == 0, hm_error());
      check(hm_argmax(&source, &box, &best.view) == 0, hm_error());
      check(hm_cross_entropy(&source, &labels.view, weights.data(), &box, &loss.view, per_case) == 0, hm_error());
      check(hm_cross_entropy_grad(&source, &labels.view, weights.data(), &g1.view, per_case, &box, &to_dce.program) == 0, hm_error());
      check(hm_class_sums(&source, &labels.view, cls, &box, &s_pt.view, &s_p.view, &s_t.view) == 0, hm_error());
      check(hm_class_sums_grad(&source, &labels.view, cls, &g1.view, &g2.view, &box, &to_dsum.program) == 0, hm_error());
      for (Tensor *x : {&soft, &dce, &dsum, &loss, &s_pt, &s_p, &s_t}) first.push_back(*x);
      if (threads > 1) {
        for (size_t i = 0; i < 7; i++)
          check(first[i].same_bits(first[first.size() - 7 + i]), name + " depends on the number of threads");
        continue;
      }
      for (int64_t n = per_case ? n0 : 0; n < (per_case ? n0 + cases_n : 1); n++) {
        int64_t x[5] = {n, 0, 0, 0, 0};
        check(close(loss.get(x), ce[n], 1e-5 * (1 + std::fabs(ce[n]))), name + " cross entropy " + std::to_string(loss.get(x)));
        check(close(s_pt.get(x), pt[n], 1e-4), name + " pt");
        check(close(s_p.get(x), p[n], 1e-4), name + " p");
        check(s_t.get(x) == t[n], name + " t");
      }
      bool ok[4] = {true, true, true, true};
      each(b.start, b.size, [&](const int64_t *x) {
        auto s = softmax(x);
        const int64_t k = x[4], label = int64_t(labels.get(x));
        const double g = g1.get(x), h = g2.get(x), p_k = s[size_t(k)], p_c = s[size_t(cls)];
        ok[0] = ok[0] && close(soft.get(x), p_k, 1e-6);
        ok[1] = ok[1] && close(dce.get(x), g * weights[size_t(label)] * (p_k - (k == label)), 1e-5);
        ok[2] = ok[2] && close(dsum.get(x), (g * (label == cls) + h) * p_c * ((k == cls) - p_k), 1e-5);
        ok[3] = ok[3] && int(best.get(x)) == int(std::max_element(s.begin(), s.end()) - s.begin());
      });
      const char *names[] = {" softmax", " cross entropy gradient", " class sums gradient", " argmax"};
      for (int i = 0; i < 4; i++) check(ok[i], name + names[i]);
    }
    // A label that is no class.
    int64_t x[5] = {b.start[0] + b.size[0] - 1, b.start[1], b.start[2] + b.size[2] - 1, b.start[3] + b.size[3] / 2, 0};
    labels.set(x, double(classes + 3));
    Tensor loss = sums();
    if (!per_case) loss.view.global[0] = 1;
    check(hm_cross_entropy(&source, &labels.view, weights.data(), &box, &loss.view, per_case) == 1, "a bad label is refused");
    std::string wanted = "label " + std::to_string(classes + 3) + " at (n " + std::to_string(x[0]) + ", d " + std::to_string(x[1]) +
                         ", h " + std::to_string(x[2]) + ", w " + std::to_string(x[3]) + "): expected a whole number from 0 to " +
                         std::to_string(classes - 1);
    check(std::strstr(hm_error(), wanted.c_str()), hm_error());
  }
}

// Weights with which output o of m reads the n inputs of an axis.
std::vector<double> resize_row(int kind, int64_t o, int64_t n, int64_t m) {
  std::vector<double> w(static_cast<size_t>(n));
  if (kind == 0) w[size_t(std::min<int64_t>(int64_t(std::floor((double(o) + 0.5) * double(n) / double(m))), n - 1))] = 1;
  else {
    double s = std::fmax((double(o) + 0.5) * double(n) / double(m) - 0.5, 0), low = std::floor(s);
    w[size_t(low)] += 1 - (s - low), w[size_t(std::min<int64_t>(int64_t(low) + 1, n - 1))] += s - low;
  }
  return w;
}

void test_resize(int cases) {
  for (int seed = 0; seed < cases; seed++) {
    Random r{uint64_t(seed)};
    const int kind = int(r.below(2));
    const bool backward = r.below(2);
    const int64_t channels = any_channels(r), zero[5] = {};
    int64_t in[5] = {2, 1 + r.below(6), 1 + r.below(6), 1 + r.below(12), channels}, out[5] = {2, 1 + r.below(9), 1 + r.below(12), 1 + r.below(20), channels};
    const int64_t *source_size = backward ? out : in, *target = backward ? in : out;
    const int block = int(std::min<int64_t>(16, channels));
    Tensor x(r.pick({HM_F32, HM_BF16}), any_layout(r), block, zero, source_size, source_size);
    x.fill([&] { return r.uniform(-1, 1); });
    int64_t start[5], size[5];
    for (int i = 0; i < 5; i++) start[i] = r.below(target[i]), size[i] = 1 + r.below(target[i] - start[i]);
    start[4] = start[4] / block * block, size[4] = channels - start[4];
    Tensor y(HM_F32, any_layout(r), block, start, size, target);
    Simple load(x, false), store(y, true);
    hm_source source{};
    source.load = load.program, source.box = make_box(zero, source_size, source_size, block);
    hm_view box = make_box(start, size, target, block);
    hm_set_threads(1 + seed % 3);
    check((backward ? hm_resize_grad : hm_resize)(kind, &source, &box, &store.program) == 0, hm_error());
    // Separable: one axis at a time, dense.
    std::vector<double> w[3];
    for (int a = 0; a < 3; a++)
      for (int64_t o = 0; o < out[a + 1]; o++)
        for (double v : resize_row(kind, o, in[a + 1], out[a + 1])) w[a].push_back(v); // [o][i]
    bool ok = true;
    each(start, size, [&](const int64_t *p) {
      double sum = 0;
      const int64_t all[5] = {1, source_size[1], source_size[2], source_size[3], 1}, from[5] = {p[0], 0, 0, 0, p[4]};
      each(from, all, [&](const int64_t *q) {
        double weight = 1;
        for (int a = 0; a < 3; a++) {
          int64_t o = backward ? q[a + 1] : p[a + 1], i = backward ? p[a + 1] : q[a + 1];
          weight *= w[a][size_t(o * in[a + 1] + i)];
        }
        if (weight != 0) sum += weight * x.get(q);
      });
      if (!close(y.get(p), sum, 1e-5)) {
        if (ok) std::printf("%s: %g, expected %g\n", at(p).c_str(), y.get(p), sum);
        ok = false;
      }
    });
    check(ok, std::string(backward ? "hm_resize_grad" : "hm_resize") + " case " + std::to_string(seed));
  }
}

} // namespace

int main(int argc, char **argv) {
  const int cases = argc > 1 ? std::atoi(argv[1]) : 400;
  test_copy(cases);
  test_reshape(cases);
  test_reduce(cases);
  test_einsum(cases);
  test_classes(cases / 2);
  test_resize(cases / 2);
  return report("kernels");
}
