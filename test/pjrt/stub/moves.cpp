#include "moves.h"

#include <algorithm>

/** An element of x for each of the result, at the index that `move` makes of it. */
template <typename Move>
static Numbers gathered(const Value& x, const Type& to, Move move) {
  const auto strides = strides_of(x.type.dims);
  Numbers made;
  made.reserve(to.count());
  Index from(x.type.dims.size());
  each(to.dims, [&](const Index& index) {
    move(index, from);
    made.push_back(x.data[offset(from, strides)]);
  });
  return made;
}

static Numbers padded(const Operation& op, const Value& x, double fill) {
  const auto low = numbers_after(op.text, "low = "), between = numbers_after(op.text, "interior = ");
  Numbers made(op.type.count(), fill);
  const auto strides = strides_of(op.type.dims);
  size_t at = 0;
  each(x.type.dims, [&](const Index& index) {
    const double number = x.data[at++];
    Index to(index.size());
    for (size_t i = 0; i < index.size(); i++) {
      to[i] = low[i] + index[i] * (between[i] + 1);
      if (to[i] < 0 || to[i] >= op.type.dims[i]) return;
    }
    made[offset(to, strides)] = number;
  });
  return made;
}

static Numbers concatenated(const Operation& op, const std::vector<const Value*>& in) {
  const int64_t dim = numbers_of(op.text.substr(op.text.find("dim = "))).at(0);
  Numbers made(op.type.count());
  const auto strides = strides_of(op.type.dims);
  int64_t from = 0;
  for (const Value* part : in) {
    size_t at = 0;
    each(part->type.dims, [&](Index index) {
      index[dim] += from;
      made[offset(index, strides)] = part->data[at++];
    });
    from += part->type.dims[dim];
  }
  return made;
}

/** Where a dynamic slice begins: within what it is a slice of. */
static Index begun(const std::vector<const Value*>& in, size_t first, const Index& whole, const Index& part) {
  Index from;
  for (size_t i = 0; i < whole.size(); i++)
    from.push_back(std::clamp<int64_t>(static_cast<int64_t>(in[first + i]->data[0]), 0, whole[i] - part[i]));
  return from;
}

bool is_move(const std::string& name) {
  static const std::vector<std::string> names = {"broadcast_in_dim", "transpose", "reverse", "slice", "dynamic_slice",
                                                 "dynamic_update_slice", "pad", "concatenate"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

Numbers moved(const Operation& op, const std::vector<const Value*>& in) {
  const std::string& name = op.name;
  const Value& x = *in.at(0);
  if (name == "broadcast_in_dim") {
    const auto dims = numbers_after(op.text, "dims = ");
    return gathered(x, op.type, [&](const Index& to, Index& from) {
      for (size_t i = 0; i < from.size(); i++) from[i] = x.type.dims[i] == 1 ? 0 : to[dims[i]];
    });
  }
  if (name == "transpose") {
    const auto order = numbers_after(op.text, "dims = ");
    return gathered(x, op.type, [&](const Index& to, Index& from) {
      for (size_t i = 0; i < to.size(); i++) from[order[i]] = to[i];
    });
  }
  if (name == "reverse") {
    const auto dims = numbers_after(op.text, "dims = ");
    return gathered(x, op.type, [&](const Index& to, Index& from) {
      from = to;
      for (int64_t dim : dims) from[dim] = x.type.dims[dim] - 1 - to[dim];
    });
  }
  if (name == "slice") {
    // Ranges `from:to` or `from:to:step`.
    const std::string ranges = bracketed(op.text, 0) + ",";
    Index first, step;
    for (size_t at = 0; at + 1 < ranges.size();) {
      const size_t end = ranges.find(',', at);
      const auto three = numbers_of(ranges.substr(at, end - at));
      if (three.size() >= 2) first.push_back(three[0]), step.push_back(three.size() > 2 ? three[2] : 1);
      at = end + 1;
    }
    return gathered(x, op.type, [&](const Index& to, Index& from) {
      for (size_t i = 0; i < to.size(); i++) from[i] = first[i] + to[i] * step[i];
    });
  }
  if (name == "dynamic_slice") {
    const Index first = begun(in, 1, x.type.dims, op.type.dims);
    return gathered(x, op.type, [&](const Index& to, Index& from) {
      for (size_t i = 0; i < to.size(); i++) from[i] = first[i] + to[i];
    });
  }
  if (name == "dynamic_update_slice") {
    const Value& part = *in.at(1);
    Numbers made = x.data;
    const Index first = begun(in, 2, x.type.dims, part.type.dims);
    const auto strides = strides_of(x.type.dims);
    size_t at = 0;
    each(part.type.dims, [&](Index index) {
      for (size_t i = 0; i < index.size(); i++) index[i] += first[i];
      made[offset(index, strides)] = part.data[at++];
    });
    return made;
  }
  if (name == "pad") return padded(op, x, in.at(1)->data[0]);
  return concatenated(op, in);
}
