// Row programs inside the library: how other kernels load their inputs and store their results.
#pragma once
#include "halomesh.h"
#include <cstddef>
#include <vector>

namespace hm {

// Sets the text of hm_error and returns 1.
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Registers of one thread; reused from call to call.
struct RowScratch {
  std::vector<float> narrow;
  std::vector<double> wide;
};

// Where a row lies: w0 .. w0+count-1 at (n, d, h), channels c0 .. c0+lanes-1, delivered with `block` lanes a position
// (lanes <= block; lanes beyond are zero). All coordinates global.
struct Row {
  int64_t n, d, h, w0, count, c0;
  int lanes, block;
};

// Checks once, before a kernel runs: registers in range, operands cover `box`, dtypes known. 0 or fail().
int check_program(const hm_program &p, const hm_view &box, const char *kernel);

// Evaluates a prologue at `row`; writes count*block float32 to out. The row lies inside the stored box. A program that is one
// LOAD of contiguous rows (and load + scale/shift + leaky) must be fast: this runs in the inner loop of the convolutions.
void load_row(const hm_program &p, RowScratch &s, const Row &row, float *out);

// Number of HM_SUM instructions, and doubles that one tile's partial sums take (sums * channels of box, padded to blocks).
int sum_count(const hm_program &p);

// Runs an epilogue on a result row of count*block float32. `partial`: this tile's slot: [sum][channel of box], doubles,
// zeroed by the kernel before the tile's first row; may be null when sum_count is 0. c_origin: first channel of the box.
void store_row(const hm_program &p, RowScratch &s, const Row &row, const float *result, double *partial, int64_t c_origin,
               int64_t channels);

// After all tiles: combines partial sums in tile order in float64 and writes the summed operands. tile_n[t] is the n (batch)
// of tile t (a tile never spans two n), `channels` as given to store_row. `box` is the kernel's loop box.
void finish_sums(const hm_program &p, const hm_view &box, const double *partials, const int64_t *tile_n, int64_t tiles,
                 int64_t channels);

} // namespace hm
