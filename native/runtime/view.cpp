// Checks of boxes and views: what is wrong, in which argument and dimension, what was expected and what came.
#include "runtime/view.h"

namespace hm {

const char *const dim_names[HM_DIMS] = {"n", "d", "h", "w", "c"};

namespace {
const struct {
  const char *name;
  int64_t size;
} dtypes[] = {{"f32", 4}, {"bf16", 2}, {"f64", 8}, {"u8", 1}, {"i32", 4}};
constexpr int dtype_count = 5;
constexpr int max_block = 64;
using ll = long long;
} // namespace

const char *dtype_name(int32_t dtype) { return dtype >= 0 && dtype < dtype_count ? dtypes[dtype].name : "unknown"; }
int64_t dtype_size(int32_t dtype) { return dtype >= 0 && dtype < dtype_count ? dtypes[dtype].size : 0; }

int check_extents(const hm_view *box, const char *kernel, const char *what) {
  if (!box) return fail("%s: %s is null", kernel, what);
  int64_t positions = 1;
  bool empty = false, fits = true;
  for (int i = 0; i < HM_DIMS; i++) {
    const int64_t start = box->start[i], size = box->size[i], global = box->global[i];
    if (size < 0) return fail("%s: %s: dimension %s has size %lld", kernel, what, dim_names[i], ll(size));
    if (start < -most_coordinates || start > most_coordinates || size > most_positions || global < 0 || global > most_coordinates)
      return fail("%s: %s: dimension %s: expected coordinates up to %lld, got start %lld, size %lld, global extent %lld", kernel, what,
                  dim_names[i], ll(most_coordinates), ll(start), ll(size), ll(global));
    const int64_t lanes = i == HM_C && box->block > 1 ? box->block - 1 : 0; // of the last block, perhaps padding
    empty |= size == 0;
    fits = fits && times(positions, size + lanes, &positions);
  }
  if (empty || (fits && positions <= most_positions)) return 0;
  return fail("%s: %s: %lld x %lld x %lld x %lld x %lld positions: expected %lld at most", kernel, what, ll(box->size[0]),
              ll(box->size[1]), ll(box->size[2]), ll(box->size[3]), ll(box->size[4]), ll(most_positions));
}

int check_box(const hm_view *box, const char *kernel, const char *what) {
  if (!box) return fail("%s: %s is null", kernel, what);
  if (box->block < 1 || box->block > max_block)
    return fail("%s: %s: expected a block of 1..%d channels, got %d", kernel, what, max_block, int(box->block));
  return check_extents(box, kernel, what);
}

int check_inside(const hm_view &box, const char *kernel, const char *what) {
  for (int i = 0; i < HM_DIMS; i++)
    if (box.size[i] > 0 && !lies_in(box.start[i], box.size[i], 0, box.global[i]))
      return fail("%s: %s: dimension %s: box [%lld, %lld) lies outside the global extent %lld", kernel, what, dim_names[i],
                  ll(box.start[i]), ll(clamped_sum(box.start[i], box.size[i])), ll(box.global[i]));
  return 0;
}

int check_memory(const hm_view &view, const int32_t present[5], const char *kernel, const char *what) {
  hm_view held = view;
  for (int i = 0; i < HM_DIMS; i++)
    if (present && !present[i]) held.start[i] = 0, held.size[i] = held.global[i] = 1;
  if (check_box(&held, kernel, what)) return 1;
  Reach reach;
  for (int i = 0; i < HM_DIMS; i++) {
    if (held.size[i] == 0) return 0;
    const int64_t block = i == HM_C ? held.block : 1;
    if (reach.add((held.size[i] + block - 1) / block, held.stride[i]) && reach.add(block, 1)) continue;
    return fail("%s: %s: dimension %s: %lld positions at a stride of %lld lie beyond all memory", kernel, what, dim_names[i],
                ll(held.size[i]), ll(held.stride[i]));
  }
  if (!view.data) return fail("%s: %s: data is null", kernel, what);
  if (reach.fits(view.data, dtype_size(view.dtype))) return 0;
  return fail("%s: %s: elements %lld to %lld from %p lie beyond all memory", kernel, what, ll(reach.low), ll(reach.high), view.data);
}

int check_view(const hm_view *view, const char *kernel, const char *what) {
  if (!view) return fail("%s: %s is null", kernel, what);
  if (!dtype_size(view->dtype)) return fail("%s: %s: dtype %d is unknown", kernel, what, int(view->dtype));
  return check_memory(*view, nullptr, kernel, what);
}

int check_range(const hm_view &view, int dim, int64_t start, int64_t size, const char *kernel, const char *what) {
  if (size <= 0 || lies_in(start, size, view.start[dim], view.size[dim])) return 0;
  return fail("%s: %s: dimension %s: needs [%lld, %lld), stored is [%lld, %lld)", kernel, what, dim_names[dim], ll(start),
              ll(clamped_sum(start, size)), ll(view.start[dim]), ll(clamped_sum(view.start[dim], view.size[dim])));
}

int check_covers(const hm_view &view, const hm_view &box, const char *kernel, const char *what) {
  for (int i = 0; i < HM_DIMS; i++)
    if (box.size[i] == 0) return 0;
  for (int i = 0; i < HM_DIMS; i++)
    if (check_range(view, i, box.start[i], box.size[i], kernel, what)) return 1;
  return 0;
}

} // namespace hm
