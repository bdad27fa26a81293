// Argument checks of convolutions and pooling: see conv_check.h.
#include "conv/conv_check.h"
#include <algorithm>

namespace hm::conv {
namespace {
using ll = long long;
constexpr int64_t window_limit = 1 << 12;   // of a kernel, stride or dilation
constexpr int64_t pad_limit = int64_t(1) << 32;
constexpr int64_t reach_limit = 1 << 26;    // positions from the first to the last that a window reads, over all axes
constexpr int64_t extent_limit = 1 << 28;   // along d, h or w
constexpr int32_t source_limit = 256;
constexpr int space_dims = 3;
} // namespace

bool is_empty(const hm_view &box) {
  return std::any_of(box.size, box.size + HM_DIMS, [](int64_t size) { return size == 0; });
}

int check_window(const hm_window *window, const char *kernel) {
  if (!window) return fail("%s: window is null", kernel);
  int64_t reach = 1;
  for (int a = 0; a < space_dims; a++) {
    const struct {
      const char *name;
      int64_t value;
    } fields[] = {{"kernel", window->kernel[a]}, {"stride", window->stride[a]}, {"dilation", window->dilation[a]}};
    for (auto &f : fields)
      if (f.value < 1 || f.value > window_limit)
        return fail("%s: window: %s along %s: expected 1 to %lld, got %lld", kernel, f.name, dim_names[HM_D + a],
                    ll(window_limit), ll(f.value));
    if (window->pad[a] < -pad_limit || window->pad[a] > pad_limit)
      return fail("%s: window: pad along %s is %lld", kernel, dim_names[HM_D + a], ll(window->pad[a]));
    reach *= window->dilation[a] * (window->kernel[a] - 1) + 1; // below 2^24 each
    if (reach > reach_limit)
      return fail("%s: window: it reaches over more than %lld positions", kernel, ll(reach_limit));
  }
  return 0;
}

int check_sources(const hm_source *sources, int32_t n_sources, const char *kernel, const char *what) {
  if (!sources) return fail("%s: %s is null", kernel, what);
  if (n_sources < 1) return fail("%s: %s: expected at least one source, got %d", kernel, what, int(n_sources));
  if (n_sources > source_limit)
    return fail("%s: %s: expected at most %d sources, got %d", kernel, what, int(source_limit), int(n_sources));
  for (int32_t s = 0; s < n_sources; s++) {
    const hm_view &box = sources[s].box;
    if (check_out_box(&box, kernel, what)) return 1;
    for (int i = 0; i < HM_C; i++)
      if (box.global[i] != sources[0].box.global[i])
        return fail("%s: %s: source %d: dimension %s: expected global extent %lld as in source 0, got %lld", kernel, what,
                    int(s), dim_names[i], ll(sources[0].box.global[i]), ll(box.global[i]));
    if (is_empty(box)) continue;
    if (check_program(sources[s].load, box, kernel)) return 1;
    if (sources[s].load.result < 0) return fail("%s: %s: source %d: its program has no result register", kernel, what, int(s));
  }
  return 0;
}

int check_out_box(const hm_view *box, const char *kernel, const char *what) {
  if (check_box(box, kernel, what)) return 1;
  if (box->block > 16) return fail("%s: %s: expected a block of 1 to 16 channels, got %d", kernel, what, int(box->block));
  for (int i = HM_D; i <= HM_W; i++)
    if (box->global[i] > extent_limit)
      return fail("%s: %s: dimension %s: expected a global extent of %lld at most, got %lld", kernel, what, dim_names[i],
                  ll(extent_limit), ll(box->global[i]));
  return check_inside(*box, kernel, what);
}

int check_reads(const Axis axis[3], const hm_source *sources, int32_t n_sources, const hm_view &out, const char *kernel,
                const char *what, int64_t group) {
  if (is_empty(out)) return 0;
  for (int32_t s = 0; s < n_sources; s++) {
    const hm_view &box = sources[s].box;
    if (box.size[HM_C] == 0) continue;
    if (check_range(box, HM_N, out.start[HM_N], out.size[HM_N], kernel, what)) return 1;
    Range reads[space_dims];
    bool any = true; // outputs that lie in the padding alone read nothing
    for (int a = 0; a < space_dims; a++) {
      int i = HM_D + a;
      Range at{out.start[i], out.start[i] + out.size[i]};
      reads[a] = a > 0 && group > 1 ? axis[a].reads_in_groups(at, box.global[i], group) : axis[a].reads(at, box.global[i]);
      any = any && reads[a].size() > 0;
    }
    for (int a = 0; a < space_dims && any; a++)
      if (check_range(box, HM_D + a, reads[a].lo, reads[a].size(), kernel, what)) return 1;
  }
  return 0;
}

int check_weight(const hm_view *weight, const hm_window &window, const hm_source *sources, int32_t n_sources,
                 const hm_view &out, const char *kernel, const char *what) {
  if (check_view(weight, kernel, what)) return 1;
  if (weight->block != 1) return fail("%s: %s: expected a plain tensor (block 1), got block %d", kernel, what, int(weight->block));
  for (int a = 0; a < space_dims; a++)
    if (weight->start[HM_D + a] != 0 || weight->size[HM_D + a] != window.kernel[a])
      return fail("%s: %s: dimension %s: expected the whole kernel [0, %lld), got [%lld, %lld)", kernel, what,
                  dim_names[HM_D + a], ll(window.kernel[a]), ll(weight->start[HM_D + a]),
                  ll(weight->start[HM_D + a] + weight->size[HM_D + a]));
  int64_t channels = 0;
  for (int32_t s = 0; s < n_sources; s++) channels += sources[s].box.global[HM_C];
  if (weight->global[HM_N] != channels)
    return fail("%s: %s: dimension n (input channels): expected global extent %lld as in the sources, got %lld", kernel, what,
                ll(channels), ll(weight->global[HM_N]));
  if (weight->global[HM_C] != out.global[HM_C])
    return fail("%s: %s: dimension c (output channels): expected global extent %lld as in the output, got %lld", kernel, what,
                ll(out.global[HM_C]), ll(weight->global[HM_C]));
  return 0;
}

int check_in_channels(const hm_source *sources, int32_t n_sources, const hm_view &weight, const char *kernel) {
  int64_t base = 0, stored = 0, shared = 0, w_lo = weight.start[HM_N], w_hi = w_lo + weight.size[HM_N];
  for (int32_t s = 0; s < n_sources; s++) {
    const hm_view &box = sources[s].box;
    int64_t lo = base + box.start[HM_C], hi = lo + box.size[HM_C];
    stored += box.size[HM_C];
    shared += std::max<int64_t>(0, std::min(hi, w_hi) - std::max(lo, w_lo));
    base += box.global[HM_C];
  }
  if (shared == stored || shared == weight.size[HM_N]) return 0;
  return fail("%s: weight: dimension n (input channels): stores [%lld, %lld); of the %lld channels that the sources "
              "store it has %lld; expected all of them, or all of the weight's in the sources",
              kernel, ll(w_lo), ll(w_hi), ll(stored), ll(shared));
}

int check_channels(const hm_source &source, const hm_view &out, const char *kernel, const char *what) {
  if (source.box.global[HM_C] != out.global[HM_C])
    return fail("%s: %s: dimension c: expected global extent %lld as in the output, got %lld", kernel, what, ll(out.global[HM_C]),
                ll(source.box.global[HM_C]));
  return is_empty(out) ? 0 : check_range(source.box, HM_C, out.start[HM_C], out.size[HM_C], kernel, what);
}

} // namespace hm::conv
