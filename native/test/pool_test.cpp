// Pooling and its gradients against plain loops in float64, over random windows, boxes, channels and storage types.
//
//   g++ -std=c++17 -O2 -march=native -pthread native/*.cpp native/test/pool_test.cpp -o pool_test && ./pool_test [cases] [seed]
#include "cases.h"

using namespace test;

namespace {

int32_t kind;

// A tensor that stores `space` along n, d, h, w and the channels of `box`.
Tensor stored(const int64_t space[3], const Case &c, const Box &box, const Box &reads) {
  int64_t global[5] = {c.n, space[0], space[1], space[2], c.out_channels};
  Box b = reads;
  b.start[4] = box.start[4], b.size[4] = box.size[4];
  Tensor t(global, b, std::max(1, block_of(b.size[4])), random_dtype());
  t.each([&](const int64_t *at) { t.set(at, double(rng.range(-6, 6)) / 4); }); // many equal values
  return t;
}

// 1 / positions that the mean of window p counts.
double mean_weight(const Case &forward, const int64_t p[5]) {
  double count = 0;
  if (kind == 1) return 1.0 / double(forward.window.kernel[0] * forward.window.kernel[1] * forward.window.kernel[2]);
  forward.terms(p, [&](const int64_t *, const int64_t *) { count++; });
  return count ? 1 / count : 0;
}

void test_pool() {
  Case c;
  c.draw(false);
  Box box = c.random_box(c.out, c.out_channels);
  Tensor x = stored(c.in, c, box, c.reads(box));
  int64_t global[5] = {c.n, c.out[0], c.out[1], c.out[2], c.out_channels};
  Tensor y(global, box, std::max(1, block_of(box.size[4])), HM_F32), sum = channel_vector(box.start[4], box.size[4], c.out_channels, HM_F64);
  Program load = load_program(x), store;
  int value = store.take_input();
  store.store(value, y.view);
  if (kind != 0) store.sum(value, sum.view);
  hm_program epilogue = store.get();
  hm_source from = source(load, x);
  if (!on_threads("hm_pool", {&y.memory, &sum.memory}, [&] { return hm_pool(kind, &c.window, &from, &y.view, &epilogue); })) return;
  y.each([&](const int64_t *p) {
    double want = kind == 0 ? -INFINITY : 0;
    c.terms(p, [&](const int64_t *at, const int64_t *) {
      int64_t i[5] = {at[0], at[1], at[2], at[3], p[4]};
      want = kind == 0 ? std::max(want, x.get(i)) : want + x.get(i);
    });
    if (kind != 0) want *= mean_weight(c, p);
    check("hm_pool", c, std::isinf(want) && y.get(p) == want ? 0 : y.get(p), std::isinf(want) ? 0 : want, 1, false);
  });
}

// `c` draws the scatter direction: c.in are windows (dy), c.out is x.
void test_grad() {
  const char *what = kind == 0 ? "hm_max_pool_grad" : "hm_avg_pool_grad";
  Case c;
  c.draw(true);
  Case forward = c;
  forward.transpose = false;
  std::copy(c.in, c.in + 3, forward.out);
  std::copy(c.out, c.out + 3, forward.in);
  Box box = c.random_box(c.out, c.out_channels), windows = c.reads(box);
  windows.size[4] = box.size[4];
  Box touched = forward.reads(windows);
  Tensor dy = stored(c.in, c, box, windows), x = stored(c.out, c, box, touched);
  int64_t global[5] = {c.n, c.out[0], c.out[1], c.out[2], c.out_channels};
  Tensor dx(global, box, std::max(1, block_of(box.size[4])), HM_F32);
  Program load_dy = load_program(dy), load_x = load_program(x), store = store_program(dx);
  hm_source dy_source = source(load_dy, dy), x_source = source(load_x, x);
  hm_program epilogue = store.get();
  if (!on_threads(what, {&dx.memory}, [&] {
        return kind == 0 ? hm_max_pool_grad(&c.window, &x_source, &dy_source, &dx.view, &epilogue)
                         : hm_avg_pool_grad(kind, &c.window, global, &dy_source, &dx.view, &epilogue);
      }))
    return;
  dx.each([&](const int64_t *p) {
    double want = 0, magnitude = 0;
    c.terms(p, [&](const int64_t *at, const int64_t *) {
      int64_t o[5] = {at[0], at[1], at[2], at[3], p[4]};
      double term = dy.get(o);
      if (kind != 0) {
        term *= mean_weight(forward, o);
      } else { // is p the first largest of window o?
        double best = -INFINITY;
        bool ours = false;
        forward.terms(o, [&](const int64_t *i, const int64_t *) {
          int64_t xi[5] = {i[0], i[1], i[2], i[3], p[4]};
          if (!(x.get(xi) > best)) return;
          best = x.get(xi);
          ours = std::equal(xi, xi + 5, p);
        });
        term = ours ? term : 0;
      }
      want += term, magnitude += std::fabs(term);
    });
    check(what, c, dx.get(p), want, magnitude, false);
  });
}

} // namespace

int main(int argc, char **argv) {
  int cases = argc > 1 ? std::atoi(argv[1]) : 400;
  if (argc > 2) rng.state += uint64_t(std::atoll(argv[2])) * 0x9e3779b97f4a7c15u;
  for (int i = 0; i < cases; i++)
    for (kind = 0; kind <= 2; kind++) {
      test_pool();
      test_grad();
    }
  std::printf("%s: %d poolings and %d gradients, each on 1, 2 and 3 threads, %ld values: %ld failures\n", hm_isa(), 3 * cases, 3 * cases, compared, failures);
  return failures != 0;
}
