// Over 300 lines: one interpreter, one generator of random cases and the checks that use both.
// Row programs against an interpreter of one element at a time: random programs over random layouts, types and boxes.
// (Instructions over the lanes of a position: lanes_test.cpp.)
//   g++ -std=c++17 -O2 -pthread native/test/rows_test.cpp native/*.cpp -o rows_test && ./rows_test
#include "rows/rows.h"
#include "runtime/threads.h"
#include "tensor.h"
#include <atomic>
#include <map>

using namespace test;

namespace {

uint32_t mix(uint32_t x) {
  x ^= x >> 16, x *= 0x21f0aaadu, x ^= x >> 15, x *= 0xd35a2d97u;
  return x ^ (x >> 15);
}
uint32_t random_bits(uint32_t key0, uint32_t key1, uint32_t step, uint64_t index) {
  uint32_t a = mix(key0 ^ mix(uint32_t(index >> 32) + 0x9e3779b9u)), b = mix(key1 ^ mix(step + 0x85ebca6bu));
  return mix(mix(uint32_t(index) ^ a) + b);
}

// One element of a program; T is float or double as in the kernels.
template <class T>
void naive(const hm_program &p, const std::vector<Tensor> &tensors, const int64_t *x, std::vector<double> &sums,
           std::vector<std::pair<int, double>> &stores, double input) {
  std::vector<T> r(size_t(p.n_registers));
  if (p.input >= 0) r[size_t(p.input)] = T(input);
  sums.clear(), stores.clear();
  for (int i = 0; i < p.n_instr; i++) {
    const hm_instr &in = p.instr[i];
    auto reg = [&](int k) { return k >= 0 && k < p.n_registers ? r[size_t(k)] : T(0); };
    T a = reg(in.a), b = reg(in.b), c = reg(in.c), imm = T(in.imm), y = 0;
    uint64_t index = 0;
    for (int k = 0; k < 5; k++) index = index * uint64_t(p.global[k]) + uint64_t(x[k]);
    uint32_t step = in.operand >= 0 && in.op >= HM_UNIFORM ? uint32_t(tensors[size_t(in.operand)].raw(0)) : 0;
    double u = (random_bits(in.key0, in.key1, step, index) >> 8) / 16777216.0;
    double u2 = (random_bits(in.key0, in.key1 ^ 0x6a09e667u, step, index) >> 8) / 16777216.0;
    switch (in.op) {
    case HM_LOAD: y = T(tensors[size_t(in.operand)].get(x)); break;
    case HM_STORE: stores.push_back({in.operand, double(a)}); continue;
    case HM_SUM: sums.push_back(double(a)); continue;
    case HM_CONST: y = imm; break;
    case HM_COPY: y = a; break;
    case HM_ADD: y = a + b; break;
    case HM_SUB: y = a - b; break;
    case HM_MUL: y = a * b; break;
    case HM_DIV: y = a / b; break;
    case HM_MIN: y = std::isnan(a) || a < b ? a : b; break;
    case HM_MAX: y = std::isnan(a) || a > b ? a : b; break;
    case HM_POW: y = std::pow(a, b); break;
    case HM_FMA: y = std::fma(a, b, c); break;
    case HM_NEG: y = -a; break;
    case HM_ABS: y = std::fabs(a); break;
    case HM_SIGN: y = a > 0 ? 1 : a < 0 ? -1 : a; break;
    case HM_SQUARE: y = a * a; break;
    case HM_SQRT: y = std::sqrt(a); break;
    case HM_RSQRT: y = 1 / std::sqrt(a); break;
    case HM_RECIP: y = 1 / a; break;
    case HM_EXP: y = T(std::exp(double(a))); break;
    case HM_LOG: y = T(std::log(double(a))); break;
    case HM_TANH: y = T(std::tanh(double(a))); break;
    case HM_ERF: y = T(std::erf(double(a))); break;
    case HM_SIGMOID: y = T(1 / (1 + std::exp(-double(a)))); break;
    case HM_FLOOR: y = std::floor(a); break;
    case HM_LEAKY: y = a > 0 ? a : imm * a; break;
    case HM_LEAKY_GRAD: y = a > 0 ? b : imm * b; break;
    case HM_LT: y = a < b; break;
    case HM_LE: y = a <= b; break;
    case HM_EQ: y = a == b; break;
    case HM_SELECT: y = a != 0 ? b : c; break;
    case HM_ROUND_BF16: y = bf16_round(float(a)); break;
    case HM_ROUND_F32: y = T(float(a)); break;
    case HM_TRUNC: y = std::trunc(a); break;
    case HM_UNIFORM: y = T(u); break;
    case HM_NORMAL: y = T(std::sqrt(-2 * std::log(u + 1.0 / 16777216)) * std::cos(u2 * 6.28318530717958647692)); break;
    case HM_BERNOULLI: y = u < in.imm; break;
    }
    r[size_t(in.dst)] = y;
  }
}

struct Case {
  std::vector<Tensor> tensors;
  std::vector<hm_instr> in;
  int64_t start[5], size[5], global[5];
  int block, registers = 6, wide;
};

// A random program: loads, a few operations, stores and sums. `epilogue`: register 0 is given.
Case random_case(Random &r, bool epilogue) {
  Case k;
  const int64_t channels = r.pick<int64_t>({1, 3, 5, 8, 16, 20, 48});
  const bool flat = r.below(6) == 0; // plain vectors
  const bool plain = r.below(4) == 0; // every tensor plain, of one layout and exactly the box: dimensions may be joined
  const Layout layout = r.pick({channels_last, channels_first});
  const int64_t sizes[5] = {r.pick<int64_t>({1, 2}), r.pick<int64_t>({1, 3}), r.pick<int64_t>({1, 5, 18}),
                            r.pick<int64_t>({1, 7, 40, 150}), channels};
  for (int i = 0; i < 5; i++) {
    k.global[i] = (flat && i < 4 ? 1 : sizes[i]) + r.below(3);
    k.size[i] = flat && i < 4 ? 1 : sizes[i];
    k.start[i] = r.below(k.global[i] - k.size[i] + 1);
  }
  k.block = channels < 16 ? int(r.pick<int64_t>({channels, 16, 1})) : 16;
  k.wide = r.below(3) == 0;
  auto add = [&](bool store, bool sum, bool scalar) {
    int has[5];
    for (int i = 0; i < 5; i++) has[i] = scalar ? 0 : store ? 1 : sum ? (i == 0 || i == 4) && r.below(2) : r.below(3) > 0;
    if (!store && !sum && !scalar && r.below(3) == 0)
      for (int i = 0; i < 4; i++) has[i] = 0, has[4] = 1; // a channel vector
    int64_t start[5], size[5];
    bool tight = plain || r.below(2) || store; // stores exactly the box, or more
    for (int i = 0; i < 5; i++) {
      start[i] = plain || (tight && r.below(2)) ? k.start[i] : r.below(k.start[i] + 1);
      size[i] = k.start[i] + k.size[i] - start[i];
      size[i] += tight ? 0 : r.below(k.global[i] - start[i] - size[i] + 1);
    }
    if (store && !plain && channels > k.block && r.below(2)) { // some of the blocks
      const int64_t blocks = (channels + k.block - 1) / k.block, first = r.below(blocks), count = 1 + r.below(blocks - first);
      has[4] = HM_SOME_BLOCKS;
      start[4] = k.start[4] + first * k.block;
      size[4] = std::min(count * k.block, channels - first * k.block);
    }
    int dtype = sum ? r.pick({HM_F32, HM_F64}) : scalar ? r.pick({HM_F32, HM_F64, HM_I32})
                                                     : r.pick({HM_F32, HM_F32, HM_BF16, HM_F64, HM_U8, HM_I32});
    int block = int(r.pick<int64_t>({k.block, k.block, 16, 8, 3}));
    const Layout any = r.pick({blocked, blocked, channels_last, channels_first});
    k.tensors.push_back(Tensor(dtype, plain ? layout : any, block, start, size, k.global, has));
    bool whole = dtype == HM_U8 || dtype == HM_I32;
    k.tensors.back().fill([&] { return whole ? double(r.below(4)) : scalar ? 3 : r.uniform(-2, 2); });
    return int(k.tensors.size()) - 1;
  };
  const int loads = int(1 + r.below(3));
  int filled = epilogue ? 1 : 0;
  for (int i = 0; i < loads; i++) k.in.push_back(instr(HM_LOAD, filled++, 0, 0, 0, 0, add(false, false, false)));
  const int ops = int(r.below(7));
  for (int i = 0; i < ops; i++) {
    int dst = int(r.below(std::min(filled + 1, k.registers)));
    hm_instr n = instr(int(HM_CONST + r.below(HM_LANE - HM_CONST)), dst, int(r.below(filled)), int(r.below(filled)),
                       int(r.below(filled)), r.uniform(0.05, 0.9));
    n.key0 = r.bits(), n.key1 = r.bits();
    if (n.op >= HM_UNIFORM && r.below(2)) n.operand = add(false, false, true);
    k.in.push_back(n);
    if (n.op == HM_POW) k.in.back().op = HM_MAX; // of negative numbers: not a number, mostly
    if (n.op == HM_DIV || n.op == HM_RECIP || n.op == HM_LOG || n.op == HM_SQRT || n.op == HM_RSQRT) {
      k.in.back() = instr(HM_SQUARE, dst, n.a); // first away from zero
      k.in.push_back(instr(HM_ADD, dst, dst, dst));
      k.in.push_back(instr(HM_SIGMOID, dst, dst));
      n.b = dst;
      if (n.op != HM_DIV) n.a = dst;
      k.in.push_back(n);
    }
    if (n.op == HM_EXP || n.op == HM_SQUARE || n.op == HM_MUL || n.op == HM_FMA) k.in.push_back(instr(HM_TANH, dst, dst));
    filled = std::max(filled, dst + 1);
  }
  for (int i = 0; i < 2; i++) {
    if (r.below(3)) k.in.push_back(instr(HM_STORE, 0, int(r.below(filled)), 0, 0, 0, add(true, false, false)));
    if (r.below(2)) k.in.push_back(instr(HM_SUM, 0, int(r.below(filled)), 0, 0, 0, add(false, true, false)));
  }
  return k;
}

// The commonest prologue: a load, times a vector, plus a vector, rounded, leaky ReLU; each may lack.
Case chain_case(Random &r) {
  Case k = random_case(r, false);
  k.tensors.clear(), k.in.clear();
  k.wide = 0;
  const int vector_dims[5] = {int(r.below(2)), 0, 0, 0, r.below(4) > 0}, all[5] = {1, 1, 1, 1, 1};
  auto add = [&](const int *has, std::initializer_list<int> types) {
    k.tensors.push_back(Tensor(r.pick(types), has == all ? r.pick({blocked, blocked, blocked, channels_last}) : channels_last,
                               k.block, k.start, k.size, k.global, has));
    k.tensors.back().fill([&] { return r.uniform(-2, 2); });
    return instr(HM_LOAD, int(k.tensors.size()) - 1, 0, 0, 0, 0, int(k.tensors.size()) - 1);
  };
  const bool fma = r.below(4) == 0;
  k.in = {add(all, {HM_F32, HM_BF16}), add(vector_dims, {HM_F32, HM_F64}), add(vector_dims, {HM_F32})};
  int value = 0, next = 3;
  auto then = [&](int op, int a, int b, int c, double imm) { k.in.push_back(instr(op, next, a, b, c, imm)), value = next++; };
  if (fma) then(HM_FMA, 0, 1, 2, 0);
  else if (r.below(4)) r.below(2) ? then(HM_MUL, 1, value, 0, 0) : then(HM_MUL, value, 1, 0, 0);
  if (!fma && r.below(4)) then(HM_ADD, value, 2, 0, 0);
  if (r.below(3) == 0) then(HM_ROUND_BF16, value, 0, 0, 0);
  if (r.below(3)) then(HM_LEAKY, value, 0, 0, 0.1);
  if (r.below(5) == 0) then(HM_SUB, value, 1, 0, 0); // no chain any more
  k.registers = next;
  if (value == 0) k.in.resize(1);
  return k;
}

std::vector<hm_operand> operands_of(const Case &k) {
  std::vector<hm_operand> o;
  for (const Tensor &t : k.tensors) o.push_back(t.operand());
  return o;
}

// A value beside a tie may round either way.
double tolerance_of(const Case &k) {
  for (const hm_instr &in : k.in)
    if (in.op == HM_ROUND_BF16) return 1e-2;
  return 2e-4;
}
double tolerance_of(const Case &k, const Tensor &t) {
  return t.view.dtype == HM_BF16 ? 1e-2 : t.view.dtype >= HM_U8 ? 1.0 : tolerance_of(k);
}

// Fills `expected` by the naive interpreter; sums over the box in double.
std::vector<Tensor> expect(const Case &k, const hm_program &p, const std::function<double(const int64_t *)> &input) {
  std::vector<Tensor> out;
  for (const Tensor &t : k.tensors) out.push_back(t.clone());
  std::map<int, std::vector<double>> totals;
  for (const hm_instr &in : k.in)
    if (in.op == HM_SUM) totals[in.operand].assign(size_t(out[size_t(in.operand)].elements), 0.0);
  std::vector<double> sums;
  std::vector<std::pair<int, double>> stores;
  each(k.start, k.size, [&](const int64_t *x) {
    double value = input ? input(x) : 0;
    p.wide ? naive<double>(p, k.tensors, x, sums, stores, value) : naive<float>(p, k.tensors, x, sums, stores, value);
    for (auto &s : stores) {
      if (!out[size_t(s.first)].holds(x)) continue;
      int dtype = out[size_t(s.first)].view.dtype;
      double top = dtype == HM_U8 ? 255 : 2147483647.0, low = dtype == HM_U8 ? 0 : -2147483648.0;
      out[size_t(s.first)].set(x, dtype < HM_U8 ? s.second : std::isnan(s.second) ? 0 : std::fmin(std::fmax(s.second, low), top));
    }
    size_t i = 0;
    for (const hm_instr &in : k.in)
      if (in.op == HM_SUM) totals[in.operand][size_t(out[size_t(in.operand)].offset(x))] += sums[i++];
  });
  for (auto &t : totals)
    each(k.start, k.size, [&](const int64_t *x) {
      Tensor &o = out[size_t(t.first)];
      o.set(x, t.second[size_t(o.offset(x))]);
    });
  return out;
}

void compare(const Case &k, const std::vector<Tensor> &expected, const std::string &name) {
  double count = 1;
  for (int i = 0; i < 4; i++) count *= double(k.size[i]);
  for (const hm_instr &in : k.in) {
    if (in.op != HM_STORE && in.op != HM_SUM) continue;
    const Tensor &t = k.tensors[size_t(in.operand)], &e = expected[size_t(in.operand)];
    double worst = 0;
    bool ok = true;
    each(k.start, k.size, [&](const int64_t *x) {
      if (!t.holds(x)) return;
      double a = t.get(x), b = e.get(x), tolerance = tolerance_of(k, t) * (in.op == HM_SUM ? 1 + std::sqrt(count) : 1);
      if (!close(a, b, tolerance)) ok = false, worst = std::fmax(worst, std::fabs(a - b));
    });
    check(ok, name + (in.op == HM_SUM ? " sum" : " store") + " differs by " + std::to_string(worst));
    // What lies outside the box stays as it was, or is zero where it pads a block.
    for (int64_t i = 0; i < t.elements; i++) {
      double a = t.raw(i), b = e.raw(i);
      if (close(a, b, tolerance_of(k, t) * (1 + std::sqrt(count)))) continue;
      check(a == 0 && t.view.block > 1 && t.view.size[4] % t.view.block, name + " wrote outside its box");
      break;
    }
  }
}

void test_hm_rows(int cases) {
  for (int seed = 0; seed < cases; seed++) {
    Random r{uint64_t(seed)};
    Case k = random_case(r, false);
    std::string name = "hm_rows case " + std::to_string(seed);
    std::vector<hm_operand> first = operands_of(k);
    hm_view box = make_box(k.start, k.size, k.global, k.block);
    hm_program p = make_program(k.in, first, k.registers, k.global, k.wide);
    std::vector<Tensor> expected = expect(k, p, nullptr), before;
    for (Tensor &t : k.tensors) before.push_back(t.clone());
    hm_set_threads(1);
    int rc = hm_rows(&p, &box);
    check(rc == 0, name + ": " + hm_error());
    compare(k, expected, name);
    for (int threads = 2; threads <= 3; threads++) { // the same bits on any number of threads
      Case again = k;
      again.tensors.clear();
      for (Tensor &t : before) again.tensors.push_back(t.clone());
      std::vector<hm_operand> o = operands_of(again);
      hm_program q = make_program(again.in, o, again.registers, again.global, again.wide);
      hm_set_threads(threads);
      hm_rows(&q, &box);
      for (size_t i = 0; i < k.tensors.size(); i++)
        check(k.tensors[i].same_bits(again.tensors[i]), name + " depends on the number of threads");
    }
  }
}

// Prologues and epilogues as a kernel uses them: row by row, on parts of rows.
void test_load_and_store_rows(int cases) {
  hm::RowScratch scratch;
  for (int seed = 0; seed < cases; seed++) {
    Random r{uint64_t(seed) + 100000};
    const bool epilogue = seed % 2;
    const bool chain = !epilogue && r.below(2);
    Case k = chain ? chain_case(r) : random_case(r, epilogue);
    std::string name = (epilogue ? "store_row case " : "load_row case ") + std::to_string(seed);
    std::vector<hm_operand> operands = operands_of(k);
    hm_view box = make_box(k.start, k.size, k.global, k.block);
    if (!epilogue) { // keep the loads and operations; the result is the last register written
      while (k.in.back().op == HM_STORE || k.in.back().op == HM_SUM) k.in.pop_back();
      if (!chain && r.below(3) == 0) k.in.resize(1);
    }
    hm_program p = make_program(k.in, operands, k.registers, k.global, k.wide, epilogue ? 0 : -1,
                                epilogue ? -1 : k.in.back().dst);
    check(hm::check_program(p, box, "test") == 0, name + ": " + hm_error());
    auto input = [&](const int64_t *x) { return std::sin(double(x[0] + 3 * x[1] + 5 * x[2] + 7 * x[3] + 11 * x[4])); };
    const int64_t cut = 1 + r.below(k.size[3]);
    const int64_t sums = hm::sum_count(p), slot = sums * k.size[4], tiles = k.size[0] * k.size[1];
    std::vector<double> partials(size_t(tiles * slot) + 1);
    std::vector<int64_t> tile_n;
    Case after = k;
    std::vector<hm_operand> written;
    if (epilogue) {
      after.tensors.clear();
      for (Tensor &t : k.tensors) after.tensors.push_back(t.clone());
      written = operands_of(after);
      p.operands = written.data();
    }
    for (int64_t n = 0; n < k.size[0]; n++)
      for (int64_t d = 0; d < k.size[1]; d++) {
        tile_n.push_back(k.start[0] + n);
        for (int64_t h = 0; h < k.size[2]; h++)
          for (int64_t c = 0; c < k.size[4]; c += k.block)
            for (int64_t w = 0; w < k.size[3]; w += cut) {
              hm::Row row{k.start[0] + n, k.start[1] + d, k.start[2] + h, k.start[3] + w, std::min(cut, k.size[3] - w),
                          k.start[4] + c, int(std::min<int64_t>(k.block, k.size[4] - c)), k.block};
              std::vector<float> values(size_t(row.count * row.block), 777.0f); // exactly as long as the contract says
              if (epilogue) {
                for (int64_t i = 0; i < row.count; i++)
                  for (int l = 0; l < row.lanes; l++) {
                    int64_t x[5] = {row.n, row.d, row.h, row.w0 + i, row.c0 + l};
                    values[size_t(i * row.block + l)] = float(input(x));
                  }
                hm::store_row(p, scratch, row, values.data(), partials.data() + int64_t(tile_n.size() - 1) * slot, k.start[4],
                              k.size[4]);
                continue;
              }
              hm::load_row(p, scratch, row, values.data());
              std::vector<double> ignored;
              std::vector<std::pair<int, double>> result;
              std::vector<hm_instr> with_store = k.in;
              with_store.push_back(instr(HM_STORE, 0, p.result, 0, 0, 0, 0));
              hm_program q = make_program(with_store, operands, k.registers, k.global, k.wide);
              bool ok = true;
              for (int64_t i = 0; i < row.count && ok; i++)
                for (int l = 0; l < row.block; l++) {
                  int64_t x[5] = {row.n, row.d, row.h, row.w0 + i, row.c0 + l};
                  double wanted = 0, got = values[size_t(i * row.block + l)];
                  if (l < row.lanes) {
                    k.wide ? naive<double>(q, k.tensors, x, ignored, result, 0) : naive<float>(q, k.tensors, x, ignored, result, 0);
                    wanted = result[0].second;
                  }
                  ok = ok && close(got, wanted, tolerance_of(k));
                }
              check(ok, name);
            }
      }
    if (!epilogue) continue;
    hm::finish_sums(p, box, partials.data(), tile_n.data(), int64_t(tile_n.size()), k.size[4]);
    hm_program q = p;
    q.operands = operands.data();
    compare(after, expect(k, q, input), name);
  }
}

void test_functions() { // accuracy over the whole range, in units of the last place
  struct {
    int op;
    const char *name;
    double (*exact)(double);
    double low, high, ulps;
  } functions[] = {{HM_EXP, "exp", std::exp, -103, 88.7, 2},       {HM_LOG, "log", std::log, 1e-42, 3e38, 2},
                   {HM_LOG, "log near 1", std::log, 0.5, 2, 2},    {HM_TANH, "tanh", std::tanh, -12, 12, 3},
                   {HM_TANH, "tanh near 0", std::tanh, -1, 1, 3},  {HM_ERF, "erf", std::erf, -5, 5, 3},
                   {HM_ERF, "erf near 0", std::erf, -1, 1, 3},    {HM_SQRT, "sqrt", std::sqrt, 0, 1e30, 0.51},
                   {HM_SIGMOID, "sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }, -80, 80, 3}};
  const int64_t n = 100000, start[5] = {}, size[5] = {1, 1, 1, 1, n};
  for (auto &f : functions) {
    Tensor x(HM_F32, channels_last, 1, start, size, size), y = x.clone();
    Random r(5);
    bool wide_range = f.op == HM_LOG && f.high > 2;
    x.fill([&] { return wide_range ? std::exp(r.uniform(std::log(f.low), std::log(f.high))) : r.uniform(f.low, f.high); });
    std::vector<hm_instr> in{instr(HM_LOAD, 0, 0, 0, 0, 0, 0), instr(f.op, 1, 0), instr(HM_STORE, 0, 1, 0, 0, 0, 1)};
    std::vector<hm_operand> o{x.operand(), y.operand()};
    hm_program p = make_program(in, o, 2, size);
    hm_view box = make_box(start, size, size, 16);
    check(hm_rows(&p, &box) == 0, hm_error());
    double worst = 0;
    for (int64_t i = 0; i < n; i++) {
      double exact = f.exact(x.raw(i)), ulp = std::fmax(std::ldexp(1.0, std::ilogb(exact) - 23), std::ldexp(1.0, -149));
      if (exact != 0) worst = std::fmax(worst, std::fabs(y.raw(i) - exact) / ulp);
    }
    std::printf("  %-12s %.2f ulp\n", f.name, worst);
    check(worst <= f.ulps, std::string(f.name) + " is off by " + std::to_string(worst) + " ulp");
    const double special[] = {INFINITY, -INFINITY, NAN, 0.0, -1.0, 200.0, -200.0};
    for (double s : special) {
      x.set_raw(0, s);
      hm_rows(&p, &box);
      check(close(y.raw(0), double(float(f.exact(s))), 1e-6) || (f.op == HM_LOG && s < 0 && std::isnan(y.raw(0))),
            std::string(f.name) + " of " + std::to_string(s) + " gives " + std::to_string(y.raw(0)));
    }
  }
}

void test_random_quality() {
  const int n = 1 << 20;
  double mean = 0, square = 0, serial = 0, previous = 0, flips = 0;
  for (int i = 0; i < n; i++) {
    uint32_t bits = random_bits(7, 9, 3, uint64_t(i));
    double u = (bits >> 8) / 16777216.0 - 0.5;
    mean += u, square += u * u, serial += u * previous, previous = u;
    flips += __builtin_popcount(bits ^ random_bits(7, 9, 3, uint64_t(i) ^ (1ull << (i % 40))));
  }
  std::printf("  uniform: mean %.5f, variance %.5f, serial correlation %.5f, bits flipped %.3f\n", mean / n + 0.5, square / n,
              serial / square, flips / n);
  check(std::fabs(mean / n) < 0.0015, "mean of uniform");
  check(std::fabs(square / n * 12 - 1) < 0.005, "variance of uniform");
  check(std::fabs(serial / square) < 0.004, "serial correlation of uniform");
  check(std::fabs(flips / n - 16) < 0.02, "avalanche");
}

// Draws by the kernels against the table that src/core/random.test.ts holds, too.
void test_golden_draws() {
  const struct {
    uint32_t key0, key1;
    int32_t step;
    int64_t index;
    uint32_t bits;
    double normal;
  } golden[] = {{0, 0, 0, 0, 3749837742u, 0.270796354},
                {1, 2, 0, 0, 3955113026u, -0.385550916},
                {1, 2, 0, 1, 2426577589u, 1.06267471},
                {1, 2, 3, 1, 3908295742u, 0.432494128},
                {4294967295u, 2147483648u, 7, 123456789, 1258684357u, 1.39128144},
                {42, 7, 1000, 4294967295, 3240323547u, 0.4724992},
                {42, 7, 1000, 4294967296, 3009220627u, 0.0560584748},
                {42, 7, 1000, 9007199254740991, 2837472377u, -0.13448313}};
  for (int wide = 0; wide <= 1; wide++)
    for (auto &g : golden) { // a row of three around the index, in a tensor large enough
      const int64_t before = std::min<int64_t>(g.index, 1);
      const int64_t start[5] = {0, 0, 0, 0, g.index - before}, size[5] = {1, 1, 1, 1, 3}, global[5] = {1, 1, 1, 1, int64_t(1) << 54};
      const int none[5] = {};
      Tensor u(HM_F64, channels_last, 1, start, size, global), z = u.clone(), step(HM_I32, channels_last, 1, start, size, global, none);
      step.set_raw(0, g.step);
      std::vector<hm_instr> in{instr(HM_UNIFORM, 0, 0, 0, 0, 0, 2), instr(HM_STORE, 0, 0, 0, 0, 0, 0),
                               instr(HM_NORMAL, 1, 0, 0, 0, 0, 2), instr(HM_STORE, 0, 1, 0, 0, 0, 1)};
      for (int i : {0, 2}) in[size_t(i)].key0 = g.key0, in[size_t(i)].key1 = g.key1;
      std::vector<hm_operand> o{u.operand(), z.operand(), step.operand()};
      hm_program p = make_program(in, o, 2, global, wide);
      hm_view box = make_box(start, size, global, 16);
      check(hm_rows(&p, &box) == 0, hm_error());
      check(u.raw(before) == (g.bits >> 8) / 16777216.0, "golden uniform");
      check(close(z.raw(before), g.normal, wide ? 1e-8 : 3e-7), "golden normal");
    }
}

void test_errors() {
  const int64_t start[5] = {}, size[5] = {1, 2, 2, 4, 3}, wide[5] = {1, 2, 2, 9, 3};
  Tensor x(HM_F32, blocked, 3, start, size, wide);
  std::vector<hm_instr> in{instr(HM_LOAD, 0, 0, 0, 0, 0, 0)};
  std::vector<hm_operand> o{x.operand()};
  auto fails = [&](const hm_program *p, const hm_view *box, const char *part) {
    int rc = hm_rows(p, box);
    check(rc == 1 && std::strstr(hm_error(), part), std::string("expected an error with '") + part + "', got: " + hm_error());
  };
  hm_program p = make_program(in, o, 1, size);
  hm_view box = make_box(start, wide, wide, 3), good = make_box(start, size, wide, 3);
  fails(nullptr, &box, "program is null");
  fails(&p, nullptr, "box is null");
  fails(&p, &box, "operand 0 (load): dimension w: needs [0, 9), stored is [0, 4)");
  box.block = 0;
  fails(&p, &box, "block");
  in[0].operand = 3;
  fails(&p, &good, "operand 3 of 1");
  in[0].operand = 0, o[0].view.dtype = 17;
  fails(&p, &good, "dtype 17");
  o[0].view.dtype = HM_F32, o[0].view.data = nullptr;
  fails(&p, &good, "data is null");
  const int64_t many[5] = {1, 2, 2, 4, 48}, odd[5] = {0, 0, 0, 0, 8}, some[5] = {1, 2, 2, 4, 16};
  const int blocks[5] = {1, 1, 1, 1, HM_SOME_BLOCKS};
  Tensor part(HM_F32, blocked, 16, odd, some, many, blocks);
  const hm_view all = make_box(start, many, many, 16);
  o[0] = part.operand();
  fails(&p, &all, "operand 0 (load): only a store may take some blocks of channels");
  in = {instr(HM_CONST, 0), instr(HM_STORE, 0, 0, 0, 0, 0, 0)};
  hm_program store = make_program(in, o, 1, many);
  fails(&store, &all, "holds channels [8, 24), which cut a block of 16 of the box [0, 48)");
  in.resize(1);
  in[0] = instr(HM_ADD, 0, 0, 0);
  p.instr = in.data();
  fails(&p, &good, "holds nothing yet");
  in[0].op = 99;
  fails(&p, &good, "op 99");
  in[0] = instr(HM_STORE, 0, 0, 0, 0, 0, 0);
  p.input = 0, o[0] = x.operand(), o[0].present[HM_W] = 0;
  fails(&p, &good, "lacks dimension w");
  check(hm_set_threads(-1) == 1 && hm_alloc(-5) == nullptr, "bad arguments are refused");
}

void test_threads() {
  for (int threads : {1, 2, 3, 7}) {
    hm_set_threads(threads);
    check(hm_threads() == threads, "hm_threads");
    for (int repeat = 0; repeat < 300; repeat++) {
      const int count = 1 + repeat % 50;
      std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
      hm::parallel_for(count, [&](int64_t i, int thread) {
        if (thread < 0 || thread >= threads) seen[size_t(i)] += 100;
        hm::parallel_for(3, [&](int64_t, int inner) { seen[size_t(i)] += inner == thread ? 1 : 100; });
      });
      for (auto &s : seen) check(s == 3, "parallel_for runs each index once");
    }
    bool caught = false;
    try {
      hm::parallel_for(20, [](int64_t i, int) { if (i == 7) throw std::bad_alloc(); });
    } catch (const std::bad_alloc &) {
      caught = true;
    }
    check(caught, "an exception reaches the caller");
  }
}

void test_memory() {
  const int64_t bytes = (5 << 20) + 123;
  char *a = (char *)hm_alloc(bytes), *b = (char *)hm_alloc(bytes);
  check(a && b && (uintptr_t)a % 64 == 0, "hm_alloc");
  std::memset(a, 7, size_t(bytes));
  hm_memcpy(b, a, bytes);
  check(std::memcmp(a, b, size_t(bytes)) == 0 && b[bytes - 1] == 7, "hm_memcpy");
  check(hm_peak_rss() > 2 * bytes, "hm_peak_rss");
  check(hm_free(a, bytes) == 0 && hm_free(b, bytes) == 0, "hm_free");
  check(hm_cpu_supports("base") == 1 && hm_cpu_supports("nonsense") == 0, "hm_cpu_supports");
}

} // namespace

int main(int argc, char **argv) {
  const int cases = argc > 1 ? std::atoi(argv[1]) : 1500;
  test_threads();
  test_memory();
  test_errors();
  test_random_quality();
  test_golden_draws();
  test_functions();
  test_hm_rows(cases);
  test_load_and_store_rows(cases);
  return report("rows");
}
