// Values that are computed with: float64 numbers, whatever their element type, and how their elements are found.
#pragma once
#include "text.h"

using Numbers = std::vector<double>;
struct Value {
  Type type;
  Numbers data;
};
using Index = std::vector<int64_t>;

/** A number as its element type stores it. */
double stored(Element element, double x);
Value value_of(const Array& array);
ArrayPtr array_of(const Value& value);
/** The numbers of a constant. */
Numbers constant(const Operation& op);

inline std::vector<int64_t> strides_of(const Index& dims) {
  std::vector<int64_t> strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

inline int64_t offset(const Index& index, const std::vector<int64_t>& strides) {
  int64_t at = 0;
  for (size_t i = 0; i < index.size(); i++) at += index[i] * strides[i];
  return at;
}

/** Every index of a box in order. */
template <typename Visit>
void each(const Index& dims, Visit visit) {
  for (int64_t dim : dims)
    if (dim == 0) return;
  Index index(dims.size(), 0);
  for (;;) {
    visit(index);
    size_t i = dims.size();
    while (i > 0 && ++index[i - 1] == dims[i - 1]) index[--i] = 0;
    if (i == 0) return;
  }
}
