// The flat C interface of the CPU kernels. One shared library per instruction set exports it.
//
// Conventions
// - Every entry returns 0, or 1 after an argument check failed; hm_error() then gives the text. No entry throws or aborts.
// - Numbers may be anything: sizes, strides and addresses that no memory can have are refused before memory is touched (checked.h).
//   What an entry cannot know is whether the memory that a view describes is there.
// - Kernels keep no state beyond the thread pool. All sizes, strides and offsets are 64-bit and count elements.
// - A *box* is a half-open range per dimension in coordinates of the whole (global) tensor.
// - Five canonical dimensions, in this order: n (batch), d, h, w (space), c (channel). A missing one has extent 1.
// - Channels lie in blocks: element (n,d,h,w,c) of a stored box is at
//     data + (n-start.n)*stride.n + (d-start.d)*stride.d + (h-start.h)*stride.h + (w-start.w)*stride.w
//          + ((c-start.c) / block) * stride.c + (c-start.c) % block
//   A plain row-major tensor is block = 1, stride.c = 1. Activations have block 16 (or C where C < 16), stride.w = block.
//   The last block of an activation is padded to `block` lanes; padding lanes hold finite values (kernels write zeros),
//   plain tensors have no padding: never read or write beyond their last element.
// - Kernels read coordinates inside the global tensor only from stored boxes (the caller guarantees they lie there; an entry
//   checks it), and take coordinates outside the global tensor as zero (minus infinity for max pooling).
// - Sums over space are taken in float64 (of products in a weight gradient: in float64 over small cells in float32, which no
//   box cuts) per tile, and combined in tile order: results do not depend on the number of threads, and hardly on the boxes.
//   Tiles are aligned to global coordinates.
#pragma once
#include <stdint.h>

#if defined(__GNUC__)
#define HM_API __attribute__((visibility("default")))
#else
#define HM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HM_N 0
#define HM_D 1
#define HM_H 2
#define HM_W 3
#define HM_C 4
#define HM_DIMS 5

// Element types.
#define HM_F32 0
#define HM_BF16 1
#define HM_F64 2
#define HM_U8 3
#define HM_I32 4

// The member after a pointer: a pointer takes eight bytes in every struct, also where addresses have four.
#define HM_AFTER_POINTER __attribute__((aligned(8)))

// One stored box of a tensor.
typedef struct {
  void *data;        // element at `start`
  HM_AFTER_POINTER int32_t dtype;
  int32_t block;     // channel lanes per block
  int64_t start[5];  // global coordinate of the first stored element
  int64_t size[5];   // stored extents
  int64_t global[5]; // extents of the whole tensor
  int64_t stride[5]; // elements; stride[HM_C] is that of one channel block
} hm_view;

// ---- Row programs --------------------------------------------------------------------------------------------------
// A row program computes element-wise over a row: `count` consecutive w at fixed (n, d, h) and one channel block. Registers
// hold count * block values of float32 (or float64 where `wide`). It is the body of element-wise kernels (hm_rows), the
// prologue of a kernel's load and the epilogue of its store.

// Operand of a load, store or sum. A dimension that the operand lacks (broadcast; for a sum: summed over) has
// present[i] = 0. `view.start`, `view.stride`, `view.block` as in hm_view; view.size is used for checks.
// An operand of HM_STORE with present[HM_C] = HM_SOME_BLOCKS takes only rows of the blocks of channels that it holds; it holds
// each block of the iteration whole or not at all.
#define HM_SOME_BLOCKS 2
typedef struct {
  hm_view view;
  int32_t present[5];
  int32_t reserved;
} hm_operand;

// Instructions: r[dst] = f(r[a], r[b], r[c], imm). src/machine/rows/table.ts has the same list; the two are compared by
// hm_layout when a library is loaded.
//   LOAD         r[dst] = operand
//   STORE        operand = r[a]           (converts to the operand's dtype; bf16 rounds to nearest even). It may lack c where one
//                block holds all channels and r[a] is the same in all lanes
//   SUM          operand = sum of r[a] over the dimensions that the operand lacks (tile order, float64). It may keep n and c; a d,
//                h or w that it keeps must have one position in the box (hm_reduce keeps any)
//   CONST imm    COPY a
//   ADD SUB MUL DIV MIN MAX POW           a op b
//   FMA          a * b + c
//   NEG ABS SIGN SQUARE SQRT RSQRT RECIP EXP LOG TANH ERF SIGMOID FLOOR
//   LEAKY        a > 0 ? a : imm * a
//   LEAKY_GRAD   a > 0 ? b : imm * b      (a: the input of the activation, b: the gradient of its output)
//   LT LE EQ     a op b ? 1 : 0
//   SELECT       a != 0 ? b : c
//   ROUND_BF16   a rounded to bfloat16    ROUND_F32  a rounded to float32 (for wide programs)
//   TRUNC        a rounded towards zero (casts to integers)
//   UNIFORM      counter-based random number in [0, 1): key0, key1, optional scalar step operand, global element index
//                (random.h; its twin is src/core/random.ts)
//   NORMAL       standard normal (Box-Muller on two draws)
//   BERNOULLI    uniform < imm ? 1 : 0
// Over all lanes of a position, which one block of at most 16 must hold: start.c 0, size.c = global.c of the box <= block.
//   LANE         the number of the lane
//   LABEL        a, the same in all lanes: a whole number from 0 to imm - 1, or the kernel fails with its position
//   SOFTMAX      e^(a - m) / sum of e^(a - m), m the largest a
//   LOG_SOFTMAX  a - m - log(sum of e^(a - m))
//   LANE_SUM     sum of a, in every lane
//   ARGMAX       lane of the largest a, the lowest on a tie, in every lane
#define HM_ROW_OPS(X)                                                                                                       \
  X(LOAD) X(STORE) X(SUM) X(CONST) X(COPY) X(ADD) X(SUB) X(MUL) X(DIV) X(MIN) X(MAX) X(POW) X(FMA) X(NEG) X(ABS) X(SIGN)     \
  X(SQUARE) X(SQRT) X(RSQRT) X(RECIP) X(EXP) X(LOG) X(TANH) X(ERF) X(SIGMOID) X(FLOOR) X(LEAKY) X(LEAKY_GRAD) X(LT) X(LE)    \
  X(EQ) X(SELECT) X(ROUND_BF16) X(ROUND_F32) X(TRUNC) X(UNIFORM) X(NORMAL) X(BERNOULLI) X(LANE) X(LABEL) X(SOFTMAX)          \
  X(LOG_SOFTMAX) X(LANE_SUM) X(ARGMAX)

enum {
#define HM_ROW_OP(name) HM_##name,
  HM_ROW_OPS(HM_ROW_OP)
#undef HM_ROW_OP
  HM_OP_COUNT
};

typedef struct {
  int32_t op, dst, a, b, c;
  int32_t operand;     // index into operands (load, store, sum; step of a random draw), -1 for none
  uint32_t key0, key1; // random draws
  double imm;
} hm_instr;

// Limits: 64 registers, 64 operands, 64 lanes a block. A register must be written before it is read.
typedef struct {
  const hm_instr *instr;
  HM_AFTER_POINTER const hm_operand *operands;
  HM_AFTER_POINTER int32_t n_instr;
  int32_t n_operands, n_registers;
  int32_t wide;      // 1: registers are float64
  int32_t input;     // epilogues: the register that the kernel's result is put in; else -1
  int32_t result;    // prologues: the register that holds the loaded value; else -1
  int64_t global[5]; // extents of the iterated global space; random index = row-major (n,d,h,w,c) index in it
} hm_program;

// ---- Windows -------------------------------------------------------------------------------------------------------
// Over d, h, w: output o reads inputs o*stride - pad + dilation*k for k in 0..kernel-1. Unused axes: kernel 1, stride 1.
typedef struct {
  int64_t kernel[3], stride[3], dilation[3], pad[3];
} hm_window;

// An input of a contraction: values come from `load` (a prologue) evaluated at the coordinates wanted. `box` tells which
// coordinates are stored (start, size), the global extents and the block that rows are delivered in; data/stride are
// unused. A kernel with several sources sees their channels one after the other (concat); then every source but the last has
// a channel count that is a multiple of its block.
typedef struct {
  hm_program load;
  hm_view box;
} hm_source;

HM_API const char *hm_error(void);
// What callers must agree on with this library: names of the row operations in order, sizes of the structs. One line of text.
HM_API const char *hm_layout(void);
HM_API const char *hm_isa(void);                    // "avx512", "avx2", "base": what this library was compiled for
HM_API int hm_cpu_supports(const char *isa);        // 1 when this processor can run that library (exported by base)
HM_API int hm_set_threads(int32_t n);               // size of the pool; 0: number of cores
HM_API int32_t hm_threads(void);
// `poll` (or null) is called now and then by the thread that runs kernels, between their pieces: for messages that are under way.
HM_API int hm_set_poll(void (*poll)(void));

// Memory: 64-byte aligned, anonymous pages that take room when they are first touched, returned to the system by hm_free. NULL
// when it cannot be had.
HM_API void *hm_alloc(int64_t bytes);
HM_API int hm_free(void *p, int64_t bytes);
HM_API int hm_memcpy(void *dst, const void *src, int64_t bytes);
HM_API int64_t hm_peak_rss(void);                   // bytes, of this process so far

// A nameless file of `bytes` bytes in a folder, for tensors that make room for others. NULL when it cannot be had. Writes and
// reads run in the order of the calls, beside the caller; each gives a ticket above 0, or 0 after an argument check failed. The
// memory must stay as it is until hm_spill_wait says 0 for the ticket: 0 done, 1 failed (hm_error), 2 not done in that time.
HM_API void *hm_spill_open(const char *folder, int64_t bytes);
HM_API int64_t hm_spill_write(void *spill, const void *from, int64_t bytes, int64_t offset);
HM_API int64_t hm_spill_read(void *spill, void *to, int64_t bytes, int64_t offset);
HM_API int hm_spill_wait(void *spill, int64_t ticket, int32_t milliseconds);
HM_API int hm_spill_close(void *spill);             // drops what is not yet moved
// What the machine can do at most, on all threads of the pool: the best of repetitions over `seconds`.
// *result = floating-point operations a second of multiply-adds in the registers of this instruction set; one counts two.
HM_API int hm_peak_flops(double seconds, double *result);
// *result = bytes a second through `bytes` bytes, which should be far above the caches. kind 0: read, 1: written, 2: copied (bytes
// read and bytes written both count).
HM_API int hm_peak_memory(int32_t kind, int64_t bytes, double seconds, double *result);

// out[box] for every position of `box` (start, size; block = lanes per row block): runs the program; results leave by HM_STORE
// and HM_SUM. Summed operands are overwritten, not added to.
HM_API int hm_rows(const hm_program *program, const hm_view *box);

// How a convolution is computed. AUTO chooses by the layer's global sizes alone, so every box of it is computed alike.
#define HM_CONV_AUTO 0
#define HM_CONV_DIRECT 1   // sums of products in one order
#define HM_CONV_WINOGRAD 2 // minimal filtering (winograd.h) wherever it is possible: 3x3x3, stride 1, dilation 1

// y = epilogue(conv(x, weight)). weight: plain tensor with dims d,h,w = kernel, and its n = input channels, c = output
// channels; any strides (view.stride), so a permuted tensor needs no copy. Loop box: out_box (start, size, block).
HM_API int hm_conv(const hm_window *window, const hm_source *sources, int32_t n_sources, const hm_view *weight,
                   const hm_view *out_box, const hm_program *epilogue, int32_t algorithm);

// The transpose of hm_conv: out position i gets sum over (o, k) with i = o*stride - pad + dilation*k of x[o] * weight[k].
// weight as in hm_conv with n = output channels of the convolution (the channels of x here) -- that is: weight.n indexes the
// channels of x and weight.c the channels of out; the caller swaps strides. x box gives the range of o.
HM_API int hm_conv_transpose(const hm_window *window, const hm_source *sources, int32_t n_sources, const hm_view *weight,
                             const hm_view *out_box, const hm_program *epilogue, int32_t algorithm);

// hm_conv (transposed 0) or hm_conv_transpose (1) in two parts. The first computes what of the output lies in tiles within
// [ready_start, ready_start + ready_size) along d, h, w, and may read only what those outputs read: margins may still be on
// their way. *begun holds the rest; all arguments must stay as they are until hm_conv_end, which computes it. Same bits as in one
// part.
HM_API int hm_conv_begin(int32_t transposed, const hm_window *window, const hm_source *sources, int32_t n_sources,
                         const hm_view *weight, const hm_view *out_box, const hm_program *epilogue, int32_t algorithm,
                         const int64_t ready_start[3], const int64_t ready_size[3], void **begun);
HM_API int hm_conv_end(void **begun);

// dweight[k][i][o] = sum over positions p of out_box of x[p*stride - pad + dilation*k][i] * dy[p][o].
// x: sources (concat allowed); dy: one source; loop box over n,d,h,w: `box` (its c is ignored). dweight: n = input channels,
// d,h,w = kernel, c = output channels, any strides, float32 or float64, overwritten. Products are summed in float32 within
// cells of cell[0] x cell[1] x cell[2] positions (d, h, w; aligned to global coordinates) at most, and in float64 over cells.
HM_API int hm_conv_weight_grad(const hm_window *window, const hm_source *x, int32_t n_x, const hm_source *dy,
                               const hm_view *box, const int64_t cell[3], const hm_view *dweight, int32_t algorithm);

// kind 0: maximum; 1: mean over kernel positions (those outside the volume count as zeros); 2: mean over positions inside.
HM_API int hm_pool(int32_t kind, const hm_window *window, const hm_source *x, const hm_view *out_box,
                   const hm_program *epilogue);
// dx of box `out_box` (coordinates of x). The gradient of a maximum goes to the first largest element in (d,h,w) order.
HM_API int hm_max_pool_grad(const hm_window *window, const hm_source *x, const hm_source *dy, const hm_view *out_box,
                            const hm_program *epilogue);
HM_API int hm_avg_pool_grad(int32_t kind, const hm_window *window, const int64_t x_global[5], const hm_source *dy,
                            const hm_view *out_box, const hm_program *epilogue);

// Resizing of d, h, w from x's global extents to out's. kind 0: nearest: i = min(floor((o + 0.5) * in/out), in-1);
// 1: linear, half-pixel centres: s = max((o + 0.5) * in/out - 0.5, 0), between floor(s) and min(floor(s)+1, in-1).
HM_API int hm_resize(int32_t kind, const hm_source *x, const hm_view *out_box, const hm_program *epilogue);
// The transpose: dx box `out_box`, global extents of dy and dx from their views.
HM_API int hm_resize_grad(int32_t kind, const hm_source *dy, const hm_view *out_box, const hm_program *epilogue);

// Copies box (start, size in global coordinates of dst) from src to dst. Element x of dst comes from element
// (x[perm[i]] - shift[i]) of src's dimension i: perm permutes dimensions (dst dimension perm[i] is src dimension i).
// Converts element types.
HM_API int hm_copy(const hm_view *dst, const hm_view *src, const int64_t start[5], const int64_t size[5],
                   const int32_t perm[5], const int64_t shift[5]);
HM_API int hm_fill(const hm_view *dst, const int64_t start[5], const int64_t size[5], double value);
// Element i of the flattened (row-major, global) tensor of dst is element i of that of src. Each view stores a range of
// consecutive elements: leading dimensions of one position, one partial dimension, whole ones after it. dst's lies within src's.
HM_API int hm_reshape(const hm_view *dst, const hm_view *src);

// dst[x] = reduction over the dimensions of `box` that dst lacks (dst_present[i] = 0). kind 0 sum, 1 max, 2 min. Sums are held
// in float64 (those that keep only n and c: as HM_SUM) and do not depend on the number of threads.
HM_API int hm_reduce(int32_t kind, const hm_view *src, const hm_view *box, const hm_view *dst, const int32_t dst_present[5]);

// out = sum of products (in float64) over the loop space of `n_loops` (<= 10) ranges, 1 to 8 inputs; operand strides per loop
// (0: absent), all addressed plainly by element offsets; operands whose channel is blocked give block and which loop is the blocked
// one (-1 none).
typedef struct {
  void *data;
  HM_AFTER_POINTER int32_t dtype;
  int32_t blocked_loop;
  int64_t block, block_stride;
  int64_t stride[10]; // of the blocked loop: unused
} hm_einsum_operand;
HM_API int hm_einsum(int32_t n_loops, const int64_t *extent, int32_t n_out_loops, const hm_einsum_operand *operands,
                     int32_t n_inputs, const hm_einsum_operand *out); // loops 0..n_out_loops-1 index the output

// softmax over c (all channels stored) at every position of box.
HM_API int hm_softmax(const hm_source *x, const hm_view *box, const hm_program *epilogue);

// Losses over box (n, d, h, w; all classes stored in logits). labels: u8 or i32 or f32 view without c (c extent 1).
// A label outside 0..classes-1 is an error.
// *sum (f64, one per n where per_case, else one) = sum of weights[label] * -log softmax(logits)[label]. Null weights are ones.
HM_API int hm_cross_entropy(const hm_source *logits, const hm_view *labels, const double *weights, const hm_view *box,
                            const hm_view *sum, int32_t per_case);
// dlogits = g[n or 0] * weights[label] * (softmax - onehot)
HM_API int hm_cross_entropy_grad(const hm_source *logits, const hm_view *labels, const double *weights, const hm_view *g,
                                 int32_t per_case, const hm_view *box, const hm_program *epilogue);
// For p = softmax(logits)[cls], t = (label == cls): three sums per n: sum p*t, sum p, sum t (f64 views over n; a view whose
// global n is 1 takes one sum for all). The gradients of the sums likewise.
HM_API int hm_class_sums(const hm_source *logits, const hm_view *labels, int32_t cls, const hm_view *box, const hm_view *pt,
                         const hm_view *p, const hm_view *t);
// dlogits[k] = (g_pt[n]*t + g_p[n]) * p * ((k == cls) - softmax[k])
HM_API int hm_class_sums_grad(const hm_source *logits, const hm_view *labels, int32_t cls, const hm_view *g_pt,
                              const hm_view *g_p, const hm_view *box, const hm_program *epilogue);
// Predicted class (argmax over c, ties to the lowest) into out (u8).
HM_API int hm_argmax(const hm_source *x, const hm_view *box, const hm_view *out);

#ifdef __cplusplus
}
#endif
