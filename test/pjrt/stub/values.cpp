#include "values.h"

#include <algorithm>
#include <cmath>
#include <cstring>

static float bf16_rounded(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if (std::isnan(x)) return x;
  bits = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000u;
  std::memcpy(&x, &bits, 4);
  return x;
}

double stored(Element element, double x) {
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

Value value_of(const Array& array) {
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

ArrayPtr array_of(const Value& value) {
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

Numbers constant(const Operation& op) {
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
