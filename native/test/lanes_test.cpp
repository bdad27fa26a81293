// Instructions of row programs over the lanes of a position, against the same sums in double; and labels that are none.
//   g++ -std=c++17 -O2 -pthread native/test/lanes_test.cpp native/*.cpp -o lanes_test && ./lanes_test
#include "tensor.h"
#include <algorithm>

using namespace test;

namespace {

struct Results {
  Tensor soft, log_soft, hit, sum, best, total;
  std::vector<Tensor *> all() { return {&soft, &log_soft, &hit, &sum, &best, &total}; }
};

void test_lanes(int cases) {
  const int everywhere[5] = {1, 1, 1, 1, 1}, no_classes[5] = {1, 1, 1, 1, 0}, by_class[5] = {0, 0, 0, 0, 1};
  for (int seed = 0; seed < cases; seed++) {
    Random r{uint64_t(seed) + 4242};
    const std::string name = "lanes case " + std::to_string(seed);
    const int64_t classes = r.pick<int64_t>({1, 2, 3, 4, 5, 8, 16});
    const int64_t size[5] = {r.pick<int64_t>({1, 2}), r.pick<int64_t>({1, 3}), r.pick<int64_t>({1, 9}),
                             r.pick<int64_t>({1, 7, 40, 300}), classes};
    int64_t start[5] = {}, global[5];
    for (int i = 0; i < 4; i++) start[i] = r.below(3);
    for (int i = 0; i < 5; i++) global[i] = start[i] + size[i];
    const int wide = r.below(3) == 0, block = int(classes < 16 && r.below(4) == 0 ? 16 : classes);
    Tensor z(r.pick({HM_F32, HM_F32, HM_BF16}), r.pick({blocked, channels_last}), block, start, size, global,
             r.below(6) == 0 ? by_class : everywhere); // by_class: the same at every position
    const bool huge = r.below(5) == 0;
    z.fill([&] { return r.uniform(-3, 3) * (huge ? 60 : 1); });
    Tensor labels(r.pick({HM_U8, HM_I32, HM_F32}), channels_last, 1, start, size, global, no_classes);
    labels.fill([&] { return double(r.below(classes)); });
    auto results = [&] {
      auto out = [&](int dtype, const int *has) { return Tensor(dtype, blocked, block, start, size, global, has); };
      return Results{out(HM_F32, everywhere), out(HM_F32, everywhere), out(HM_F32, everywhere),
                     out(HM_F32, no_classes), out(HM_U8, no_classes),  out(HM_F64, by_class)};
    };
    const std::vector<hm_instr> in{
        instr(HM_LOAD, 0, 0, 0, 0, 0, 0),         instr(HM_LOAD, 1, 0, 0, 0, 0, 1),   instr(HM_LABEL, 2, 1, 0, 0, double(classes)),
        instr(HM_LANE, 3),                        instr(HM_EQ, 4, 3, 2),              instr(HM_SOFTMAX, 5, 0),
        instr(HM_LOG_SOFTMAX, 6, 0),              instr(HM_LANE_SUM, 7, 0),           instr(HM_ARGMAX, 8, 0),
        instr(HM_STORE, 0, 5, 0, 0, 0, 2),        instr(HM_STORE, 0, 6, 0, 0, 0, 3),  instr(HM_STORE, 0, 4, 0, 0, 0, 4),
        instr(HM_STORE, 0, 7, 0, 0, 0, 5),        instr(HM_STORE, 0, 8, 0, 0, 0, 6),  instr(HM_SUM, 0, 5, 0, 0, 0, 7)};
    const hm_view box = make_box(start, size, global, block);
    auto run = [&](Results &to) {
      std::vector<hm_operand> o{z.operand(), labels.operand()};
      for (Tensor *t : to.all()) o.push_back(t->operand());
      const hm_program p = make_program(in, o, 9, global, wide);
      return hm_rows(&p, &box);
    };
    Results one = results();
    hm_set_threads(1);
    check(run(one) == 0, name + ": " + hm_error());
    for (int threads = 2; threads <= 3; threads++) {
      Results more = results();
      hm_set_threads(threads);
      check(run(more) == 0, name + ": " + hm_error());
      for (size_t i = 0; i < 6; i++)
        check(one.all()[i]->same_bits(*more.all()[i]), name + " depends on the number of threads");
    }
    std::vector<double> total(static_cast<size_t>(classes));
    bool ok[5] = {true, true, true, true, true};
    const int64_t one_class[5] = {size[0], size[1], size[2], size[3], 1};
    each(start, one_class, [&](const int64_t *at) {
      int64_t x[5] = {at[0], at[1], at[2], at[3], 0};
      std::vector<double> v;
      for (x[4] = 0; x[4] < classes; x[4]++) v.push_back(z.get(x));
      const double top = *std::max_element(v.begin(), v.end());
      double sum = 0, plain = 0;
      for (double y : v) sum += std::exp(y - top), plain += y;
      for (x[4] = 0; x[4] < classes; x[4]++) {
        const size_t k = size_t(x[4]);
        total[k] += std::exp(v[k] - top) / sum;
        ok[0] &= close(one.soft.get(x), std::exp(v[k] - top) / sum, 1e-6);
        ok[1] &= close(one.log_soft.get(x), v[k] - top - std::log(sum), 1e-6);
        ok[2] &= one.hit.get(x) == double(x[4] == int64_t(labels.get(at)));
      }
      ok[3] &= close(one.sum.get(at), plain, huge ? 2e-3 : 2e-5);
      ok[4] &= one.best.get(at) == double(std::max_element(v.begin(), v.end()) - v.begin());
    });
    const char *names[] = {" softmax", " log softmax", " hit", " sum", " argmax"};
    for (int i = 0; i < 5; i++) check(ok[i], name + names[i]);
    for (int64_t k = 0; k < classes; k++)
      check(close(one.total.raw(k), total[size_t(k)], 1e-5), name + " total " + std::to_string(one.total.raw(k)));

    // The first label that is none is named with its place; the next call knows nothing of it.
    int64_t last[5] = {start[0] + size[0] - 1, start[1] + size[1] - 1, start[2] + size[2] - 1, start[3] + size[3] - 1, 0};
    int64_t bad[5] = {last[0], start[1], start[2], start[3] + size[3] / 2, 0};
    const double was[2] = {labels.get(last), labels.get(bad)};
    labels.set(last, double(classes + 1)), labels.set(bad, double(classes + 3));
    check(run(one) == 1, name + ": a bad label is refused");
    const std::string wanted = "label " + std::to_string(classes + 3) + " at (n " + std::to_string(bad[0]) + ", d " +
                               std::to_string(bad[1]) + ", h " + std::to_string(bad[2]) + ", w " + std::to_string(bad[3]) +
                               "): expected a whole number from 0 to " + std::to_string(classes - 1);
    check(std::strstr(hm_error(), wanted.c_str()), hm_error());
    labels.set(bad, was[1]), labels.set(last, was[0]);
    check(run(one) == 0, name + ": " + hm_error());
  }
}

void test_refusals() {
  const int64_t start[5] = {}, size[5] = {1, 1, 1, 4, 17}, three[5] = {1, 1, 1, 4, 3};
  const int no_classes[5] = {1, 1, 1, 1, 0};
  Tensor z(HM_F32, channels_last, 1, start, size, size), out(HM_F32, channels_last, 1, start, size, size, no_classes);
  std::vector<hm_operand> o{z.operand(), out.operand()};
  auto fails = [&](std::vector<hm_instr> in, const hm_view &box, const char *part) {
    const hm_program p = make_program(in, o, 2, box.global);
    check(hm_rows(&p, &box) == 1 && std::strstr(hm_error(), part), std::string("expected '") + part + "', got: " + hm_error());
  };
  const hm_instr load = instr(HM_LOAD, 0, 0, 0, 0, 0, 0), store = instr(HM_STORE, 0, 1, 0, 0, 0, 1);
  const hm_view wide = make_box(start, size, size, 16), part = make_box(start, three, size, 3), good = make_box(start, three, three, 3);
  fails({load, instr(HM_SOFTMAX, 1, 0)}, wide, "needs all channels in one block of at most 16");
  fails({load, instr(HM_ARGMAX, 1, 0)}, part, "needs all channels in one block of at most 16");
  fails({load, instr(HM_LABEL, 1, 0, 0, 0, 3)}, good, "differs from lane to lane");
  fails({load, instr(HM_SOFTMAX, 1, 0), store}, good, "lacks dimension c");
}

} // namespace

int main(int argc, char **argv) {
  test_lanes(argc > 1 ? std::atoi(argv[1]) * 2 : 400);
  test_refusals();
  return report("lanes");
}
