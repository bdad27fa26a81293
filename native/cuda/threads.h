// ---- Faults --------------------------------------------------------------------------------------------------------
// A label that is no class: the fault word of the launch keeps the lowest position with it. Below the position stands the label, a
// whole number within 2^18 of 0, or a mark that it is none.
constexpr int label_bits = 20, label_middle = 1 << 19, no_whole_label = (1 << 20) - 1;
template <class T> HM_FN void check_label(u64 *fault, T label, int classes, i64 position) {
  if ((label >= 0) & (label < (T)classes) & (trunc_of(label) == label)) return;
  const bool told = (label >= -262144) & (label <= 262144) & (trunc_of(label) == label);
  const int code = told ? (int)label + label_middle : no_whole_label;
  atomicMin(fault, ((u64)position << label_bits) | (u64)code);
}

// ---- Barriers by number, from 1, of as many threads ------------------------------------------------------------------
// What threads wrote before they came is seen by those that waited.
HM_FN void wait_at(int barrier, int threads) {
#ifdef HM_EMULATED
  em_named(barrier, threads, 1);
#else
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
#endif
}
HM_FN void come_to(int barrier, int threads) { // without waiting
#ifdef HM_EMULATED
  em_named(barrier, threads, 0);
#else
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
#endif
}

// ---- Sums over a block ---------------------------------------------------------------------------------------------
constexpr int block_threads = 256;
// out[k] = sum over the threads of x[k], in one order. All threads of the block call it. `room`: shared memory.
constexpr int sums_room = 9 * block_threads;
template <int N> HM_FN void block_sums_in(double *room, const double (&x)[N], double *out) {
  double *const each = room, *const part = room + 8 * block_threads;
  const int t = threadIdx.x;
  for (int k = 0; k < N; k += 8) {
    HM_LANES(8) each[l * block_threads + t] = k + l < N ? x[k + l < N ? k + l : 0] : 0.0;
    __syncthreads();
    double sum = 0;
    for (int i = t % 32; i < block_threads; i += 32) sum += each[t / 32 * block_threads + i];
    part[t] = sum;
    __syncthreads();
    if (t < 8 && k + t < N) {
      double total = 0;
      for (int i = 0; i < 32; i++) total += part[t * 32 + i];
      out[k + t] = total;
    }
  }
}
template <int N> HM_FN void block_sums(const double (&x)[N], double *out) {
  HM_SHARED(double, room, sums_room);
  block_sums_in(room, x, out);
}
