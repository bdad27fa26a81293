// What softmax, arg-max and the losses share: they look at all classes of a position at once.
//
// Logits are loaded by a source's prologue and laid out class by class, [class][position], a piece of at most class_positions
// positions along w at a time, so that every step is a loop over positions.
#pragma once
#include "rows/rows_ops.h"
#include "runtime/threads.h"
#include "rows/tiles.h"

namespace hm {

constexpr int64_t class_positions = 256;

// Buffers of one thread.
struct ClassScratch {
  RowScratch rows;
  std::vector<float> row, logits, softmax, top, log_sum;
  std::vector<int32_t> labels;

  void reserve(int64_t classes, int block) {
    const size_t n = size_t(class_positions), blocks = size_t((classes + block - 1) / block);
    row.resize(n * size_t(block)), logits.resize(n * blocks * size_t(block)), softmax.resize(n * size_t(classes));
    top.resize(n), log_sum.resize(n), labels.resize(n);
  }
};

// Checks the source over box's n, d, h, w and all channels of the source's box; `all` becomes that box.
int check_classes(const hm_source *x, const hm_view *box, const char *kernel, hm_view *all);
// Labels: u8, i32 or f32, without channels.
int check_labels(const hm_view *labels, const hm_view &box, const char *kernel);

// Logits at (n, d, h), w0 .. w0+count-1: s.logits[class * class_positions + i].
void load_classes(const hm_source &x, ClassScratch &s, const Row &at);

// From s.logits of `count` positions: top = max over classes, softmax, log_sum = log(sum of exp(logit - top)).
// -log softmax[k] = log_sum + top - logit[k]. With one_class >= 0 only that class's softmax is written.
void softmax_of(ClassScratch &s, int64_t classes, int64_t count, int one_class);

// Labels at the same positions into s.labels. The first one outside 0..classes-1 is kept in `bad` (one per tile).
struct BadLabel {
  bool found = false;
  int64_t n = 0, d = 0, h = 0, w = 0;
  double value = 0;
};
void load_labels(const hm_view &labels, ClassScratch &s, const Row &at, int64_t classes, BadLabel &bad);
int fail_label(const std::vector<BadLabel> &bad, int64_t classes, const char *kernel); // 0 where none was found

// Stores `values` [class][position] through an epilogue, block by block.
void store_classes(const hm_program &epilogue, ClassScratch &s, const Row &at, const hm_view &all, const float *values,
                   double *partial);

// Runs body(tile number, row piece, scratch) over the box in pieces; pieces of a tile come in order, on one thread.
using PieceBody = std::function<void(int64_t tile, const Row &at, ClassScratch &s)>;
void for_pieces(const Tiles &tiles, int64_t classes, int block, const PieceBody &body);

} // namespace hm
