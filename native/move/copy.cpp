// Copies between stored boxes: hm_copy, hm_fill, hm_reshape.
//
// Along a dimension, the offset in a stored box is linear, except along blocked channels, where it is linear within a block.
// A dimension of the copied box is therefore cut into spans in which both memories are linear; equal spans at equal
// distances (whole blocks) make one more loop. Each combination of spans is a nest of loops (nest.h).
#include "move/nest.h"
#include "runtime/threads.h"
#include <algorithm>

namespace hm {
namespace {

using ll = long long;

// Offset of coordinate x along dimension i of a view.
int64_t along(const hm_view &v, int i, int64_t x) {
  return i == HM_C ? channel_offset(v, x) : (x - v.start[i]) * v.stride[i];
}

// How far from x the offset stays linear, and with which stride.
int64_t room(const hm_view &v, int i, int64_t x, int64_t wanted) {
  if (i != HM_C || v.block == 1) return wanted;
  return std::min(wanted, v.block - (x - v.start[i]) % v.block);
}
int64_t step(const hm_view &v, int i) { return i == HM_C && v.block > 1 ? 1 : v.stride[i]; }

struct Span {
  int64_t dst, src; // offsets of its first element
  Loop blocks, lanes;
};

// Dimension `i` of dst over [start, start + size) reads dimension `k` of src at x - shift.
std::vector<Span> spans(const hm_view &dst, int i, const hm_view &src, int k, int64_t start, int64_t size, int64_t shift) {
  std::vector<Span> all;
  for (int64_t x = start, n; x < start + size; x += n) {
    n = room(dst, i, x, start + size - x);
    n = room(src, k, x - shift, n);
    Span now{along(dst, i, x), along(src, k, x - shift), {1, 0, 0}, {n, step(dst, i), step(src, k)}};
    if (!all.empty() && all.back().lanes.extent == n) { // the next of a row of equal spans?
      Span &last = all.back();
      const int64_t n_blocks = last.blocks.extent, to = now.dst - last.dst, from = now.src - last.src;
      if (n_blocks == 1) last.blocks = {1, to, from};
      if (to == n_blocks * last.blocks.dst && from == n_blocks * last.blocks.src) {
        last.blocks.extent++;
        continue;
      }
    }
    all.push_back(now);
  }
  return all;
}

int check_boxes(const hm_view *dst, const int64_t *start, const int64_t *size, const char *kernel) {
  if (check_view(dst, kernel, "dst")) return 1;
  if (!start || !size) return fail("%s: %s is null", kernel, start ? "size" : "start");
  for (int i = 0; i < HM_DIMS; i++)
    if (size[i] < 0) return fail("%s: dimension %s has size %lld", kernel, dim_names[i], ll(size[i]));
  return 0;
}

bool empty(const int64_t size[5]) { return !(size[0] && size[1] && size[2] && size[3] && size[4]); }

// The lanes beyond the last channel are zero wherever that channel was written.
void clear_padding(const hm_view &dst, const int64_t start[5], const int64_t size[5]) {
  const int64_t odd = dst.size[HM_C] % dst.block, last = dst.start[HM_C] + dst.size[HM_C] - 1;
  if (odd == 0 || start[HM_C] + size[HM_C] - 1 != last) return;
  const float zero = 0;
  int64_t first = channel_offset(dst, last) + 1;
  std::vector<Loop> loops{{dst.block - odd, 1, 0}};
  for (int i = 0; i < HM_C; i++) {
    first += along(dst, i, start[i]);
    loops.push_back({size[i], dst.stride[i], 0});
  }
  run_nest(loops, (char *)dst.data + first * dtype_size(dst.dtype), dst.dtype, &zero, HM_F32);
}

int copy(const hm_view &dst, const hm_view &src, const int64_t start[5], const int64_t size[5], const int32_t perm[5],
         const int64_t shift[5]) {
  std::vector<Span> of[HM_DIMS]; // by dimension of dst
  for (int i = 0; i < HM_DIMS; i++) of[perm[i]] = spans(dst, perm[i], src, i, start[perm[i]], size[perm[i]], shift[i]);
  size_t at[HM_DIMS] = {};
  for (bool more = true; more;) {
    std::vector<Loop> loops;
    int64_t to = 0, from = 0;
    for (int j = 0; j < HM_DIMS; j++) {
      const Span &s = of[j][at[j]];
      to += s.dst, from += s.src;
      loops.push_back(s.blocks);
      loops.push_back(s.lanes);
    }
    run_nest(loops, (char *)dst.data + to * dtype_size(dst.dtype), dst.dtype,
             (const char *)src.data + from * dtype_size(src.dtype), src.dtype);
    more = false;
    for (int j = HM_DIMS - 1; j >= 0 && !more; j--) {
      if (++at[j] < of[j].size()) more = true;
      else at[j] = 0;
    }
  }
  clear_padding(dst, start, size);
  return 0;
}

// Row-major global index of a view's first element and number of its elements, where these are consecutive: leading dimensions
// of one position, one partial dimension, whole ones after it. 0 or fail().
int consecutive(const hm_view &v, const char *what, int64_t *first, int64_t *count) {
  bool partial = false;
  for (int i = HM_DIMS - 1; i >= 0; i--) {
    if (partial && v.size[i] != 1)
      return fail("hm_reshape: %s: dimension %s: a partial dimension follows, so its size must be 1, not %lld", what,
                  dim_names[i], ll(v.size[i]));
    if (v.size[i] != v.global[i]) partial = true;
  }
  *first = 0, *count = 1;
  for (int i = 0; i < HM_DIMS; i++) *count *= v.size[i];
  if (*count == 0) return 0;
  if (check_inside(v, "hm_reshape", what)) return 1;
  for (int i = 0; i < HM_DIMS; i++)
    if (!times(*first, v.global[i], first) || !plus(*first, v.start[i], first))
      return fail("hm_reshape: %s: more elements in all than 64 bits can count", what);
  return 0;
}

// Walks the stored elements of a view in row-major order, a run of consecutive memory at a time.
struct Walk {
  const hm_view &v;
  int64_t x[HM_DIMS];

  Walk(const hm_view &view, int64_t index) : v(view) {
    for (int i = HM_DIMS - 1; i >= 0; i--) x[i] = index % v.global[i], index /= v.global[i];
  }
  int64_t offset() const { return offset_of(v, x[0], x[1], x[2], x[3], x[4]); }
  Loop run(int64_t wanted) const { // up to the end of the row of channels or of the block
    int64_t left = std::min(wanted, v.start[HM_C] + v.size[HM_C] - x[HM_C]);
    return {room(v, HM_C, x[HM_C], left), step(v, HM_C), 0};
  }
  void advance(int64_t n) {
    x[HM_C] += n;
    for (int i = HM_C; i > 0 && x[i] >= v.start[i] + v.size[i]; i--) x[i] = v.start[i], x[i - 1]++;
  }
  bool dense() const { // row-major memory without gaps
    int64_t stride = 1;
    if (v.block != 1 && v.block != v.size[HM_C]) return false;
    for (int i = HM_DIMS - 1; i >= 0; stride *= v.size[i--])
      if (v.size[i] > 1 && v.stride[i] != stride && !(i == HM_C && v.block > 1)) return false;
    return true;
  }
};

} // namespace
} // namespace hm

using namespace hm;

int hm_copy(const hm_view *dst, const hm_view *src, const int64_t start[5], const int64_t size[5], const int32_t perm[5],
            const int64_t shift[5]) {
  return guarded("hm_copy", [&] {
    if (check_boxes(dst, start, size, "hm_copy") || check_view(src, "hm_copy", "src")) return 1;
    if (!perm || !shift) return fail("hm_copy: %s is null", perm ? "shift" : "perm");
    unsigned seen = 0;
    for (int i = 0; i < HM_DIMS; i++) {
      if (perm[i] < 0 || perm[i] >= HM_DIMS || (seen >> perm[i] & 1))
        return fail("hm_copy: perm is not a permutation: perm[%d] is %d", i, int(perm[i]));
      seen |= 1u << perm[i];
    }
    if (empty(size)) return 0;
    for (int i = 0; i < HM_DIMS; i++) {
      int64_t from;
      if (!minus(start[perm[i]], shift[i], &from))
        return fail("hm_copy: dimension %s: start %lld less shift %lld is no coordinate", dim_names[i], ll(start[perm[i]]), ll(shift[i]));
      if (check_range(*dst, i, start[i], size[i], "hm_copy", "dst") ||
          check_range(*src, i, from, size[perm[i]], "hm_copy", "src"))
        return 1;
    }
    return copy(*dst, *src, start, size, perm, shift);
  });
}

int hm_fill(const hm_view *dst, const int64_t start[5], const int64_t size[5], double value) {
  return guarded("hm_fill", [&] {
    if (check_boxes(dst, start, size, "hm_fill")) return 1;
    if (empty(size)) return 0;
    hm_view constant{}; // one element, at every coordinate
    constant.data = &value, constant.dtype = HM_F64, constant.block = 1;
    const int32_t perm[5] = {0, 1, 2, 3, 4};
    const int64_t shift[5] = {};
    for (int i = 0; i < HM_DIMS; i++)
      if (check_range(*dst, i, start[i], size[i], "hm_fill", "dst")) return 1;
    return copy(*dst, constant, start, size, perm, shift);
  });
}

int hm_reshape(const hm_view *dst, const hm_view *src) {
  return guarded("hm_reshape", [&] {
    if (check_view(dst, "hm_reshape", "dst") || check_view(src, "hm_reshape", "src")) return 1;
    int64_t to = 0, n = 0, from = 0, available = 0;
    if (consecutive(*dst, "dst", &to, &n) || consecutive(*src, "src", &from, &available)) return 1;
    if (n == 0) return 0;
    if (to < from || clamped_sum(to, n) > clamped_sum(from, available))
      return fail("hm_reshape: dst holds elements [%lld, %lld) of the flattened tensor, src only [%lld, %lld)", ll(to),
                  ll(clamped_sum(to, n)), ll(from), ll(clamped_sum(from, available)));
    const int64_t dst_size = dtype_size(dst->dtype), src_size = dtype_size(src->dtype), piece = 65536;
    parallel_for((n + piece - 1) / piece, [&](int64_t p, int) {
      const int64_t first = to + p * piece, end = std::min(first + piece, to + n);
      Walk d(*dst, first), s(*src, first);
      const bool dense = d.dense() && s.dense();
      for (int64_t i = first, count; i < end; i += count) {
        const Loop a = d.run(end - i), b = s.run(end - i);
        count = dense ? end - i : std::min(a.extent, b.extent);
        run_line({count, dense ? 1 : a.dst, dense ? 1 : b.dst}, (char *)dst->data + d.offset() * dst_size, dst->dtype,
                 (const char *)src->data + s.offset() * src_size, src->dtype);
        if (i + count < end) d.advance(count), s.advance(count);
      }
    });
    clear_padding(*dst, dst->start, dst->size);
    return 0;
  });
}
