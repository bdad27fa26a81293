// Inner kernels of weight gradients: see conv_grad_micro.h. `vectors x scalars x parts` accumulators; every position takes
// `vectors` loads and `scalars` broadcasts for their product of multiply-adds.
#include "conv/conv_grad_micro.h"
#include "conv/conv_vec.h"
#include <array>
#include <cstring>
#include <utility>

namespace hm::conv {
namespace {

#if defined(__AVX512F__)
constexpr int max_vectors = 3, max_sums = 24; // of 32 registers
#elif defined(__AVX2__)
constexpr int max_vectors = 1, max_sums = 6; // x 2 parts, of 16 registers
#else
constexpr int max_vectors = 1, max_sums = 2; // x 4 parts, of 16 registers
#endif
constexpr int max_scalars = max_sums < 16 ? max_sums : 16; // of one vector
constexpr int scalars_of(int vectors) { return vectors == 1 ? max_scalars : max_sums / vectors < 8 ? max_sums / vectors : 8; }

#if defined(__AVX512F__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HM_HALVES
#endif
#endif

#if defined(HM_HALVES) // a register at a time: GCC converts a whole one through memory
typedef double wide_reg __attribute__((vector_size(64)));

HM_INLINE void add_half(double *total, float __attribute__((vector_size(32))) x) {
  wide_reg t;
  std::memcpy(&t, total, sizeof t);
  t += __builtin_convertvector(x, wide_reg);
  std::memcpy(total, &t, sizeof t);
}
HM_INLINE void add_to(double *total, reg x) {
  add_half(total, __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7));
  add_half(total + 8, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15));
}
#else
typedef double wide_reg __attribute__((vector_size(lanes * 8)));

HM_INLINE void add_to(double *total, reg x) {
  wide_reg t;
  std::memcpy(&t, total, sizeof t);
  t += __builtin_convertvector(x, wide_reg);
  std::memcpy(total, &t, sizeof t);
}
#endif

template <int Vectors, int Scalars, bool Contiguous> void micro(const GradCall &call) {
  constexpr int regs = Vectors * parts;
  reg sum[Scalars][regs];
  HM_UNROLL for (int s = 0; s < Scalars; s++) {
    HM_UNROLL for (int r = 0; r < regs; r++) sum[s][r] = reg{};
  }
  for (int64_t y = 0; y < call.rows; y++) {
    const float *vec[Vectors], *scal[Scalars];
    HM_UNROLL for (int v = 0; v < Vectors; v++) vec[v] = call.vec + call.vec_at[v] + y * call.vec_row;
    HM_UNROLL for (int s = 0; s < Scalars; s++)
      scal[s] = Contiguous ? call.scal + call.scal_at[0] + s + y * call.scal_row : call.scal + call.scal_at[s] + y * call.scal_row;
    int64_t step = call.scal_step;
    for (int64_t x = 0; x < call.count; x++) {
      reg a[regs];
      HM_UNROLL for (int r = 0; r < regs; r++) a[r] = load(vec[r / parts] + x * 16 + r % parts * lanes);
      HM_UNROLL for (int s = 0; s < Scalars; s++) {
        reg b = broadcast(Contiguous ? scal[0][x * step + s] : scal[s][x * step]);
        HM_UNROLL for (int r = 0; r < regs; r++) sum[s][r] += a[r] * b;
      }
    }
  }
  HM_UNROLL for (int s = 0; s < Scalars; s++) {
    HM_UNROLL for (int r = 0; r < regs; r++)
      add_to(call.total + r / parts * call.total_v + s * call.total_s + r % parts * lanes, sum[s][r]);
  }
}

template <int Vectors, int Scalars, bool Contiguous> constexpr GradMicro entry() {
  if constexpr (Scalars <= scalars_of(Vectors)) return micro<Vectors, Scalars, Contiguous>;
  return nullptr;
}

template <bool Contiguous, size_t... I> constexpr auto table_of(std::index_sequence<I...>) {
  return std::array<GradMicro, sizeof...(I)>{entry<int(I) / max_scalars + 1, int(I) % max_scalars + 1, Contiguous>()...};
}

constexpr auto contiguous_table = table_of<true>(std::make_index_sequence<max_vectors * max_scalars>{});
constexpr auto scattered_table = table_of<false>(std::make_index_sequence<max_vectors * max_scalars>{});

} // namespace

int grad_vectors() { return max_vectors; }
int grad_scalars(int vectors) { return scalars_of(vectors); }

GradMicro grad_micro_kernel(int vectors, int scalars, bool contiguous) {
  size_t i = size_t((vectors - 1) * max_scalars + scalars - 1);
  return contiguous ? contiguous_table[i] : scattered_table[i];
}

} // namespace hm::conv
