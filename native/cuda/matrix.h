// Products of 16 x 16 matrices of bfloat16 on tensor cores (mma.sync m16n8k16), summed in float32. All threads of a warp call these.
//
// The lanes of a warp hold a matrix in pieces. With g = lane / 4, t = lane % 4:
//   A (16 rows, 16 deep)      register r: row g + 8 (r % 2), depths 2t and 2t + 1, + 8 (r / 2)
//   B (16 deep, 8 columns)    register r: depths 2t and 2t + 1, + 8 r, column g
//   sums (16 rows, 8 columns) number r: row g + 8 (r / 2), column 2t + r % 2

struct alignas(16) Four {
  u32 x[4];
};

struct alignas(8) Two {
  u32 x[2];
};

#ifdef HM_EMULATED
struct MatrixRows {
  u32 *r;
  const void *row;
  bool turned;
};
HM_FN void take_rows(void **lanes) {
  for (int j = 0; j < 4; j++) {
    unsigned short m[8][8];
    for (int i = 0; i < 8; i++) memcpy(m[i], ((MatrixRows *)lanes[j * 8 + i])->row, 16);
    for (int l = 0; l < 32; l++) {
      const int g = l / 4, t = l % 4;
      MatrixRows &own = *(MatrixRows *)lanes[l];
      own.r[j] = own.turned ? m[2 * t][g] | (u32)m[2 * t + 1][g] << 16 : m[g][2 * t] | (u32)m[g][2 * t + 1] << 16;
    }
  }
}
HM_FN void load_rows(u32 (&r)[4], const void *row, bool turned) {
  const char *at = (const char *)row;
  if (at < em_shared_memory || at + 16 > em_shared_memory + em_shared_bytes || (size_t)at % 16) return em_fault("a row of a matrix outside of shared memory");
  em_read(at, 16);
  MatrixRows own = {r, row, turned};
  em_warp(&own, take_rows);
}
struct MatrixProduct {
  float *sums;
  const u32 *a;
  u32 b[2];
};
HM_FN float half_of(u32 pair, int e) { return __uint_as_float(e ? pair & 0xffff0000u : pair << 16); }
HM_FN void take_product(void **lanes) {
  float a[16][16], b[16][8];
  for (int l = 0; l < 32; l++) {
    const MatrixProduct &own = *(MatrixProduct *)lanes[l];
    const int g = l / 4, t = l % 4;
    for (int e = 0; e < 2; e++) {
      for (int r = 0; r < 4; r++) a[g + 8 * (r % 2)][2 * t + e + 8 * (r / 2)] = half_of(own.a[r], e);
      for (int r = 0; r < 2; r++) b[2 * t + e + 8 * r][g] = half_of(own.b[r], e);
    }
  }
  for (int l = 0; l < 32; l++)
    for (int r = 0; r < 4; r++) {
      const int row = l / 4 + 8 * (r / 2), column = 2 * (l % 4) + r % 2;
      float sum = 0;
      for (int k = 0; k < 16; k++) sum += a[row][k] * b[k][column];
      ((MatrixProduct *)lanes[l])->sums[r] += sum;
    }
}
#endif

// A matrix from shared memory: lane i tells where row i % 8 of its quarter i / 8 lies, 8 numbers side by side. Quarters in the order of
// the registers of A. `turned`: each quarter becomes its transpose.
template <bool turned> HM_FN void load_matrix(u32 (&r)[4], const void *row) {
#ifdef HM_EMULATED
  load_rows(r, row, turned);
#else
  const u32 at = (u32)__cvta_generic_to_shared(row);
  if (turned)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at));
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at));
#endif
}

// sums += A B
HM_FN void add_product(float (&sums)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#ifdef HM_EMULATED
  MatrixProduct own = {sums, a, {b0, b1}};
  em_warp(&own, take_product);
#else
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

HM_FN Four eight_of(const float (&x)[8]) {
  return {{pair_of(x[0], x[1]), pair_of(x[2], x[3]), pair_of(x[4], x[5]), pair_of(x[6], x[7])}};
}

// Eight numbers of a stored image, or zeros where they are not `there`, to shared memory: they have come after wait_copies().
HM_FN void copy_eight(Four *to, const View<bf16, 16> &v, int n, int d, int h, int w, int c, bool there) {
#ifdef HM_EMULATED
  em_copy_later(to, there && holds(v, {n, d, h, w, c}, 8) ? v.data + offset_of(v, n, d, h, w, c) : nullptr);
#else
  const bf16 *from = there ? v.data + offset_of(v, n, d, h, w, c) : v.data;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"((u32)__cvta_generic_to_shared(to)), "l"(from), "r"(there ? 16 : 0) : "memory");
#endif
}
// Sixteen bytes that are known to be there.
HM_FN void copy_four(Four *to, const Four *from) {
#ifdef HM_EMULATED
  em_copy_later(to, from);
#else
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((u32)__cvta_generic_to_shared(to)), "l"(from) : "memory");
#endif
}
HM_FN void wait_copies() {
#ifdef HM_EMULATED
  em_wait_copies(-1);
#else
  asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}
// Copies that were asked for since the last batch are one; all batches but the last `but` have come.
HM_FN void end_batch() {
#ifdef HM_EMULATED
  em_end_batch();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
template <int but> HM_FN void wait_batches() {
#ifdef HM_EMULATED
  em_wait_copies(but);
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(but) : "memory");
#endif
}
