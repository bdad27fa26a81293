// Row programs: the interpreter, and how other kernels load their inputs and store their results through it.
//
// A row is cut into chunks of at most chunk_values values, at global multiples of the chunk's positions along w, so that the
// float32 partial sums hardly depend on where a box begins. Each instruction is one loop over the chunk, in L1.
#include "rows/rows.h"
#include "rows/rows_chain.h"
#include "rows/rows_lanes.h"
#include "rows/rows_ops.h"
#include <utility>

namespace hm {
namespace {

constexpr int max_registers = 64;

int64_t chunk_positions(int block) {
  int64_t n = chunk_values;
  while (n * block > chunk_values) n /= 2;
  return n;
}

std::vector<float> &storage(RowScratch &s, float) { return s.narrow; }
std::vector<double> &storage(RowScratch &s, double) { return s.wide; }

// Memory of a program's registers, each at the start of a cache line, and one more: an instruction never writes to memory that
// it reads, it takes the spare one and leaves its own as the next spare. Registers are not a multiple of 4 KiB apart.
template <class T> struct Memory {
  T *own[max_registers], *spare;

  Memory(const hm_program &p, RowScratch &s) {
    constexpr size_t apart = chunk_values + 16;
    std::vector<T> &v = storage(s, T{});
    size_t wanted = size_t(p.n_registers + 1) * apart + 16;
    if (v.size() < wanted) v.resize(wanted);
    spare = (T *)((uintptr_t(v.data()) + 63) / 64 * 64);
    for (int i = 0; i < p.n_registers; i++) own[i] = spare + size_t(i + 1) * apart;
  }

  T *writable(int dst, const T *a, const T *b, const T *c) {
    if (own[dst] == a || own[dst] == b || own[dst] == c) std::swap(own[dst], spare);
    return own[dst];
  }
};

struct Target {          // where the results of a program go
  float *out;            // prologue: the row of values
  const float *input;    // epilogue: the row of the kernel's result
  double *partial;       // sums of the tile: [sum][channel]
  int64_t c_origin, channels;
};

// Runs the program on one chunk. Registers are read where they last were written: in their own memory, or in the kernel's row.
template <class T> void run_chunk(const hm_program &p, Memory<T> &memory, const Row &row, const Target &target) {
  const int64_t n = row.count * row.block, groups = (n + 15) / 16;
  const bool whole = n % 16 == 0 && sizeof(T) == sizeof(float); // then a row may stand for a register
  Reg<T> reg[max_registers];
  if (p.input >= 0) {
    T *own = memory.own[p.input];
    for (int64_t i = 0; !whole && i < n; i++) own[i] = T(target.input[i]);
    reg[p.input] = {whole ? (const T *)(const void *)target.input : own, pattern};
  }
  int sum = 0;
  for (int i = 0; i < p.n_instr; i++) {
    const hm_instr &in = p.instr[i];
    if (in.op == HM_STORE) {
      store_operand(p.operands[in.operand], row, reg[in.a]);
      continue;
    }
    if (in.op == HM_SUM) {
      if (target.partial) sum_lanes(reg[in.a], row, target.partial + sum * target.channels + (row.c0 - target.c_origin));
      sum++;
      continue;
    }
    const int operands = in.op == HM_LOAD ? 0 : operand_registers(in.op);
    const Reg<T> none{nullptr, 0};
    const Reg<T> a = operands > 0 ? reg[in.a] : none, b = operands > 1 ? reg[in.b] : none, c = operands > 2 ? reg[in.c] : none;
    const bool last = target.out && i == p.n_instr - 1 && in.dst == p.result && whole;
    T *d = last ? (T *)(void *)target.out : memory.writable(in.dst, a.p, b.p, c.p);
    int step = pattern;
    switch (in.op) {
    case HM_LOAD: step = load_operand(d, p.operands[in.operand], row); break;
    case HM_CONST:
      for (int l = 0; l < pattern; l++) d[l] = T(in.imm);
      step = 0;
      break;
    case HM_UNIFORM: case HM_NORMAL: case HM_BERNOULLI: draw(p, in, row, d); break;
    case HM_LANE: case HM_LABEL: case HM_SOFTMAX: case HM_LOG_SOFTMAX: case HM_LANE_SUM: case HM_ARGMAX:
      step = lanes_of(in, row, d, a);
      break;
    default:
      step = a.step | b.step | c.step;
      compute(in, d, a, b, c, step ? groups : 1);
    }
    reg[in.dst] = {d, step};
  }
  if (!target.out) return;
  const Reg<T> r = reg[p.result];
  if (r.p != (const T *)(const void *)target.out || r.step == 0)
    for (int64_t g = 0; g * 16 < n; g++) {
      T part[16];
      for (int l = 0; l < 16; l++) part[l] = r.p[g * r.step + l];
      for (int l = 0; l < std::min<int64_t>(16, n - g * 16); l++) target.out[g * 16 + l] = float(part[l]);
    }
  for (int64_t i = 0; row.lanes < row.block && i < row.count; i++)
    for (int l = row.lanes; l < row.block; l++) target.out[i * row.block + l] = 0;
}

template <class T> void run_row(const hm_program &p, RowScratch &s, const Row &row, Target target) {
  Memory<T> memory(p, s);
  const int64_t positions = chunk_positions(row.block), end = row.w0 + row.count;
  for (Row part = row; part.w0 < end; part.w0 += part.count) {
    part.count = std::min(end, (part.w0 / positions + 1) * positions) - part.w0;
    run_chunk<T>(p, memory, part, target);
    const int64_t values = part.count * row.block;
    if (target.out) target.out += values;
    if (target.input) target.input += values;
  }
}

void run_row(const hm_program &p, RowScratch &s, const Row &row, const Target &target) {
  p.wide ? run_row<double>(p, s, row, target) : run_row<float>(p, s, row, target);
}

} // namespace

void load_row(const hm_program &p, RowScratch &s, const Row &row, float *out) {
  if (!load_chain(p, row, out)) run_row(p, s, row, {out, nullptr, nullptr, 0, 0});
}

void store_row(const hm_program &p, RowScratch &s, const Row &row, const float *result, double *partial, int64_t c_origin,
               int64_t channels) {
  run_row(p, s, row, {nullptr, result, partial, c_origin, channels});
}

int sum_count(const hm_program &p) {
  int n = 0;
  for (int i = 0; i < p.n_instr; i++) n += p.instr[i].op == HM_SUM;
  return n;
}

} // namespace hm
