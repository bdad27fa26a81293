// Tensors, row programs and windows for the tests and benchmarks of the kernels.
#pragma once
#include "halomesh.h"
#include "runtime/vec.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <sys/mman.h>
#include <vector>

namespace test {

using hm::bf16;

// xorshift64*: the same numbers on every machine.
struct Random {
  uint64_t state = 0x9e3779b97f4a7c15u;
  uint64_t next() {
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return state * 0x2545f4914f6cdd1du;
  }
  int64_t range(int64_t lo, int64_t hi) { return lo + int64_t((next() >> 33) % uint64_t(hi - lo + 1)); } // hi included
  bool chance(int percent) { return range(1, 100) <= percent; }
  template <size_t N> int64_t pick(const int64_t (&of)[N]) { return of[range(0, N - 1)]; }
  float value() { return float(range(-1000, 1000)) / 512.0f; }
};

// Memory as hm_alloc gives it (cache lines, huge pages), but from malloc's side, where a sanitizer sees its ends.
template <class T> struct Aligned {
  using value_type = T;
  Aligned() = default;
  template <class U> Aligned(const Aligned<U> &) {}
  T *allocate(size_t n) {
    const size_t huge = 2 << 20, bytes = n * sizeof(T);
    void *p = nullptr;
    if (posix_memalign(&p, bytes >= huge ? huge : 64, bytes)) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
    if (bytes >= huge) madvise(p, bytes / huge * huge, MADV_HUGEPAGE);
#endif
    return static_cast<T *>(p);
  }
  void deallocate(T *p, size_t) { std::free(p); }
  bool operator==(const Aligned &) const { return true; }
  bool operator!=(const Aligned &) const { return false; }
};
using Memory = std::vector<char, Aligned<char>>;

struct Box {
  int64_t start[5], size[5];
};

// A stored box of a tensor, 5 dimensions n d h w c.
struct Tensor {
  hm_view view{};
  Memory memory;

  Tensor() = default;
  Tensor(const int64_t global[5], const Box &box, int32_t block, int32_t dtype) {
    view.dtype = dtype;
    view.block = block;
    for (int i = 0; i < 5; i++) view.start[i] = box.start[i], view.size[i] = box.size[i], view.global[i] = global[i];
    if (block == 1) { // plain, row-major
      int64_t stride = 1;
      for (int i = 4; i >= 0; i--) view.stride[i] = stride, stride *= box.size[i];
    } else {
      int64_t blocks = (box.size[4] + block - 1) / block, plane = box.size[1] * box.size[2] * box.size[3] * block;
      view.stride[HM_W] = block;
      view.stride[HM_H] = box.size[3] * block;
      view.stride[HM_D] = box.size[2] * view.stride[HM_H];
      view.stride[HM_C] = plane;
      view.stride[HM_N] = blocks * plane;
    }
    int64_t elements = block == 1 ? box.size[0] * view.stride[0] : box.size[0] * view.stride[HM_N];
    memory.assign(size_t(elements * width()), 0);
    attach();
  }
  Tensor(const Tensor &other) : view(other.view), memory(other.memory) { attach(); }
  Tensor(Tensor &&other) : view(other.view), memory(std::move(other.memory)) { attach(); }
  Tensor &operator=(Tensor other) {
    view = other.view;
    memory = std::move(other.memory);
    attach();
    return *this;
  }

  int64_t width() const { return view.dtype == HM_F64 ? 8 : view.dtype == HM_BF16 ? 2 : 4; }
  bool holds(const int64_t at[5]) const {
    for (int i = 0; i < 5; i++)
      if (at[i] < view.start[i] || at[i] >= view.start[i] + view.size[i]) return false;
    return true;
  }
  int64_t offset(const int64_t at[5]) const {
    int64_t c = at[4] - view.start[4], sum = c / view.block * view.stride[4] + c % view.block;
    for (int i = 0; i < 4; i++) sum += (at[i] - view.start[i]) * view.stride[i];
    return sum;
  }
  double get(const int64_t at[5]) const {
    int64_t i = offset(at);
    if (view.dtype == HM_F64) return ((const double *)memory.data())[i];
    if (view.dtype == HM_BF16) return hm::to_float(((const bf16 *)memory.data())[i]);
    return ((const float *)memory.data())[i];
  }
  void set(const int64_t at[5], double value) {
    int64_t i = offset(at);
    if (view.dtype == HM_F64) ((double *)memory.data())[i] = value;
    else if (view.dtype == HM_BF16) ((bf16 *)memory.data())[i] = hm::to_bf16(float(value));
    else ((float *)memory.data())[i] = float(value);
  }
  template <class F> void each(F f) const { // every stored position
    int64_t at[5];
    Box b;
    for (int i = 0; i < 5; i++) b.start[i] = view.start[i], b.size[i] = view.size[i];
    each_of(b, at, 0, f);
  }
  template <class F> static void each_of(const Box &b, int64_t at[5], int dim, F &f) {
    if (dim == 5) return f((const int64_t *)at);
    for (at[dim] = b.start[dim]; at[dim] < b.start[dim] + b.size[dim]; at[dim]++) each_of(b, at, dim + 1, f);
  }
  void fill(Random &random) {
    each([&](const int64_t *at) { set(at, random.value()); });
  }

private:
  void attach() { view.data = memory.data(); }
};

// A row program under construction; views of tensors are taken when an operand is added.
struct Program {
  std::vector<hm_instr> instr;
  std::vector<hm_operand> operands;
  int registers = 0, input = -1, result = -1;
  int64_t global[5] = {1, 1, 1, 1, 1};

  int emit(int op, int a = 0, int b = 0, int c = 0, double imm = 0, int operand = -1) {
    hm_instr in{};
    in.op = op, in.dst = registers, in.a = a, in.b = b, in.c = c, in.operand = operand, in.imm = imm;
    instr.push_back(in);
    return registers++;
  }
  int operand(const hm_view &view, bool all = true) {
    hm_operand o{};
    o.view = view;
    for (int i = 0; i < 5; i++) o.present[i] = all || i == HM_C;
    operands.push_back(o);
    return int(operands.size()) - 1;
  }
  int take_input() { return input = registers++; }
  int load(const hm_view &view, bool all = true) { return emit(HM_LOAD, 0, 0, 0, 0, operand(view, all)); }
  void store(int a, const hm_view &view) {
    emit(HM_STORE, a, 0, 0, 0, operand(view));
    registers--;
  }
  void sum(int a, const hm_view &channels) {
    emit(HM_SUM, a, 0, 0, 0, operand(channels, false));
    registers--;
  }
  hm_program get() const {
    hm_program p{};
    p.instr = instr.data(), p.operands = operands.data();
    p.n_instr = int(instr.size()), p.n_operands = int(operands.size()), p.n_registers = registers;
    p.input = input, p.result = result;
    std::copy(global, global + 5, p.global);
    return p;
  }
};

// A plain vector over channels [start, start + size).
inline Tensor channel_vector(int64_t start, int64_t size, int64_t global, int32_t dtype) {
  int64_t g[5] = {1, 1, 1, 1, global};
  Box b{{0, 0, 0, 0, start}, {1, 1, 1, 1, size}};
  return Tensor(g, b, 1, dtype);
}

inline Program load_program(const Tensor &t) {
  Program p;
  p.result = p.load(t.view);
  return p;
}
inline Program store_program(const Tensor &t) {
  Program p;
  p.store(p.take_input(), t.view);
  return p;
}
inline hm_source source(const Program &p, const Tensor &t) { return {p.get(), t.view}; }

} // namespace test
