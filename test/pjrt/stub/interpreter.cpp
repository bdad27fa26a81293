// Runs StableHLO one operation after the other, one element at a time. Numbers are float64 while they are computed and are rounded to
// their element type where they are stored; whole numbers of 32 bits wrap around.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "text.h"

using Numbers = std::vector<double>;
struct Value {
  Type type;
  Numbers data;
};
using Index = std::vector<int64_t>;

static std::vector<int64_t> strides_of(const Index& dims) {
  std::vector<int64_t> strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

static int64_t offset(const Index& index, const std::vector<int64_t>& strides) {
  int64_t at = 0;
  for (size_t i = 0; i < index.size(); i++) at += index[i] * strides[i];
  return at;
}

/** Every index of a box in order. */
template <typename Visit>
static void each(const Index& dims, Visit visit) {
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

static float bf16_rounded(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if (std::isnan(x)) return x;
  bits = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000u;
  std::memcpy(&x, &bits, 4);
  return x;
}

static double stored(Element element, double x) {
  switch (element) {
    case kF64:
      return x;
    case kF32:
      return static_cast<float>(x);
    case kBF16:
      return bf16_rounded(static_cast<float>(x));
    case kPred:
      return x != 0;
    case kU8:
      return static_cast<uint8_t>(static_cast<int64_t>(x));
    case kU32:
      return static_cast<uint32_t>(static_cast<int64_t>(x));
    case kS32:
      return static_cast<int32_t>(static_cast<int64_t>(x));
    default:
      throw Failure(kUnimplemented, "the stub computes with whole numbers of 32 bits at most");
  }
}

template <typename T>
static void copy_in(const std::vector<uint8_t>& bytes, Numbers& to) {
  for (size_t i = 0; i < to.size(); i++) {
    T x;
    std::memcpy(&x, &bytes[i * sizeof(T)], sizeof(T));
    to[i] = x;
  }
}

template <typename T>
static void copy_out(const Numbers& from, std::vector<uint8_t>& bytes) {
  for (size_t i = 0; i < from.size(); i++) {
    const T x = static_cast<T>(from[i]);
    std::memcpy(&bytes[i * sizeof(T)], &x, sizeof(T));
  }
}

static Value value_of(const Array& array) {
  Value made{array.type, Numbers(array.type.count())};
  switch (array.type.element) {
    case kF32:
      copy_in<float>(array.bytes, made.data);
      break;
    case kF64:
      copy_in<double>(array.bytes, made.data);
      break;
    case kBF16:
      for (size_t i = 0; i < made.data.size(); i++) {
        const uint32_t bits = (array.bytes[2 * i] | array.bytes[2 * i + 1] << 8u) << 16u;
        float x;
        std::memcpy(&x, &bits, 4);
        made.data[i] = x;
      }
      break;
    case kU32:
      copy_in<uint32_t>(array.bytes, made.data);
      break;
    case kS32:
      copy_in<int32_t>(array.bytes, made.data);
      break;
    default:
      copy_in<uint8_t>(array.bytes, made.data);
  }
  return made;
}

static ArrayPtr array_of(const Value& value) {
  auto made = std::make_shared<Array>(Array{value.type, std::vector<uint8_t>(value.type.bytes())});
  switch (value.type.element) {
    case kF32:
      copy_out<float>(value.data, made->bytes);
      break;
    case kF64:
      copy_out<double>(value.data, made->bytes);
      break;
    case kBF16:
      for (size_t i = 0; i < value.data.size(); i++) {
        const float x = static_cast<float>(value.data[i]);
        uint32_t bits;
        std::memcpy(&bits, &x, 4);
        made->bytes[2 * i] = bits >> 16 & 255;
        made->bytes[2 * i + 1] = bits >> 24;
      }
      break;
    case kU32:
      copy_out<uint32_t>(value.data, made->bytes);
      break;
    case kS32:
      copy_out<int32_t>(value.data, made->bytes);
      break;
    default:
      copy_out<uint8_t>(value.data, made->bytes);
  }
  return made;
}

/** A number of a constant: a decimal, a truth value, or the bits of a float. */
static double number_of(const std::string& text, Element element) {
  if (text == "true" || text == "false") return text == "true";
  if (text.rfind("0x", 0) != 0) return std::stod(text);
  const uint64_t bits = std::stoull(text, nullptr, 16);
  if (element == kF64) {
    double x;
    std::memcpy(&x, &bits, 8);
    return x;
  }
  const uint32_t four = static_cast<uint32_t>(element == kBF16 ? bits << 16 : bits);
  float x;
  std::memcpy(&x, &four, 4);
  return x;
}

static Numbers constant(const Operation& op) {
  const size_t from = op.text.find("dense<") + 6;
  const std::string inside = op.text.substr(from, op.text.rfind("> : tensor<") - from);
  Numbers found;
  for (size_t at = 0; (at = inside.find_first_not_of("[], ", at)) != std::string::npos;) {
    const size_t end = std::min(inside.find_first_of("[], ", at), inside.size());
    found.push_back(number_of(inside.substr(at, end - at), op.type.element));
    at = end;
  }
  if (found.size() == 1) return Numbers(op.type.count(), found[0]);
  return found;
}

static double unary(const std::string& name, double x, Element element) {
  if (name == "abs") return std::fabs(x);
  if (name == "negate") return -x;
  if (name == "exponential") return std::exp(x);
  if (name == "log") return std::log(x);
  if (name == "logistic") return 1 / (1 + std::exp(-x));
  if (name == "tanh") return std::tanh(x);
  if (name == "sqrt") return std::sqrt(x);
  if (name == "rsqrt") return 1 / std::sqrt(x);
  if (name == "cosine") return std::cos(x);
  if (name == "floor") return std::floor(x);
  if (name == "sign") return x > 0 ? 1 : x < 0 ? -1 : x;
  if (name == "not") return element == kPred ? x == 0 : static_cast<double>(~static_cast<uint32_t>(x));
  return std::numeric_limits<double>::quiet_NaN();
}

static bool is_unary(const std::string& name) {
  static const std::vector<std::string> names = {"abs",  "negate", "exponential", "log",   "logistic", "tanh",
                                                 "sqrt", "rsqrt",  "cosine",      "floor", "sign",     "not"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

static bool is_whole(Element element) { return element != kF32 && element != kF64 && element != kBF16; }

/** False where there is no operation of this name. */
static bool binary(const std::string& name, double a, double b, Element element, double& out) {
  const uint64_t m = static_cast<uint64_t>(static_cast<int64_t>(a)), n = static_cast<uint64_t>(static_cast<int64_t>(b));
  const bool nan = std::isnan(a) || std::isnan(b);
  if (name == "add") out = a + b;
  else if (name == "subtract") out = a - b;
  else if (name == "multiply") out = is_whole(element) ? static_cast<double>(static_cast<uint32_t>(m * n)) : a * b;
  else if (name == "divide") out = is_whole(element) ? std::trunc(a / b) : a / b;
  else if (name == "maximum") out = nan ? NAN : std::max(a, b);
  else if (name == "minimum") out = nan ? NAN : std::min(a, b);
  else if (name == "power") out = std::pow(a, b);
  else if (name == "remainder") out = std::fmod(a, b);
  else if (name == "and") out = static_cast<double>(m & n);
  else if (name == "or") out = static_cast<double>(m | n);
  else if (name == "xor") out = static_cast<double>(static_cast<uint32_t>(m ^ n));
  else if (name == "shift_right_logical") out = n > 31 ? 0 : static_cast<double>(static_cast<uint32_t>(m) >> n);
  else if (name == "shift_left") out = n > 31 ? 0 : static_cast<double>(static_cast<uint32_t>(m << n));
  else return false;
  return true;
}

static bool compared(const std::string& how, double a, double b) {
  if (how == "EQ") return a == b;
  if (how == "NE") return a != b;
  if (how == "GE") return a >= b;
  if (how == "GT") return a > b;
  return how == "LE" ? a <= b : a < b;
}

/** What joins two numbers in a reduction. */
static std::string join_of(const Operation& op, size_t from) {
  for (const char* name : {"add", "maximum", "minimum"})
    if (op.text.find(std::string("stablehlo.") + name, from) != std::string::npos) return name;
  throw Failure(kUnimplemented, "the stub has no reduction " + op.text.substr(0, 200));
}

static double joined(const std::string& how, double a, double b, Element element) {
  double out = 0;
  binary(how, a, b, element, out);
  return stored(element, out);
}

class Interpreter : public Program {
 public:
  explicit Interpreter(const std::string& text) : function_(read_module(text)) {
    inputs = function_.inputs;
    outputs = function_.outputs;
    alias = function_.alias;
    // Names are checked and operations known before anything runs.
    std::map<std::string, Type> known;
    for (size_t i = 0; i < inputs.size(); i++) known[function_.arguments[i]] = inputs[i];
    for (const Operation& op : function_.operations) {
      for (const auto& name : op.operands)
        if (!known.count(name)) throw Failure(kInvalidArgument, "no value " + name + " for " + op.text.substr(0, 200));
      if (!known_operation(op.name)) throw Failure(kUnimplemented, "the stub has no operation " + op.name);
      known[op.result] = op.type;
    }
    for (size_t i = 0; i < outputs.size(); i++) {
      const auto found = known.find(function_.results[i]);
      if (found == known.end() || found->second.dims != outputs[i].dims || found->second.element != outputs[i].element)
        throw Failure(kInvalidArgument, "result " + std::to_string(i) + " is of another type");
    }
  }

  std::vector<ArrayPtr> run(const std::vector<ArrayPtr>& given) override {
    std::map<std::string, Value> values;
    for (size_t i = 0; i < given.size(); i++) values[function_.arguments[i]] = value_of(*given[i]);
    for (const Operation& op : function_.operations) {
      std::vector<const Value*> in;
      for (const auto& name : op.operands) in.push_back(&values.at(name));
      Value made{op.type, compute(op, in)};
      if (made.data.size() != op.type.count()) throw Failure(kInvalidArgument, "wrong sizes: " + op.text.substr(0, 200));
      for (double& x : made.data) x = stored(op.type.element, x);
      values[op.result] = std::move(made);
    }
    std::vector<ArrayPtr> made;
    for (const auto& name : function_.results) made.push_back(array_of(values.at(name)));
    return made;
  }

 private:
  Function function_;

  static bool known_operation(const std::string& name) {
    static const std::vector<std::string> others = {
        "constant", "iota",  "compare",       "select",           "convert",      "broadcast_in_dim",
        "reshape",  "slice", "dynamic_slice", "transpose",        "reverse",      "pad",
        "reduce",   "dot_general",            "dynamic_update_slice", "concatenate", "convolution",
        "reduce_window", "optimization_barrier"};
    double out;
    return is_unary(name) || binary(name, 1, 1, kF64, out) ||
           std::find(others.begin(), others.end(), name) != others.end();
  }

  static Numbers compute(const Operation& op, const std::vector<const Value*>& in);
};

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

static Numbers reduced(const Operation& op, const Value& x, double start) {
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

static Numbers windowed(const Operation& op, const Value& x, double start) {
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

static Numbers dot(const Operation& op, const Value& a, const Value& b) {
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

static Numbers convolved(const Operation& op, const Value& x, const Value& w) {
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

/** Where a dynamic slice begins: within what it is a slice of. */
static Index begun(const std::vector<const Value*>& in, size_t first, const Index& whole, const Index& part) {
  Index from;
  for (size_t i = 0; i < whole.size(); i++)
    from.push_back(std::clamp<int64_t>(static_cast<int64_t>(in[first + i]->data[0]), 0, whole[i] - part[i]));
  return from;
}

Numbers Interpreter::compute(const Operation& op, const std::vector<const Value*>& in) {
  const std::string& name = op.name;
  const Element element = op.type.element;
  double one = 0;
  if (name == "constant") return constant(op);
  if (name == "iota") {
    const int64_t dim = numbers_of(op.text.substr(op.text.find("dim = "))).at(0);
    Numbers made;
    each(op.type.dims, [&](const Index& index) { made.push_back(static_cast<double>(index[dim])); });
    return made;
  }
  const Value& x = *in.at(0);
  Numbers made = x.data;
  if (name == "reshape" || name == "optimization_barrier") return made;
  if (name == "convert") {
    if (is_whole(element) && element != kPred)
      for (double& number : made) number = std::trunc(number);
    return made;
  }
  if (is_unary(name)) {
    for (double& number : made) number = unary(name, number, element);
    return made;
  }
  if (name == "compare") {
    const std::string how = op.text.substr(op.text.find("compare ") + 8, 2);
    for (size_t i = 0; i < made.size(); i++) made[i] = compared(how, made[i], in[1]->data[i]);
    return made;
  }
  if (name == "select") {
    made = in[1]->data;
    for (size_t i = 0; i < made.size(); i++)
      if (x.data[x.data.size() == 1 ? 0 : i] == 0) made[i] = in[2]->data[i];
    return made;
  }
  if (binary(name, 1, 1, element, one)) {
    if (in[1]->data.size() != made.size()) throw Failure(kInvalidArgument, "sizes differ: " + op.text.substr(0, 200));
    for (size_t i = 0; i < made.size(); i++) binary(name, x.data[i], in[1]->data[i], element, made[i]);
    return made;
  }
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
  if (name == "concatenate") return concatenated(op, in);
  if (name == "reduce") return reduced(op, x, in.at(1)->data[0]);
  if (name == "reduce_window") return windowed(op, x, in.at(1)->data[0]);
  if (name == "dot_general") return dot(op, x, *in.at(1));
  return convolved(op, x, *in.at(1));
}

std::unique_ptr<Program> compile(const std::string& text) { return std::make_unique<Interpreter>(text); }
