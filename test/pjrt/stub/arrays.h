// Arrays and programs, whoever computes them: the interpreter of this folder, or a real compiler.
#pragma once
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

/** Element types by the numbers of the PJRT C interface; those that programs have. */
enum Element { kPred = 1, kS32 = 4, kS64 = 5, kU8 = 6, kU32 = 8, kU64 = 9, kF32 = 11, kF64 = 12, kBF16 = 13 };

struct Type {
  Element element;
  std::vector<int64_t> dims;
  size_t count() const {
    size_t n = 1;
    for (int64_t dim : dims) n *= dim;
    return n;
  }
  size_t bytes() const {
    switch (element) {
      case kPred:
      case kU8:
        return count();
      case kBF16:
        return 2 * count();
      case kF64:
      case kS64:
      case kU64:
        return 8 * count();
      default:
        return 4 * count();
    }
  }
};

/** Row-major numbers. */
struct Array {
  Type type;
  std::vector<uint8_t> bytes;
};
using ArrayPtr = std::shared_ptr<const Array>;

/** What a caller is told, with a code of the interface. */
struct Failure : std::runtime_error {
  int code;
  Failure(int code, const std::string& text) : std::runtime_error(text), code(code) {}
};
constexpr int kInvalidArgument = 3, kResourceExhausted = 8, kUnimplemented = 12;

struct Program {
  std::vector<Type> inputs, outputs;
  /** Of each input, the output that takes its memory, or -1. */
  std::vector<int> alias;
  virtual ~Program() = default;
  virtual std::vector<ArrayPtr> run(const std::vector<ArrayPtr>& inputs) = 0;
};

/** Compiles StableHLO text; raises a Failure. */
std::unique_ptr<Program> compile(const std::string& text);
