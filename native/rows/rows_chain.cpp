// Chains of a load, an affine map and an activation: see rows_chain.h. A convolution's loader spends its time here.
#include "rows/rows_chain.h"
#include "rows/rows_ops.h"

namespace hm {
namespace {

struct Chain {
  const hm_operand *x = nullptr, *scale = nullptr, *shift = nullptr;
  bool round = false, leaky = false;
  float slope = 0;
};

// The operand in register r, where it is the same at every w.
const hm_operand *vector_in(const hm_program &p, int r, int before) {
  for (int i = before - 1; i >= 0; i--)
    if (p.instr[i].op != HM_STORE && p.instr[i].op != HM_SUM && p.instr[i].dst == r) {
      const hm_operand *o = p.instr[i].op == HM_LOAD ? &p.operands[p.instr[i].operand] : nullptr;
      return o && !o->present[HM_W] ? o : nullptr;
    }
  return nullptr;
}

// Reads the program as a chain: `value` is the register that holds x so far.
bool read_chain(const hm_program &p, Chain &chain) {
  if (p.n_instr < 1 || p.n_instr > 8 || p.input >= 0 || p.wide) return false;
  enum { loaded, scaled, shifted, rounded, activated } stage = loaded;
  int value = -1;
  for (int i = 0; i < p.n_instr; i++) {
    const hm_instr &in = p.instr[i];
    if (in.op == HM_LOAD) {
      const hm_operand &o = p.operands[in.operand];
      if (in.dst == value) return false;
      if (!o.present[HM_W]) continue;
      if (chain.x) return false;
      chain.x = &o, value = in.dst;
      continue;
    }
    const int other = in.a == value ? in.b : in.a;
    switch (in.op) {
    case HM_MUL:
      if (stage >= scaled || (in.a != value && in.b != value) || !(chain.scale = vector_in(p, other, i))) return false;
      stage = scaled;
      break;
    case HM_ADD:
      if (stage >= shifted || (in.a != value && in.b != value) || !(chain.shift = vector_in(p, other, i))) return false;
      stage = shifted;
      break;
    case HM_FMA:
      if (stage >= scaled || (in.a != value && in.b != value) || !(chain.scale = vector_in(p, other, i)) ||
          !(chain.shift = vector_in(p, in.c, i)))
        return false;
      stage = shifted;
      break;
    case HM_ROUND_BF16:
      if (stage >= rounded || in.a != value) return false;
      chain.round = true, stage = rounded;
      break;
    case HM_LEAKY:
      if (stage >= activated || in.a != value) return false;
      chain.leaky = true, chain.slope = float(in.imm), stage = activated;
      break;
    default: return false;
    }
    value = in.dst;
  }
  return chain.x && value == p.result;
}

template <bool round, bool leaky, class S>
HM_INLINE void group(float *__restrict out, const S *__restrict x, const float *__restrict scale,
                     const float *__restrict shift, float slope) {
  HM_INDEPENDENT
  for (int l = 0; l < 16; l++) {
    float y = from_stored<float>(x[l]) * scale[l] + shift[l];
    if (round) y = round_bf16(y);
    float z = slope * y;
    out[l] = leaky ? (y > 0 ? y : z) : y;
  }
}

template <bool round, bool leaky, class S>
void run(float *__restrict out, const S *__restrict x, const float *scale, const float *shift, float slope, int64_t n) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) group<round, leaky>(out + i, x + i, scale, shift, slope);
  if (i == n) return;
  S rest[16] = {};
  alignas(64) float last[16];
  std::memcpy(rest, x + i, size_t(n - i) * sizeof(S));
  group<round, leaky>(last, rest, scale, shift, slope);
  std::memcpy(out + i, last, size_t(n - i) * sizeof(float));
}

template <class S> void run(float *out, const S *x, const float *scale, const float *shift, const Chain &c, int64_t n) {
  if (c.round) c.leaky ? run<true, true>(out, x, scale, shift, c.slope, n) : run<true, false>(out, x, scale, shift, 0, n);
  else c.leaky ? run<false, true>(out, x, scale, shift, c.slope, n) : run<false, false>(out, x, scale, shift, 0, n);
}

} // namespace

bool load_chain(const hm_program &p, const Row &row, float *out) {
  Chain chain;
  if (pattern % row.block != 0 || !read_chain(p, chain)) return false;
  const Place at = locate(*chain.x, row);
  const int32_t dtype = chain.x->view.dtype;
  if (!at.has_c || !at.whole_block || at.w_stride != row.block || (dtype != HM_F32 && dtype != HM_BF16)) return false;
  const int64_t n = row.count * row.block;
  const float *x = (const float *)chain.x->view.data + at.first;
  const bf16 *half = (const bf16 *)chain.x->view.data + at.first;
  if (!chain.scale && !chain.shift && !chain.round && !chain.leaky) {
    dtype == HM_F32 ? convert(out, x, n) : convert(out, half, n);
  } else {
    alignas(64) float scale[16], shift[16];
    std::fill(scale, scale + 16, 1.0f), std::fill(shift, shift + 16, 0.0f);
    if (chain.scale) load_operand(scale, *chain.scale, row);
    if (chain.shift) load_operand(shift, *chain.shift, row);
    dtype == HM_F32 ? run(out, x, scale, shift, chain, n) : run(out, half, scale, shift, chain, n);
  }
  for (int64_t i = 0; row.lanes < row.block && i < row.count; i++)
    for (int l = row.lanes; l < row.block; l++) out[i * row.block + l] = 0;
  return true;
}

} // namespace hm
