// The checks of a row program, made once before a kernel runs.
#include "rows/rows_lanes.h"
#include "rows/rows_ops.h"
#include <cstdio>

namespace hm {
namespace {

constexpr int max_registers = 64, max_operands = 64, max_instructions = 1 << 16;
using ll = long long;

const char *const op_names[] = {"load", "store", "sum", "const", "copy", "add", "sub", "mul", "div", "min", "max", "pow",
                                "fma", "neg", "abs", "sign", "square", "sqrt", "rsqrt", "recip", "exp", "log", "tanh",
                                "erf", "sigmoid", "floor", "leaky", "leaky_grad", "lt", "le", "eq", "select", "round_bf16",
                                "round_f32", "trunc", "uniform", "normal", "bernoulli", "lane", "label", "softmax",
                                "log_softmax", "lane_sum", "argmax"};
static_assert(sizeof(op_names) / sizeof(*op_names) == HM_OP_COUNT, "one name an instruction");

bool is_draw(int op) { return op == HM_UNIFORM || op == HM_NORMAL || op == HM_BERNOULLI; }

// `same`: the register that a store takes is the same in all lanes.
int check_operand(const hm_program &p, const hm_instr &in, const hm_view &box, bool empty, bool same, const char *kernel,
                  const char *what) {
  const hm_operand &o = p.operands[in.operand];
  if (!dtype_size(o.view.dtype)) return fail("%s: %s: dtype %d is unknown", kernel, what, int(o.view.dtype));
  if (o.view.block < 1 || o.view.block > 64)
    return fail("%s: %s: expected a block of 1..64 channels, got %d", kernel, what, int(o.view.block));
  if (!empty && check_memory(o.view, o.present, kernel, what)) return 1;
  for (int i = 0; i < HM_DIMS; i++) {
    bool present = o.present[i];
    if (is_draw(in.op)) {
      if (present) return fail("%s: %s: the step of a draw is a scalar, but has dimension %s", kernel, what, dim_names[i]);
      continue;
    }
    if (i == HM_C && o.present[i] == HM_SOME_BLOCKS) {
      if (in.op != HM_STORE) return fail("%s: %s: only a store may take some blocks of channels", kernel, what);
      // What it holds of the box begins and ends at blocks of the box, or with the box.
      const int64_t lo = o.view.start[i] - box.start[i], hi = lo + o.view.size[i], end = box.size[i];
      if ((lo > 0 && lo < end && lo % box.block) || (hi > 0 && hi < end && hi % box.block))
        return fail("%s: %s: holds channels [%lld, %lld), which cut a block of %d of the box [%lld, %lld)", kernel, what,
                    ll(o.view.start[i]), ll(o.view.start[i] + o.view.size[i]), int(box.block), ll(box.start[i]),
                    ll(box.start[i] + end));
      continue;
    }
    if (present && !empty && check_range(o.view, i, box.start[i], box.size[i], kernel, what)) return 1;
    const bool one_of_all = i == HM_C && same && box.size[i] <= box.block;
    if (in.op == HM_STORE && !present && box.size[i] > 1 && !one_of_all)
      return fail("%s: %s: lacks dimension %s, which has %lld positions here", kernel, what, dim_names[i], ll(box.size[i]));
    if (in.op == HM_SUM && present && i != HM_N && i != HM_C && box.size[i] > 1)
      return fail("%s: %s: a sum keeps only n and c; it has %s, of %lld positions here (use hm_reduce)", kernel, what,
                  dim_names[i], ll(box.size[i]));
  }
  return 0;
}

} // namespace

int check_program(const hm_program &p, const hm_view &box, const char *kernel) {
  if (check_box(&box, kernel, "box of the program")) return 1;
  if (p.n_instr < 0 || p.n_instr > max_instructions || p.n_operands < 0 || p.n_operands > max_operands || (p.n_instr > 0 && !p.instr) ||
      (p.n_operands > 0 && !p.operands))
    return fail("%s: program: %d instructions at %p, %d operands at %p", kernel, int(p.n_instr), (const void *)p.instr,
                int(p.n_operands), (const void *)p.operands);
  if (p.n_registers < 0 || p.n_registers > max_registers)
    return fail("%s: program: expected 0..%d registers, got %d", kernel, max_registers, int(p.n_registers));
  if (p.input >= p.n_registers || p.result >= p.n_registers)
    return fail("%s: program: input register %d and result register %d of %d", kernel, int(p.input), int(p.result),
                int(p.n_registers));
  bool empty = false, written[max_registers] = {}, same[max_registers] = {}; // same: in all lanes
  for (int i = 0; i < HM_DIMS; i++) empty |= box.size[i] == 0;
  int64_t all = 1; // draws number their elements in it
  bool countable = true;
  for (int i = 0; i < HM_DIMS; i++) countable = countable && times(all, p.global[i], &all);
  if (p.input >= 0) written[p.input] = true;

  for (int i = 0; i < p.n_instr; i++) {
    const hm_instr &in = p.instr[i];
    if (in.op < 0 || in.op >= HM_OP_COUNT) return fail("%s: instruction %d: op %d is unknown", kernel, i, int(in.op));
    const char *name = op_names[in.op];
    const int32_t read[3] = {in.a, in.b, in.c};
    for (int k = 0; k < operand_registers(in.op); k++)
      if (read[k] < 0 || read[k] >= p.n_registers || !written[read[k]])
        return fail("%s: instruction %d (%s) reads register %d, which %s", kernel, i, name, int(read[k]),
                    read[k] < 0 || read[k] >= p.n_registers ? "does not exist" : "holds nothing yet");
    if (in.op != HM_STORE && in.op != HM_SUM) {
      if (in.dst < 0 || in.dst >= p.n_registers)
        return fail("%s: instruction %d (%s) writes register %d of %d", kernel, i, name, int(in.dst), int(p.n_registers));
      written[in.dst] = true;
    }
    if (reads_lanes(in.op) && !empty &&
        (box.start[HM_C] != 0 || box.size[HM_C] != box.global[HM_C] || box.size[HM_C] > box.block || box.block > 16))
      return fail("%s: instruction %d (%s): needs all channels in one block of at most 16; the box is [%lld, %lld) of %lld in "
                  "blocks of %d",
                  kernel, i, name, ll(box.start[HM_C]), ll(box.start[HM_C] + box.size[HM_C]), ll(box.global[HM_C]), int(box.block));
    bool wants = in.op == HM_LOAD || in.op == HM_STORE || in.op == HM_SUM, may = wants || is_draw(in.op);
    if (wants && in.operand < 0) return fail("%s: instruction %d (%s) has no operand", kernel, i, name);
    if (may && in.operand >= p.n_operands)
      return fail("%s: instruction %d (%s): operand %d of %d", kernel, i, name, int(in.operand), int(p.n_operands));
    if (may && in.operand >= 0) {
      char what[64];
      std::snprintf(what, sizeof what, "operand %d (%s)", int(in.operand), name);
      if (check_operand(p, in, box, empty, in.op == HM_STORE && same[in.a], kernel, what)) return 1;
    }
    if (in.op == HM_LOAD) same[in.dst] = !p.operands[in.operand].present[HM_C];
    else if (in.op == HM_LABEL && !same[in.a]) return fail("%s: instruction %d (label): differs from lane to lane", kernel, i);
    else if (in.op == HM_LANE_SUM || in.op == HM_ARGMAX) same[in.dst] = true;
    else if (in.op != HM_STORE && in.op != HM_SUM) {
      bool all = !is_draw(in.op) && in.op != HM_LANE && in.op != HM_SOFTMAX && in.op != HM_LOG_SOFTMAX;
      for (int k = 0; k < operand_registers(in.op); k++) all &= same[read[k]];
      same[in.dst] = all;
    }
    if (is_draw(in.op) && !empty && !countable)
      return fail("%s: instruction %d (%s): the program's global space has more elements than 64 bits can count", kernel, i, name);
    for (int k = 0; is_draw(in.op) && !empty && k < HM_DIMS; k++)
      if (box.start[k] < 0 || box.start[k] + box.size[k] > p.global[k])
        return fail("%s: instruction %d (%s): dimension %s: the box is [%lld, %lld), the program's global extent %lld", kernel,
                    i, name, dim_names[k], ll(box.start[k]), ll(box.start[k] + box.size[k]), ll(p.global[k]));
  }
  if (p.result >= 0 && !written[p.result])
    return fail("%s: program: its result register %d holds nothing", kernel, int(p.result));
  return 0;
}

} // namespace hm
