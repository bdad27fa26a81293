// Instructions of row programs that look at all lanes of a position: the classes of a voxel, which one block holds.
#pragma once
#include "rows/rows_access.h"

namespace hm {

inline bool reads_lanes(int op) { return op >= HM_LANE && op <= HM_ARGMAX; }

// Runs one of them over a row; d is no memory of a. Returns the step of the result (see Reg).
template <class T> int lanes_of(const hm_instr &in, const Row &row, T *d, Reg<T> a);

// The first label (in order n, d, h, w) that HM_LABEL found to be none since the last call: sets hm_error and returns 1, else 0.
int fail_bad_label(const char *kernel);

} // namespace hm
