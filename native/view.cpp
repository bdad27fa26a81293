// Checks of boxes and views: what is wrong, in which argument and dimension, what was expected and what came.
#include "view.h"

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

int check_box(const hm_view *box, const char *kernel, const char *what) {
  if (!box) return fail("%s: %s is null", kernel, what);
  if (box->block < 1 || box->block > max_block)
    return fail("%s: %s: expected a block of 1..%d channels, got %d", kernel, what, max_block, int(box->block));
  for (int i = 0; i < HM_DIMS; i++)
    if (box->size[i] < 0)
      return fail("%s: %s: dimension %s has size %lld", kernel, what, dim_names[i], ll(box->size[i]));
  return 0;
}

int check_view(const hm_view *view, const char *kernel, const char *what) {
  if (!view) return fail("%s: %s is null", kernel, what);
  if (!dtype_size(view->dtype)) return fail("%s: %s: dtype %d is unknown", kernel, what, int(view->dtype));
  if (check_box(view, kernel, what)) return 1;
  int64_t elements = 1;
  for (int i = 0; i < HM_DIMS; i++) elements = view->size[i] ? elements : 0;
  if (elements && !view->data) return fail("%s: %s: data is null", kernel, what);
  return 0;
}

int check_range(const hm_view &view, int dim, int64_t start, int64_t size, const char *kernel, const char *what) {
  if (size <= 0 || (start >= view.start[dim] && start + size <= view.start[dim] + view.size[dim])) return 0;
  return fail("%s: %s: dimension %s: needs [%lld, %lld), stored is [%lld, %lld)", kernel, what, dim_names[dim], ll(start),
              ll(start + size), ll(view.start[dim]), ll(view.start[dim] + view.size[dim]));
}

int check_covers(const hm_view &view, const hm_view &box, const char *kernel, const char *what) {
  for (int i = 0; i < HM_DIMS; i++)
    if (box.size[i] == 0) return 0;
  for (int i = 0; i < HM_DIMS; i++)
    if (check_range(view, i, box.start[i], box.size[i], kernel, what)) return 1;
  return 0;
}

} // namespace hm
