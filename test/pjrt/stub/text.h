// One operation of a StableHLO function, as its text says it.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "arrays.h"

struct Operation {
  std::string name;
  std::string result;
  std::vector<std::string> operands;
  /** All of its text, for attributes. */
  std::string text;
  Type type;
};

struct Function {
  std::vector<std::string> arguments;
  std::vector<Type> inputs, outputs;
  std::vector<int> alias;
  std::vector<Operation> operations;
  std::vector<std::string> results;
};

/** Reads a module of one function; raises a Failure where it is none that the stub knows. */
Function read_module(const std::string& text);

/** The whole numbers of a list behind a key, `dims = [0, 2]` or `dims = array<i64: 0, 2>`. */
std::vector<int64_t> numbers_after(const std::string& text, const std::string& key);
/** All whole numbers of a piece of text. */
std::vector<int64_t> numbers_of(const std::string& text);
/** What stands in the brackets that open at or behind a place, with those inside of them. */
std::string bracketed(const std::string& text, size_t at);
