// Sums over tiles that several threads take in parts: chunks of channels times groups of successive tiles. Groups are few, do not
// depend on the number of threads and are combined in order, so neither does the result.
#pragma once
#include "runtime/threads.h"
#include <algorithm>
#include <vector>

namespace hm::conv {

// sums[c]: doubles of chunk c. work(c, first, last, thread, total) adds the tiles [first, last) to a total that begins as zeros;
// write(c, total) takes the sum over all tiles.
template <class Work, class Write>
void sum_in_groups(const std::vector<int64_t> &sums, int64_t groups, int64_t tiles, Work work, Write write) {
  int64_t most = 0, all = 0;
  for (int64_t n : sums) {
    most = std::max(most, n);
    all += n * groups;
  }
  // A chunk of one group is done when its item is: sums for each thread. Else sums for each item.
  bool single = groups == 1;
  std::vector<double> totals(size_t(single ? most * thread_count() : all));
  std::vector<double *> total_of; // [chunk][group]
  double *next = totals.data();
  for (int64_t n : sums)
    for (int64_t g = 0; g < groups; g++, next += single ? 0 : n) total_of.push_back(next);
  parallel_for(int64_t(total_of.size()), [&](int64_t item, int thread) {
    int64_t c = item / groups, g = item % groups;
    double *total = total_of[size_t(item)] + (single ? thread * most : 0);
    std::fill_n(total, sums[size_t(c)], 0.0);
    work(c, tiles * g / groups, tiles * (g + 1) / groups, thread, total);
    if (single) write(c, total);
  });
  if (single) return;
  parallel_for(int64_t(sums.size()), [&](int64_t c, int) {
    double *const *of_group = &total_of[size_t(c * groups)];
    for (int64_t g = 1; g < groups; g++)
      for (int64_t i = 0; i < sums[size_t(c)]; i++) of_group[0][i] += of_group[g][i];
    write(c, of_group[0]);
  });
}

} // namespace hm::conv
