// For the tests of the native kernels: tensors with every layout, read and written one element at a time by the address
// formula of halomesh.h, in memory of exactly their size (so a sanitizer sees every step beyond it).
#pragma once
#include "halomesh.h"
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace test {

inline long checks = 0, failures = 0;

inline void check(bool ok, const std::string &what) {
  checks++;
  if (ok) return;
  failures++;
  if (failures <= 20) std::printf("FAILED: %s\n", what.c_str());
}

inline int report(const char *name) {
  std::printf("%s (%s): %ld checks, %ld failures\n", name, hm_isa(), checks, failures);
  return failures ? 1 : 0;
}

// Random numbers for test data.
struct Random {
  uint64_t state;
  explicit Random(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15ull + 1) {}
  uint32_t bits() {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return uint32_t(state >> 33) ^ uint32_t(state >> 20);
  }
  int64_t below(int64_t n) { return int64_t(bits() % uint64_t(n)); }
  double uniform(double low, double high) { return low + (high - low) * (bits() & 0xffffff) / 16777216.0; }
  template <class T> T pick(std::initializer_list<T> of) { return of.begin()[below(int64_t(of.size()))]; }
};

enum Layout { blocked, channels_last, channels_first };

inline float bf16_round(float x) {
  uint32_t u;
  std::memcpy(&u, &x, 4);
  u = (u + 0x7fff + ((u >> 16) & 1)) & 0xffff0000u;
  std::memcpy(&x, &u, 4);
  return x;
}

struct Tensor {
  hm_view view{};
  int present[5] = {1, 1, 1, 1, 1};
  std::shared_ptr<char> memory;
  int64_t elements = 0;

  // Stores [start, start + size) of the dimensions present; `block` of a blocked layout.
  Tensor(int dtype, Layout layout, int block, const int64_t *start, const int64_t *size, const int64_t *global,
         const int *has = nullptr) {
    view.dtype = dtype;
    view.block = layout == blocked ? block : 1;
    for (int i = 0; i < 5; i++) {
      present[i] = has ? has[i] : 1;
      view.start[i] = present[i] ? start[i] : 0;
      view.size[i] = present[i] ? size[i] : 1;
      view.global[i] = present[i] ? global[i] : 1;
    }
    const int64_t *s = view.size;
    int64_t *t = view.stride;
    int64_t blocks = (s[4] + view.block - 1) / view.block;
    if (layout == channels_last) {
      t[4] = 1, t[3] = s[4], t[2] = t[3] * s[3], t[1] = t[2] * s[2], t[0] = t[1] * s[1];
      elements = t[0] * s[0];
    } else {
      t[3] = view.block, t[2] = t[3] * s[3], t[1] = t[2] * s[2], t[4] = t[1] * s[1], t[0] = t[4] * blocks;
      elements = t[0] * s[0];
    }
    static const int sizes[] = {4, 2, 8, 1, 4};
    size_t bytes = size_t(elements * sizes[dtype]);
    memory = std::shared_ptr<char>((char *)std::malloc(bytes ? bytes : 1), std::free);
    std::memset(memory.get(), 0, bytes);
    view.data = memory.get();
  }

  int64_t offset(const int64_t *x) const {
    int64_t at = 0, c = present[4] ? x[4] - view.start[4] : 0;
    for (int i = 0; i < 4; i++) at += present[i] ? (x[i] - view.start[i]) * view.stride[i] : 0;
    return at + c / view.block * view.stride[4] + c % view.block;
  }
  // False for channels that a tensor of some blocks lacks.
  bool holds(const int64_t *x) const {
    return present[4] != HM_SOME_BLOCKS || (x[4] >= view.start[4] && x[4] < view.start[4] + view.size[4]);
  }
  double raw(int64_t i) const {
    switch (view.dtype) {
    case HM_F32: return ((float *)view.data)[i];
    case HM_BF16: {
      uint32_t u = uint32_t(((uint16_t *)view.data)[i]) << 16;
      float f;
      std::memcpy(&f, &u, 4);
      return f;
    }
    case HM_F64: return ((double *)view.data)[i];
    case HM_U8: return ((uint8_t *)view.data)[i];
    default: return ((int32_t *)view.data)[i];
    }
  }
  void set_raw(int64_t i, double x) {
    switch (view.dtype) {
    case HM_F32: ((float *)view.data)[i] = float(x); break;
    case HM_BF16: {
      float f = bf16_round(float(x));
      uint32_t u;
      std::memcpy(&u, &f, 4);
      ((uint16_t *)view.data)[i] = uint16_t(u >> 16);
      break;
    }
    case HM_F64: ((double *)view.data)[i] = x; break;
    case HM_U8: ((uint8_t *)view.data)[i] = uint8_t(x); break;
    default: ((int32_t *)view.data)[i] = int32_t(x);
    }
  }
  double get(const int64_t *x) const { return raw(offset(x)); }
  void set(const int64_t *x, double v) { set_raw(offset(x), v); }
  void fill(const std::function<double()> &f) {
    for (int64_t i = 0; i < elements; i++) set_raw(i, f());
  }
  Tensor clone() const {
    Tensor t = *this;
    static const int sizes[] = {4, 2, 8, 1, 4};
    size_t bytes = size_t(elements * sizes[view.dtype]);
    t.memory = std::shared_ptr<char>((char *)std::malloc(bytes ? bytes : 1), std::free);
    std::memcpy(t.memory.get(), memory.get(), bytes);
    t.view.data = t.memory.get();
    return t;
  }
  bool same_bits(const Tensor &o) const {
    static const int sizes[] = {4, 2, 8, 1, 4};
    return std::memcmp(view.data, o.view.data, size_t(elements * sizes[view.dtype])) == 0;
  }
  hm_operand operand() const {
    hm_operand o{};
    o.view = view;
    for (int i = 0; i < 5; i++) o.present[i] = present[i];
    return o;
  }
};

// Every position of a box, in row-major (n, d, h, w, c) order.
inline void each(const int64_t *start, const int64_t *size, const std::function<void(const int64_t *)> &f) {
  int64_t x[5];
  for (x[0] = start[0]; x[0] < start[0] + size[0]; x[0]++)
    for (x[1] = start[1]; x[1] < start[1] + size[1]; x[1]++)
      for (x[2] = start[2]; x[2] < start[2] + size[2]; x[2]++)
        for (x[3] = start[3]; x[3] < start[3] + size[3]; x[3]++)
          for (x[4] = start[4]; x[4] < start[4] + size[4]; x[4]++) f(x);
}

inline hm_view make_box(const int64_t *start, const int64_t *size, const int64_t *global, int block) {
  hm_view b{};
  b.block = block;
  for (int i = 0; i < 5; i++) b.start[i] = start[i], b.size[i] = size[i], b.global[i] = global[i];
  return b;
}

inline hm_instr instr(int op, int dst, int a = 0, int b = 0, int c = 0, double imm = 0, int operand = -1) {
  hm_instr i{};
  i.op = op, i.dst = dst, i.a = a, i.b = b, i.c = c, i.imm = imm, i.operand = operand;
  return i;
}

inline hm_program make_program(const std::vector<hm_instr> &in, const std::vector<hm_operand> &operands, int registers,
                               const int64_t *global, int wide = 0, int input = -1, int result = -1) {
  hm_program p{};
  p.instr = in.data(), p.n_instr = int(in.size());
  p.operands = operands.data(), p.n_operands = int(operands.size());
  p.n_registers = registers, p.wide = wide, p.input = input, p.result = result;
  for (int i = 0; i < 5; i++) p.global[i] = global[i];
  return p;
}

// A program that just loads (result in register 0) or stores (input in register 0) operand 0.
struct Simple {
  std::vector<hm_instr> in;
  std::vector<hm_operand> operands;
  hm_program program;
  Simple(const Tensor &t, bool store)
      : in{store ? instr(HM_STORE, 0, 0, 0, 0, 0, 0) : instr(HM_LOAD, 0, 0, 0, 0, 0, 0)}, operands{t.operand()},
        program(make_program(in, operands, 1, t.view.global, 0, store ? 0 : -1, store ? -1 : 0)) {}
  Simple(const Simple &) = delete;
};

inline bool close(double a, double b, double tolerance) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  return std::fabs(a - b) <= tolerance * std::fmax(1.0, std::fabs(b));
}

} // namespace test
