#include "sums.h"

#include <algorithm>

#include "arithmetic.h"

Numbers reduced(const Operation& op, const Value& x, double start) {
  const auto dims = numbers_after(op.text, "dimensions = ");
  const std::string how = join_of(op, 0);
  Numbers made(op.type.count(), start);
  const auto strides = strides_of(op.type.dims);
  size_t at = 0;
  each(x.type.dims, [&](const Index& index) {
    Index to;
    for (size_t i = 0; i < index.size(); i++)
      if (std::find(dims.begin(), dims.end(), static_cast<int64_t>(i)) == dims.end()) to.push_back(index[i]);
    double& sum = made[offset(to, strides)];
    sum = joined(how, sum, x.data[at++], op.type.element);
  });
  return made;
}

Numbers windowed(const Operation& op, const Value& x, double start) {
  if (op.text.find("base_dilations") != std::string::npos) throw Failure(kUnimplemented, "the stub has no base_dilations");
  const auto sizes = numbers_after(op.text, "window_dimensions = "), step = numbers_after(op.text, "window_strides = "),
             dilation = numbers_after(op.text, "window_dilations = ");
  const bool around = op.text.find("padding = ") != std::string::npos;
  const auto padding = around ? numbers_after(op.text, "padding = ") : Index(2 * sizes.size(), 0);
  const std::string how = join_of(op, op.text.find("({"));
  const auto strides = strides_of(x.type.dims);
  Numbers made;
  each(op.type.dims, [&](const Index& index) {
    double sum = start;
    each(sizes, [&](const Index& tap) {
      Index from(index.size());
      for (size_t i = 0; i < index.size(); i++) {
        from[i] = index[i] * step[i] + tap[i] * dilation[i] - padding[2 * i];
        if (from[i] < 0 || from[i] >= x.type.dims[i]) return;
      }
      sum = joined(how, sum, x.data[offset(from, strides)], op.type.element);
    });
    made.push_back(sum);
  });
  return made;
}

/** `[0] x [1]` behind a key. */
static std::pair<Index, Index> pairs_after(const std::string& text, const std::string& key) {
  const size_t at = text.find(key);
  if (at == std::string::npos) return {};
  const size_t second = text.find("] x [", at);
  return {numbers_of(bracketed(text, at)), numbers_of(bracketed(text, second + 2))};
}

Numbers dot(const Operation& op, const Value& a, const Value& b) {
  const auto batching = pairs_after(op.text, "batching_dims = "), contracting = pairs_after(op.text, "contracting_dims = ");
  const auto sa = strides_of(a.type.dims), sb = strides_of(b.type.dims);
  auto free_of = [](const Value& x, const Index& p, const Index& q) {
    Index made;
    for (size_t i = 0; i < x.type.dims.size(); i++)
      if (std::find(p.begin(), p.end(), static_cast<int64_t>(i)) == p.end() &&
          std::find(q.begin(), q.end(), static_cast<int64_t>(i)) == q.end())
        made.push_back(i);
    return made;
  };
  const Index fa = free_of(a, batching.first, contracting.first), fb = free_of(b, batching.second, contracting.second);
  Index along;
  for (int64_t i : contracting.first) along.push_back(a.type.dims[i]);
  Numbers made;
  each(op.type.dims, [&](const Index& index) {
    int64_t at_a = 0, at_b = 0;
    size_t i = 0;
    for (size_t k = 0; k < batching.first.size(); k++, i++) {
      at_a += index[i] * sa[batching.first[k]];
      at_b += index[i] * sb[batching.second[k]];
    }
    for (int64_t dim : fa) at_a += index[i++] * sa[dim];
    for (int64_t dim : fb) at_b += index[i++] * sb[dim];
    double sum = 0;
    each(along, [&](const Index& tap) {
      int64_t from_a = at_a, from_b = at_b;
      for (size_t k = 0; k < tap.size(); k++) {
        from_a += tap[k] * sa[contracting.first[k]];
        from_b += tap[k] * sb[contracting.second[k]];
      }
      sum += a.data[from_a] * b.data[from_b];
    });
    made.push_back(sum);
  });
  return made;
}

/** Dimensions by their labels: that of each letter, then of each spatial number. */
static std::map<std::string, int64_t> labels_of(const std::string& inside) {
  std::map<std::string, int64_t> made;
  int64_t dim = 0;
  for (size_t at = 0; (at = inside.find_first_not_of(", ", at)) != std::string::npos; dim++) {
    const size_t end = std::min(inside.find_first_of(", ", at), inside.size());
    made[inside.substr(at, end - at)] = dim;
    at = end;
  }
  return made;
}

Numbers convolved(const Operation& op, const Value& x, const Value& w) {
  const size_t at = op.text.find("dim_numbers = ");
  const size_t second = op.text.find("]x[", at), third = op.text.find("]->[", at);
  const auto lx = labels_of(bracketed(op.text, at)), lw = labels_of(bracketed(op.text, second + 1)),
             ly = labels_of(bracketed(op.text, third + 1));
  const size_t axes = lx.size() - 2;
  auto listed = [&](const std::string& key, const Index& otherwise) {
    return op.text.find(key, at) == std::string::npos ? otherwise : numbers_after(op.text.substr(at), key);
  };
  const Index ones(axes, 1);
  const auto step = listed("stride = ", ones), pad = listed("pad = ", Index(2 * axes, 0)),
             spread = listed("lhs_dilate = ", ones), dilation = listed("rhs_dilate = ", ones);
  const auto sx = strides_of(x.type.dims), sw = strides_of(w.type.dims);
  Index taps;
  for (size_t k = 0; k < axes; k++) taps.push_back(w.type.dims[lw.at(std::to_string(k))]);
  const int64_t channels = w.type.dims[lw.at("i")], xf = sx[lx.at("f")], wi = sw[lw.at("i")];
  Numbers made;
  each(op.type.dims, [&](const Index& index) {
    double sum = 0;
    const int64_t from_x = index[ly.at("b")] * sx[lx.at("b")], from_w = index[ly.at("f")] * sw[lw.at("o")];
    each(taps, [&](const Index& tap) {
      int64_t in_x = from_x, in_w = from_w;
      for (size_t k = 0; k < axes; k++) {
        const std::string label = std::to_string(k);
        const int64_t place = index[ly.at(label)] * step[k] + tap[k] * dilation[k] - pad[2 * k];
        if (place < 0 || place % spread[k] != 0 || place / spread[k] >= x.type.dims[lx.at(label)]) return;
        in_x += place / spread[k] * sx[lx.at(label)];
        in_w += tap[k] * sw[lw.at(label)];
      }
      for (int64_t c = 0; c < channels; c++) sum += x.data[in_x + c * xf] * w.data[in_w + c * wi];
    });
    made.push_back(sum);
  });
  return made;
}
