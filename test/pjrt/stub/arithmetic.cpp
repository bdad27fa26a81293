#include "arithmetic.h"

#include <algorithm>
#include <cmath>
#include <limits>

double unary(const std::string& name, double x, Element element) {
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

bool is_unary(const std::string& name) {
  static const std::vector<std::string> names = {"abs",  "negate", "exponential", "log",   "logistic", "tanh",
                                                 "sqrt", "rsqrt",  "cosine",      "floor", "sign",     "not"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_whole(Element element) { return element != kF32 && element != kF64 && element != kBF16; }

bool binary(const std::string& name, double a, double b, Element element, double& out) {
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

bool compared(const std::string& how, double a, double b) {
  if (how == "EQ") return a == b;
  if (how == "NE") return a != b;
  if (how == "GE") return a >= b;
  if (how == "GT") return a > b;
  return how == "LE" ? a <= b : a < b;
}

std::string join_of(const Operation& op, size_t from) {
  for (const char* name : {"add", "maximum", "minimum"})
    if (op.text.find(std::string("stablehlo.") + name, from) != std::string::npos) return name;
  throw Failure(kUnimplemented, "the stub has no reduction " + op.text.substr(0, 200));
}

double joined(const std::string& how, double a, double b, Element element) {
  double out = 0;
  binary(how, a, b, element, out);
  return stored(element, out);
}
