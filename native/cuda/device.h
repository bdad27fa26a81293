// What printed kernels are made of: element types, views of stored boxes, the arithmetic of rows, random numbers, sums over a block.
// Plain CUDA C++ that includes nothing, so that NVRTC and nvcc take it, and a host compiler after emulate/emulate.h.
//
// Five canonical dimensions n, d, h, w, c as in halomesh.h, with global coordinates. Results are the same on any mesh: products are
// fused only where fma_of is written (compile without contraction), and nothing is added by atomics.
#ifndef HM_EMULATED
#define HM_FN static __device__ __forceinline__
#define HM_KERNEL(threads) HM_KERNELS(threads, 1)
// `blocks` blocks at a time find room in a multiprocessor.
#define HM_KERNELS(threads, blocks) extern "C" __global__ void __launch_bounds__(threads, blocks)
#define HM_CONST __grid_constant__
#define HM_SHARED(type, name, count) __shared__ __align__(16) type name[count]
// Shared memory of a kernel that says how many bytes it wants; once.
#define HM_ROOM(type, name, count) extern __shared__ __align__(16) u8 hm_room[]; type *const name = (type *)hm_room
#endif
#define HM_LANES(V) _Pragma("unroll") for (int l = 0; l < (V); l++)

typedef long long i64;
typedef unsigned long long u64;
typedef unsigned u32;
typedef unsigned char u8;

constexpr int any_size = 0x7fffffff; // of a dimension that a view lacks

// ---- Element types -------------------------------------------------------------------------------------------------
struct bf16 {
  unsigned short bits;
};

HM_FN float to_float(bf16 x) { return __uint_as_float((u32)x.bits << 16); }
// Round to nearest, ties to even; NaN stays NaN.
HM_FN bf16 to_bf16(float x) {
#ifdef HM_EMULATED
  const u32 u = __float_as_uint(x);
  if ((u & 0x7fffffffu) > 0x7f800000u) return {0x7fff};
  return {(unsigned short)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)};
#else
  bf16 y;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
  return y;
#endif
}

// Two of them in a word, the first one in its lower half.
HM_FN u32 pair_of(float low, float high) {
#ifdef HM_EMULATED
  return to_bf16(low).bits | (u32)to_bf16(high).bits << 16;
#else
  u32 y;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
  return y;
#endif
}
HM_FN void of_pair(u32 pair, float &low, float &high) { low = __uint_as_float(pair << 16), high = __uint_as_float(pair & 0xffff0000u); }

// Stored elements as registers (T: float or double), and back. Integers saturate and take 0 for NaN.
template <class T, class S> struct Element {
  HM_FN T read(S x) { return (T)x; }
  HM_FN S write(T x) { return (S)x; }
};
template <class T> struct Element<T, bf16> {
  HM_FN T read(bf16 x) { return (T)to_float(x); }
  HM_FN bf16 write(T x) { return to_bf16((float)x); }
};
template <class T> struct Element<T, u8> {
  HM_FN T read(u8 x) { return (T)x; }
  HM_FN u8 write(T x) { return (u8)(int)(x > 0 ? (x < 255 ? x : (T)255) : (T)0); }
};
template <class T> struct Element<T, int> {
  HM_FN T read(int x) { return (T)x; }
  HM_FN int write(T x) {
    const double low = -2147483648.0, high = 2147483647.0, y = (double)x;
    return (int)(y > low ? (y < high ? y : high) : (y == y ? low : 0.0));
  }
};

// ---- Division --------------------------------------------------------------------------------------------------------
// By a number that is known before the launch, of numbers below 2^31.
struct Divider {
  u32 by, multiplier, shift, unused;
};
HM_FN u32 divided(u32 x, const Divider &d) { return (u32)((u64)x * d.multiplier >> d.shift); }

// ---- Views ---------------------------------------------------------------------------------------------------------
// A stored box with channels in blocks of B (1: plain). A dimension that the tensor lacks has start 0, stride 0, size any_size.
template <class S, int B> struct View {
  S *data;
  int start[5], size[5];
  i64 stride[5]; // elements; the last one that of a block of channels
};

#ifdef HM_EMULATED
template <class S, int B> HM_FN bool holds(const View<S, B> &v, const int (&at)[5], int lanes) {
  for (int i = 0; i < 5; i++)
    if (v.size[i] != any_size && (at[i] < v.start[i] || at[i] + (i == 4 ? lanes - 1 : 0) >= v.start[i] + v.size[i])) {
      char text[256];
      snprintf(text, sizeof text, "place (%d, %d, %d, %d, %d) with %d lanes lies outside of a tensor's box from (%d, %d, %d, %d, %d) of %dx%dx%dx%dx%d",
               at[0], at[1], at[2], at[3], at[4], lanes, v.start[0], v.start[1], v.start[2], v.start[3], v.start[4], v.size[0],
               v.size[1], v.size[2], v.size[3], v.size[4]);
      em_fault(text);
      return false;
    }
  return true;
}
#endif

template <class S, int B> HM_FN i64 offset_of(const View<S, B> &v, int n, int d, int h, int w, int c) {
  const int r = c - v.start[4];
  return (n - v.start[0]) * v.stride[0] + (d - v.start[1]) * v.stride[1] + (h - v.start[2]) * v.stride[2] +
         (w - v.start[3]) * v.stride[3] + (B == 1 ? r * v.stride[4] : r / B * v.stride[4] + r % B);
}

template <class S, int B> HM_FN S &place_of(const View<S, B> &v, int n, int d, int h, int w, int c) {
#ifdef HM_EMULATED
  static S nowhere;
  if (!holds(v, {n, d, h, w, c}, 1)) return nowhere;
#endif
  return v.data[offset_of(v, n, d, h, w, c)];
}

template <class T, class S, int B> HM_FN T get(const View<S, B> &v, int n, int d, int h, int w, int c) {
  return Element<T, S>::read(place_of(v, n, d, h, w, c));
}
template <class T, class S, int B> HM_FN void put(const View<S, B> &v, int n, int d, int h, int w, int c, T x) {
  place_of(v, n, d, h, w, c) = Element<T, S>::write(x);
}

// V lanes that lie side by side in one block, at a multiple of their bytes or of 16 (the caller knows).
template <class S, int V> struct alignas(sizeof(S) * V < 16 ? sizeof(S) * V : 16) Pack {
  S x[V];
};
// Two bfloat16 numbers of V are read or written as a word.
template <class T, class S, int V> struct Paired {
  static constexpr bool value = false;
};
template <int V> struct Paired<float, bf16, V> {
  static constexpr bool value = V % 2 == 0;
};
template <bool paired> struct Lanes {
  template <int V, class T, class S> HM_FN void read(const S *from, T (&r)[V]) {
    const Pack<S, V> p = *(const Pack<S, V> *)from;
    HM_LANES(V) r[l] = Element<T, S>::read(p.x[l]);
  }
  template <int V, class T, class S> HM_FN void write(S *to, const T (&r)[V]) {
    Pack<S, V> p;
    HM_LANES(V) p.x[l] = Element<T, S>::write(r[l]);
    *(Pack<S, V> *)to = p;
  }
};
template <> struct Lanes<true> {
  template <int V> HM_FN void read(const bf16 *from, float (&r)[V]) {
    const Pack<u32, V / 2> p = *(const Pack<u32, V / 2> *)from;
    HM_LANES(V / 2) of_pair(p.x[l], r[2 * l], r[2 * l + 1]);
  }
  template <int V> HM_FN void write(bf16 *to, const float (&r)[V]) {
    Pack<u32, V / 2> p;
    HM_LANES(V / 2) p.x[l] = pair_of(r[2 * l], r[2 * l + 1]);
    *(Pack<u32, V / 2> *)to = p;
  }
};
template <int V, class T, class S, int B>
HM_FN void get_lanes(const View<S, B> &v, int n, int d, int h, int w, int c, T (&r)[V]) {
#ifdef HM_EMULATED
  if (!holds(v, {n, d, h, w, c}, V)) return;
#endif
  Lanes<Paired<T, S, V>::value>::read(v.data + offset_of(v, n, d, h, w, c), r);
}
template <int V, class T, class S, int B>
HM_FN void put_lanes(const View<S, B> &v, int n, int d, int h, int w, int c, const T (&r)[V]) {
#ifdef HM_EMULATED
  if (!holds(v, {n, d, h, w, c}, V)) return;
#endif
  Lanes<Paired<T, S, V>::value>::write(v.data + offset_of(v, n, d, h, w, c), r);
}
// y = x, rounded to bfloat16.
template <class T, int V> HM_FN void round_lanes(const T (&x)[V], T (&y)[V]) { HM_LANES(V) y[l] = (T)to_float(to_bf16((float)x[l])); }
template <int V> HM_FN void round_lanes(const float (&x)[V], float (&y)[V]) {
  HM_LANES(V / 2) of_pair(pair_of(x[2 * l], x[2 * l + 1]), y[2 * l], y[2 * l + 1]);
  if (V % 2 == 1) y[V - 1] = to_float(to_bf16(x[V - 1]));
}

// ---- Arithmetic of rows --------------------------------------------------------------------------------------------
HM_FN float fma_of(float a, float b, float c) { return fmaf(a, b, c); }
HM_FN double fma_of(double a, double b, double c) { return fma(a, b, c); }
HM_FN float sqrt_of(float x) { return sqrtf(x); }
HM_FN double sqrt_of(double x) { return sqrt(x); }
HM_FN float exp_of(float x) { return expf(x); }
HM_FN double exp_of(double x) { return exp(x); }
HM_FN float log_of(float x) { return logf(x); }
HM_FN double log_of(double x) { return log(x); }
HM_FN float tanh_of(float x) { return tanhf(x); }
HM_FN double tanh_of(double x) { return tanh(x); }
HM_FN float erf_of(float x) { return erff(x); }
HM_FN double erf_of(double x) { return erf(x); }
HM_FN float pow_of(float x, float y) { return powf(x, y); }
HM_FN double pow_of(double x, double y) { return pow(x, y); }
HM_FN float floor_of(float x) { return floorf(x); }
HM_FN double floor_of(double x) { return floor(x); }
HM_FN float trunc_of(float x) { return truncf(x); }
HM_FN double trunc_of(double x) { return trunc(x); }
HM_FN float cos_turns(float u) { return cospif(2.0f * u); }
HM_FN double cos_turns(double u) { return cospi(2.0 * u); }
template <class T> HM_FN T min_of(T x, T y) { return (x < y) | (x != x) ? x : y; }
template <class T> HM_FN T max_of(T x, T y) { return (x > y) | (x != x) ? x : y; }
template <class T> HM_FN T abs_of(T x) { return x < 0 ? -x : x == 0 ? (T)0 : x; }
template <class T> HM_FN T sign_of(T x) { return x > 0 ? (T)1 : x < 0 ? (T)-1 : x; }
template <class T> HM_FN T sigmoid_of(T x) { return (T)1 / ((T)1 + exp_of(-x)); }

// ---- Random numbers: the twin of native/rows/random.h and src/core/random.ts -----------------------------------------
HM_FN u32 mix(u32 x) {
  x ^= x >> 16;
  x *= 0x21f0aaadu;
  x ^= x >> 15;
  x *= 0xd35a2d97u;
  x ^= x >> 15;
  return x;
}
HM_FN u32 random_row(u32 key0, u32 high) { return mix(key0 ^ mix(high + 0x9e3779b9u)); }
HM_FN u32 random_step(u32 key1, u32 step) { return mix(key1 ^ mix(step + 0x85ebca6bu)); }
HM_FN u32 random_of(u32 row, u32 step, u32 low) { return mix(mix(low ^ row) + step); }
// random_of(row, step, low + l) for l < V, a power of two that `low` is a multiple of: the first product has all lanes' upper bits at once.
template <int V> struct RandomLanes {
  u32 step, upper, lower;
};
template <int V> HM_FN RandomLanes<V> random_lanes(u32 row, u32 step, u32 low) {
  const u32 x = (low ^ row) ^ ((low ^ row) >> 16);
  return {step, (x & ~(u32)(V - 1)) * 0x21f0aaadu, x & (V - 1)};
}
template <int V> HM_FN u32 random_lane(const RandomLanes<V> &r, int l) {
  u32 x = r.upper + (r.lower ^ (u32)l) * 0x21f0aaadu;
  x ^= x >> 15;
  x *= 0xd35a2d97u;
  x ^= x >> 15;
  return mix(x + r.step);
}
HM_FN u32 random_bits(u32 key0, u32 key1, u32 step, u64 index) {
  return random_of(random_row(key0, (u32)(index >> 32)), random_step(key1, step), (u32)index);
}
template <class T> HM_FN T unit_of(u32 bits) { return (T)(int)(bits >> 8) * (T)5.9604644775390625e-8; }
template <class T> HM_FN T normal_of(u32 key0, u32 key1, u32 step, u64 index) {
  const T u = (T)((int)(random_bits(key0, key1, step, index) >> 8) + 1) * (T)5.9604644775390625e-8;
  const T angle = unit_of<T>(random_bits(key0, key1 ^ 0x6a09e667u, step, index));
  return sqrt_of((T)-2 * log_of(u)) * cos_turns(angle);
}

// ---- Classes in the lanes of a position ----------------------------------------------------------------------------
template <class T, int V> HM_FN T top_of(const T (&x)[V]) {
  T top = x[0];
  HM_LANES(V) top = (x[l] > top) | (x[l] != x[l]) ? x[l] : top;
  return top;
}
template <class T, int V> HM_FN void softmax_of(const T (&x)[V], T (&y)[V]) {
  const T top = top_of(x);
  T sum = 0;
  HM_LANES(V) y[l] = exp_of(x[l] - top), sum += y[l];
  HM_LANES(V) y[l] = y[l] / sum;
}
template <class T, int V> HM_FN void log_softmax_of(const T (&x)[V], T (&y)[V]) {
  const T top = top_of(x);
  T sum = 0;
  HM_LANES(V) sum += exp_of(x[l] - top);
  sum = log_of(sum);
  HM_LANES(V) y[l] = (x[l] - top) - sum;
}
template <class T, int V> HM_FN T sum_of(const T (&x)[V]) {
  T sum = x[0];
  for (int l = 1; l < V; l++) sum += x[l];
  return sum;
}
template <class T, int V> HM_FN T argmax_of(const T (&x)[V]) {
  T top = x[0];
  int best = 0;
  for (int l = 1; l < V; l++)
    if (x[l] > top) top = x[l], best = l;
  return (T)best;
}

